/* The public test vectors of the format: every file of the directory that is the argument is a test. What kura does not
 * support (passphrases, armor, post-quantum keys) must be refused cleanly; where a vector's expectation follows without
 * the feature it is checked all the same. */
#include "fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <zlib.h>

#include "kura/hash.h"

enum { VECTORS_MAX = 256, FILE_MAX = 32 * 1024 * 1024 };

typedef struct Vector {
    char *name;
    char *expect, *payload; /* payload may be NULL */
    AgeIdentities *identities;
    bool armored;
    Buf file;
} Vector;

static const char *directory;
static int n_checked, n_armor, n_passphrase, n_hybrid;

/* Vectors of features that kura lacks whose expectation holds nevertheless: they break a rule that is above the
 * feature, or use a name that is not the feature's. */
static const char *const follows[] = {"scrypt_and_x25519", "scrypt_double",    "scrypt_not_canonical_body",
                                      "scrypt_uppercase",  "hybrid_no_match",  "hybrid_not_canonical_body",
                                      "hybrid_uppercase",  "hybrid_x25519_arg"};

static void read_file(const char *path, Buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    do {
        assert_int_equal(buf_reserve(out, 65536, &err), 0);
        out->len += fread(out->data + out->len, 1, 65536, file);
    } while (!feof(file) && !ferror(file));
    assert_false(ferror(file));
    fclose(file);
}

static void inflate_all(const uint8_t *data, size_t len, Buf *out)
{
    uLongf size = FILE_MAX;
    assert_int_equal(buf_reserve(out, FILE_MAX, &err), 0);
    assert_int_equal(uncompress(out->data, &size, data, len), Z_OK);
    out->len = size;
}

/* A line "key: value" of the head. Keys of other kinds, passphrases and comments are passed over. */
static void take_line(Vector *vector, char *line, Buf *identities, bool *compressed)
{
    char *value = strstr(line, ": ");
    assert_non_null(value);
    *value = 0;
    value += 2;
    if (strcmp(line, "expect") == 0)
        vector->expect = xstrdup(value);
    else if (strcmp(line, "payload") == 0)
        vector->payload = xstrdup(value);
    else if (strcmp(line, "armored") == 0)
        vector->armored = strcmp(value, "yes") == 0;
    else if (strcmp(line, "compressed") == 0)
        *compressed = strcmp(value, "zlib") == 0;
    else if (strcmp(line, "identity") == 0 && strncmp(value, "AGE-SECRET-KEY-1", 16) == 0)
        assert_int_equal(buf_printf(identities, &err, "%s\n", value), 0);
}

/* Where the vector has no key that kura could use, one of somebody else. */
static void take_identities(Vector *vector, const Buf *text)
{
    if (text->len == 0)
        vector->identities = age_identities_new();
    else
        assert_int_equal(age_identities_parse(buf_str(text), text->len, &vector->identities, &err), 0);
}

static void vector_read(const char *name, Vector *ret)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", directory, name);
    _cleanup_(buf_done) Buf all = BUF_INIT(FILE_MAX), identities = BUF_INIT(4096);
    bool compressed = false;
    *ret = (Vector){.name = xstrdup(name), .file = BUF_INIT(FILE_MAX)};
    read_file(path, &all);
    char *head = (char *)all.data, *end;
    for (;; head = end + 1) {
        end = memchr(head, '\n', all.len - (size_t)(head - (char *)all.data));
        assert_non_null(end);
        if (end == head)
            break;
        *end = 0;
        take_line(ret, head, &identities, &compressed);
    }
    const uint8_t *body = (uint8_t *)end + 1;
    const size_t len = all.len - (size_t)(body - all.data);
    if (compressed)
        inflate_all(body, len, &ret->file);
    else
        assert_int_equal(buf_append(&ret->file, body, len, &err), 0);
    assert_non_null(ret->expect);
    take_identities(ret, &identities);
}

static void vector_done(Vector *vector)
{
    free(vector->name);
    free(vector->expect);
    free(vector->payload);
    age_identities_free(vector->identities);
    buf_done(&vector->file);
}

static ErrorCode refused_vector(const Vector *vector)
{
    return refused(vector->identities, vector->file.data, vector->file.len);
}

static bool has_stanza(const Vector *vector, const char *type)
{
    return memmem(vector->file.data, vector->file.len, type, strlen(type)) != NULL;
}

/* Reading a part begins by opening the header: that must fail, and for the same reason, exactly where the header is to
 * blame. */
static void check_open(const Vector *vector, int rc, ErrorCode code)
{
    AgeFile *file;
    assert_int_equal(age_open(vector->identities, vector->file.data, vector->file.len, &file, &err), rc);
    if (rc == 0)
        age_close(file);
    else
        assert_int_equal(err.code, code);
}

static void check_success(const Vector *vector)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(FILE_MAX);
    char hash[SHA256_HEX_SIZE];
    assert_int_equal(age_decrypt(vector->identities, vector->file.data, vector->file.len, &out, &err), 0);
    sha256_hex(out.data, out.len, hash);
    assert_string_equal(hash, vector->payload);
    check_open(vector, 0, ERR_NONE);
}

static void check_no_match(const Vector *vector)
{
    const ErrorCode code = refused_vector(vector);
    assert_int_equal(code, has_stanza(vector, "\n-> X25519 ") ? ERR_KEY : ERR_UNSUPPORTED);
    check_open(vector, -1, code);
}

static void check_header_failure(const Vector *vector)
{
    const ErrorCode code = refused_vector(vector);
    if (strcmp(vector->name, "version_unsupported") == 0)
        assert_int_equal(code, ERR_UNSUPPORTED);
    else if (code != ERR_TRUNCATED)
        assert_int_equal(code, ERR_CORRUPT);
    assert_null(strstr(err.message, "authentication code does not match"));
    check_open(vector, -1, code);
}

static void check_hmac_failure(const Vector *vector)
{
    assert_int_equal(refused_vector(vector), ERR_CORRUPT);
    assert_non_null(strstr(err.message, "authentication code does not match"));
    check_open(vector, -1, ERR_CORRUPT);
}

static void check_payload_failure(const Vector *vector)
{
    if (refused_vector(vector) != ERR_TRUNCATED)
        assert_int_equal(err.code, ERR_CORRUPT);
    check_open(vector, 0, ERR_NONE);
}

static void check_expectation(const Vector *vector)
{
    static const struct {
        const char *expect;
        void (*check)(const Vector *vector);
    } checks[] = {{"success", check_success},
                  {"no match", check_no_match},
                  {"header failure", check_header_failure},
                  {"HMAC failure", check_hmac_failure},
                  {"payload failure", check_payload_failure}};
    n_checked++;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        if (strcmp(vector->expect, checks[i].expect) == 0) {
            checks[i].check(vector);
            return;
        }
    fail_msg("%s expects \"%s\"", vector->name, vector->expect);
}

/* A file of a feature that kura lacks, refused for that reason. */
static void check_unsupported(const Vector *vector)
{
    const ErrorCode code = refused_vector(vector);
    if (has_stanza(vector, "\n-> X25519 "))
        assert_int_equal(code, ERR_KEY);
    else
        assert_int_equal(code, ERR_UNSUPPORTED);
    check_open(vector, -1, code);
}

static void check_armor(const Vector *vector)
{
    if (refused_vector(vector) == ERR_UNSUPPORTED)
        assert_non_null(strstr(err.message, "armor"));
    else
        assert_int_equal(err.code, ERR_CORRUPT); /* something else is in front of it */
}

static void check_vector(void **state)
{
    const char *name = *state;
    Vector vector;
    bool as_stated = false;
    vector_read(name, &vector);
    for (size_t i = 0; i < ARRAY_SIZE(follows); i++)
        as_stated |= strcmp(name, follows[i]) == 0;
    if (vector.armored) {
        n_armor++;
        check_armor(&vector);
    } else if (!as_stated && strncmp(name, "scrypt", 6) == 0) {
        n_passphrase++;
        check_unsupported(&vector);
    } else if (!as_stated && strncmp(name, "hybrid", 6) == 0) {
        n_hybrid++;
        check_unsupported(&vector);
    } else {
        check_expectation(&vector);
    }
    vector_done(&vector);
}

/* What was there, so that a vector that goes missing is missed. */
static void all_were_there(void **state)
{
    assert_int_equal(n_checked, 75);
    assert_int_equal(n_armor, 33);
    assert_int_equal(n_passphrase, 21);
    assert_int_equal(n_hybrid, 14);
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[VECTORS_MAX]; /* cmocka skips those without a function */
    struct dirent **names;
    directory = argv[argc - 1];
    const int n = scandir(directory, &names, NULL, alphasort);
    size_t used = 0;
    for (int i = 0; i < n && used < VECTORS_MAX - 1; i++)
        if (names[i]->d_name[0] != '.')
            tests[used++] = (struct CMUnitTest){names[i]->d_name, check_vector, NULL, NULL, names[i]->d_name};
    tests[used] = (struct CMUnitTest)cmocka_unit_test(all_were_there);
    const int failed = cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return failed;
}
