/* Files that were changed, cut, put together by somebody else, or never were age files. Nothing of them is released. */
#include "fixture.h"

#include <openssl/err.h>

enum { SMALL = 40 };

static AgeIdentities *identities;
static AgeRecipient recipient;

static int set_up(void **state)
{
    identities = new_key(&recipient);
    return 0;
}

static int tear_down(void **state)
{
    age_identities_free(identities);
    return 0;
}

static void sealed_sample(size_t len, Buf *out)
{
    _cleanup_(buf_done) Buf plain = BUF_INIT(LARGEST);
    fill(&plain, len, 7);
    seal(&recipient, 1, &plain, out);
}

/* libcrypto's queue of errors belongs to the connections: what is there stays, and nothing is added. */
static ErrorCode refused_file(const Buf *file)
{
    enum { SOMEBODY_ELSES = 7 };
    ERR_raise(ERR_LIB_USER, SOMEBODY_ELSES);
    const ErrorCode code = refused(identities, file->data, file->len);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), SOMEBODY_ELSES);
    assert_int_equal(ERR_get_error(), 0);
    return code;
}

static void every_flipped_bit(void **state)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST);
    sealed_sample(SMALL, &file);
    for (size_t i = 0; i < file.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            file.data[i] ^= (uint8_t)(1 << bit);
            assert_int_not_equal(refused_file(&file), ERR_NONE);
            file.data[i] ^= (uint8_t)(1 << bit);
        }
}

/* Of a file of one piece and of one of three: cut anywhere. At a piece's end it is told for what it is. */
static void every_length(void **state)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST);
    sealed_sample(SMALL, &file);
    const size_t whole = file.len, start = whole - SMALL - TAG;
    for (file.len = 0; file.len < whole; file.len++) {
        const ErrorCode code = refused_file(&file);
        assert_int_equal(code, file.len < start + TAG ? ERR_TRUNCATED : ERR_CORRUPT);
    }
    buf_clear(&file);
    sealed_sample(2 * AGE_CHUNK + 100, &file);
    const size_t all = file.len;
    for (size_t piece = 1; piece <= 2; piece++)
        for (size_t extra = 0; extra <= TAG + 1; extra++) {
            file.len = start + piece * SEALED_CHUNK + extra;
            assert_int_equal(refused_file(&file), extra < TAG ? ERR_TRUNCATED : ERR_CORRUPT);
        }
    file.len = all - 1;
    assert_int_equal(refused_file(&file), ERR_CORRUPT);
}

static void bytes_behind_the_end(void **state)
{
    for (size_t len = 0; len <= AGE_CHUNK; len += AGE_CHUNK / 2) {
        _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST);
        sealed_sample(len, &file);
        const size_t whole = file.len;
        fill(&file, SEALED_CHUNK + TAG, 9);
        static const size_t more[] = {1, TAG - 1, TAG, TAG + 1, SEALED_CHUNK, SEALED_CHUNK + TAG};
        for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
            file.len = whole + more[i];
            assert_int_not_equal(refused_file(&file), ERR_NONE);
        }
    }
}

static void pieces_in_another_order(void **state)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST), changed = BUF_INIT(LARGEST);
    sealed_sample(3 * AGE_CHUNK, &file);
    const size_t start = file.len - 3 * SEALED_CHUNK;
    static const int orders[][4] = {{1, 0, 2, -1}, {0, 2, 1, -1}, {2, 1, 0, -1}, {0, 0, 2, -1},
                                    {0, 2, -1},    {1, 2, -1},    {2, -1},       {0, 1, 2, 2}};
    for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
        buf_clear(&changed);
        assert_int_equal(buf_append(&changed, file.data, start, &err), 0);
        for (int k = 0; k < 4 && orders[i][k] >= 0; k++)
            assert_int_equal(
                buf_append(&changed, file.data + start + (size_t)orders[i][k] * SEALED_CHUNK, SEALED_CHUNK, &err), 0);
        assert_int_equal(refused_file(&changed), ERR_CORRUPT);
    }
}

static void the_header_of_one_and_the_payload_of_another(void **state)
{
    _cleanup_(buf_done) Buf one = BUF_INIT(LARGEST), two = BUF_INIT(LARGEST);
    sealed_sample(SMALL, &one);
    sealed_sample(SMALL, &two);
    const size_t payload = SMALL + TAG + 16;
    memcpy(one.data + one.len - payload, two.data + two.len - payload, payload);
    assert_int_equal(refused_file(&one), ERR_CORRUPT);
}

static void add_stanza(Buf *file, const char *line)
{
    assert_int_equal(buf_printf(file, &err, "-> %s\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n", line), 0);
}

static void end_header(Buf *file)
{
    assert_int_equal(
        buf_append_str(file, "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n0123456789abcdef0123456789abcdef", &err),
        0);
}

/* A header with these first lines of stanzas, and a made-up authentication code. */
static ErrorCode refused_stanzas(const char *const *lines, size_t n)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST);
    assert_int_equal(buf_append_str(&file, "age-encryption.org/v1\n", &err), 0);
    for (size_t i = 0; i < n; i++)
        add_stanza(&file, lines[i]);
    end_header(&file);
    return refused_file(&file);
}
#define REFUSED_STANZAS(...)                                                                                           \
    refused_stanzas((const char *const[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))
#define SHARE "CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* the base point: no point of low order */

static void which_recipients_there_are(void **state)
{
    assert_int_equal(refused_stanzas(NULL, 0), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 " SHARE), ERR_KEY);
    assert_int_equal(REFUSED_STANZAS("X25519 " SHARE, "ssh-ed25519 abc " SHARE, "yubikey x", "q-grease"), ERR_KEY);
    assert_int_equal(REFUSED_STANZAS("ssh-rsa abc", "X25519 " SHARE), ERR_KEY);
    assert_int_equal(REFUSED_STANZAS("ssh-rsa abc", "piv-p256 abc"), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "\"ssh-rsa\""));
    assert_int_equal(REFUSED_STANZAS("mlkem768x25519 abc"), ERR_UNSUPPORTED);
    assert_int_equal(REFUSED_STANZAS("a-type-with-a-name-that-is-longer-than-thirty-two-characters"), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "\"a-type-with-a-name-that-is-longe\""));
    assert_int_equal(REFUSED_STANZAS("scrypt abc 18"), ERR_UNSUPPORTED);
    assert_int_equal(REFUSED_STANZAS("scrypt abc 18", "q-grease"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("q-grease", "scrypt abc 18"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 " SHARE, "scrypt abc 18"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 "), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 " SHARE "A"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 " SHARE " "), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                     ERR_CORRUPT); /* low order */
    assert_int_equal(REFUSED_STANZAS(" X25519 " SHARE), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("a  b"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("a\tb"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("a\x7f"), ERR_CORRUPT);
    assert_int_equal(REFUSED_STANZAS("\xc3\xa4"), ERR_CORRUPT);
}

/* Other programs may write more recipients than kura does, as long as the header stays in bounds. */
static void headers_up_to_a_limit(void **state)
{
    _cleanup_(buf_done) Buf file = BUF_INIT(LARGEST);
    static const char end[] = "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    assert_int_equal(buf_append_str(&file, "age-encryption.org/v1\n", &err), 0);
    while (file.len + 98 + strlen(end) <= AGE_HEADER_MAX)
        add_stanza(&file, "X25519 " SHARE);
    const size_t stanzas = file.len;
    end_header(&file);
    assert_int_equal(refused_file(&file), ERR_KEY);

    for (size_t header = AGE_HEADER_MAX - 1; header <= AGE_HEADER_MAX + 1; header++) {
        file.len = stanzas - 98;
        const size_t name = header - file.len - strlen("-> \n") - 44 - strlen(end);
        _cleanup_free_ char *type = xmalloc(name + 1);
        memset(type, 'x', name);
        type[name] = 0;
        add_stanza(&file, type);
        end_header(&file);
        assert_int_equal(refused_file(&file), header <= AGE_HEADER_MAX ? ERR_KEY : ERR_UNSUPPORTED);
    }
    file.len = stanzas - 1; /* endless, as far as one looks */
    fill(&file, AGE_HEADER_MAX, 3);
    memset(file.data + stanzas - 1, 'x', AGE_HEADER_MAX);
    assert_int_equal(refused_file(&file), ERR_UNSUPPORTED);
}

static ErrorCode refused_text(const char *text)
{
    const Buf file = {.data = (uint8_t *)text, .len = strlen(text)};
    return refused_file(&file);
}

static void other_files(void **state)
{
    assert_int_equal(refused(identities, NULL, 0), ERR_TRUNCATED);
    assert_int_equal(refused_text("age-encr"), ERR_TRUNCATED);
    assert_int_equal(refused_text("age-encryption.org/v1"), ERR_TRUNCATED);
    assert_int_equal(refused_text("age-encryption.org/v1\n"), ERR_TRUNCATED);
    assert_int_equal(refused_text("age-encryption.org/v1\r\n"), ERR_CORRUPT);
    assert_int_equal(refused_text("age-encryption.org/v1\n\n"), ERR_CORRUPT);
    assert_int_equal(refused_text("age-encryption.org/v2\n"), ERR_UNSUPPORTED);
    assert_int_equal(refused_text("-----BEGIN AGE ENCRYPTED FILE-----\n"), ERR_UNSUPPORTED);
    assert_true(err.hint[0] != 0);
    assert_int_equal(refused_text("kura\n"), ERR_CORRUPT);
    assert_int_equal(refused_text("\n"), ERR_CORRUPT);
    assert_int_equal(refused_text("{\"format\": 1}"), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit),
        cmocka_unit_test(every_length),
        cmocka_unit_test(bytes_behind_the_end),
        cmocka_unit_test(pieces_in_another_order),
        cmocka_unit_test(the_header_of_one_and_the_payload_of_another),
        cmocka_unit_test(which_recipients_there_are),
        cmocka_unit_test(headers_up_to_a_limit),
        cmocka_unit_test(other_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
