/* age-tool: lib/age on the command line, for comparison with other programs. Data goes from standard input to standard
 * output.
 *
 *   age-tool keygen                      prints a new identity file
 *   age-tool recipient IDENTITY-FILE     prints the public keys of all its keys
 *   age-tool encrypt RECIPIENT...
 *   age-tool decrypt IDENTITY-FILE
 *   age-tool rewrap IDENTITY-FILE RECIPIENT...
 *   age-tool speed SIZE TIMES            GB/s of encrypting and decrypting SIZE bytes */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kura/age.h"
#include "kura/mem.h"

static const size_t longest = (size_t)1 << 30;

DEFINE_CLEANUP(AgeIdentities, age_identities_free)

static int read_stream(FILE *stream, Buf *out, Error *err)
{
    for (;;) {
        if (buf_reserve(out, 65536, err) < 0)
            return -1;
        size_t n = fread(out->data + out->len, 1, 65536, stream);
        if (n == 0)
            return ferror(stream) ? error_set(err, ERR_IO, "cannot read") : 0;
        out->len += n;
    }
}

static int read_identities(const char *path, AgeIdentities **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(1 << 20);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return error_set(err, ERR_IO, "cannot open \"%s\"", path);
    int rc = read_stream(file, &text, err);
    fclose(file);
    return rc < 0 ? rc : age_identities_parse(buf_str(&text), text.len, ret, err);
}

/* The rest of the command line. */
static int parse_recipients(char **argv, AgeRecipient *ret, size_t *ret_n, Error *err)
{
    size_t n = 0;
    for (; argv[n]; n++) {
        if (n == AGE_RECIPIENTS_MAX)
            return error_set(err, ERR_USAGE, "too many recipients");
        if (age_recipient_parse(argv[n], &ret[n], err) < 0)
            return -1;
    }
    *ret_n = n;
    return 0;
}

static void print_recipient(const char *prefix, const AgeIdentities *identities, size_t i)
{
    AgeRecipient recipient;
    char text[AGE_RECIPIENT_SIZE];
    age_identities_recipient(identities, i, &recipient);
    age_recipient_format(&recipient, text);
    printf("%s%s\n", prefix, text);
}

static int keygen(Error *err)
{
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = age_identities_new();
    _cleanup_(buf_done) Buf text = BUF_INIT(AGE_IDENTITY_SIZE);
    if (age_identities_format(identities, 0, &text, err) < 0)
        return -1;
    print_recipient("# public key: ", identities, 0);
    printf("%s\n", buf_str(&text));
    return 0;
}

static int print_recipients(const char *path, Error *err)
{
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = NULL;
    if (read_identities(path, &identities, err) < 0)
        return -1;
    for (size_t i = 0; i < age_identities_count(identities); i++)
        print_recipient("", identities, i);
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int measure(size_t size, int times, Error *err)
{
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = age_identities_new();
    _cleanup_(buf_done) Buf plain = BUF_INIT(size), sealed = BUF_INIT((size_t)age_encrypted_size(size, 1));
    AgeRecipient recipient;
    double sealing = 0, opening = 0;
    if (buf_reserve(&plain, size, err) < 0)
        return -1;
    memset(plain.data, 'x', size);
    age_identities_recipient(identities, 0, &recipient);
    for (int i = 0; i < times; i++) {
        buf_clear(&sealed);
        double start = seconds();
        if (age_encrypt(&recipient, 1, plain.data, size, &sealed, err) < 0)
            return -1;
        double between = seconds();
        plain.len = 0;
        if (age_decrypt(identities, sealed.data, sealed.len, &plain, err) < 0)
            return -1;
        sealing += between - start;
        opening += seconds() - between;
    }
    const double bytes = (double)size * times;
    printf("encrypt %.3f GB/s, decrypt %.3f GB/s\n", bytes / sealing / 1e9, bytes / opening / 1e9);
    return 0;
}

static int filter(const char *verb, char **argv, Error *err)
{
    _cleanup_(age_identities_free_cleanup) AgeIdentities *identities = NULL;
    _cleanup_(buf_done) Buf in = BUF_INIT(longest), out = BUF_INIT(longest);
    AgeRecipient recipients[AGE_RECIPIENTS_MAX];
    size_t n = 0;
    int rc;
    if (strcmp(verb, "encrypt") != 0 && read_identities(*argv++, &identities, err) < 0)
        return -1;
    if (parse_recipients(argv, recipients, &n, err) < 0 || read_stream(stdin, &in, err) < 0)
        return -1;
    if (strcmp(verb, "encrypt") == 0)
        rc = age_encrypt(recipients, n, in.data, in.len, &out, err);
    else if (strcmp(verb, "decrypt") == 0)
        rc = age_decrypt(identities, in.data, in.len, &out, err);
    else
        rc = age_rewrap(identities, recipients, n, in.data, in.len, &out, err);
    if (rc == 0 && fwrite(out.data, 1, out.len, stdout) != out.len)
        rc = error_set(err, ERR_IO, "cannot write");
    return rc;
}

static int run(int argc, char **argv, Error *err)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (strcmp(verb, "keygen") == 0)
        return keygen(err);
    if (argc == 3 && strcmp(verb, "recipient") == 0)
        return print_recipients(argv[2], err);
    if (argc == 4 && strcmp(verb, "speed") == 0)
        return measure(strtoul(argv[2], NULL, 10), atoi(argv[3]), err);
    if (argc > 2 && (strcmp(verb, "encrypt") == 0 || strcmp(verb, "decrypt") == 0 || strcmp(verb, "rewrap") == 0))
        return filter(verb, argv + 2, err);
    return error_set(err, ERR_USAGE, "usage: age-tool keygen|recipient|encrypt|decrypt|rewrap|speed ...");
}

int main(int argc, char **argv)
{
    Error err = ERROR_INIT;
    if (run(argc, argv, &err) == 0)
        return 0;
    fprintf(stderr, "age-tool: %s: %s\n", error_code_name(err.code), err.message);
    return error_exit_status(err.code);
}
