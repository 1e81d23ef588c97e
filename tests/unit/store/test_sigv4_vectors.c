/* AWS's published vectors, every one of them: canonical request, string to sign, signature, Authorization header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>

#include "kura/clock.h"
#include "kura/hash.h"
#include "kura/mem.h"
#include "sigv4.h"

enum { ALL = 38, LEFT_OUT = 6, TEXT_MAX = 64 * 1024 };

/* Vectors that demand what S3 must not do: an object's key may hold "." and ".." and empty segments, so the path of a
 * request to S3 is signed as it is. Each has a twin "-unnormalized", which is run. */
static const struct {
    const char *name;
    const char *reason;
} left_out[LEFT_OUT] = {
    {"get-relative-normalized", "wants /example/.. signed as /"},
    {"get-relative-relative-normalized", "wants /example1/example2/../.. signed as /"},
    {"get-slash-dot-slash-normalized", "wants /./ signed as /"},
    {"get-slash-normalized", "wants // signed as /"},
    {"get-slash-pointless-dot-normalized", "wants /./example signed as /example"},
    {"get-slashes-normalized", "wants //example// signed as /example/"},
};

/* One vector; the strings point into text, which the parser cuts up. */
typedef struct Vector {
    char *text;
    json_t *context;
    const char *method, *path, *query, *body;
    SigV4Pair headers[SIGV4_HEADERS_MAX];
    size_t n_headers;
    char stamp[SIGV4_STAMP_SIZE];
    char hash[SHA256_HEX_SIZE];
} Vector;

static char *read_part(const char *vector, const char *part)
{
    char *path = xasprintf("%s/%s/%s", VECTORS, vector, part);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *text = xcalloc(1, TEXT_MAX);
    size_t len = fread(text, 1, TEXT_MAX - 1, file);
    assert_true(len > 0 && len < TEXT_MAX - 1);
    fclose(file);
    free(path);
    return text;
}

/* Undoes percent-encoding in place: the vectors mix encoded and plain bytes in their requests. */
static const char *decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned code;
        if (*from == '%' && sscanf(from + 1, "%2x", &code) == 1) {
            *to++ = (char)code;
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
    return text;
}

static char *cut(char *text, const char *end)
{
    char *at = strstr(text, end);
    assert_non_null(at);
    *at = 0;
    return at + strlen(end);
}

/* The lines from text to the empty one; a line that begins with a blank goes on with the value before it. */
static void parse_headers(Vector *vector, char *text)
{
    while (*text && *text != '\n') {
        char *end = text + strcspn(text, "\n");
        while (end[0] && (end[1] == ' ' || end[1] == '\t'))
            end += 1 + strcspn(end + 1, "\n");
        char *next = *end ? end + 1 : end;
        *end = 0;
        assert_true(vector->n_headers < SIGV4_HEADERS_MAX);
        SigV4Pair *header = &vector->headers[vector->n_headers++];
        header->name = text;
        header->value = cut(text, ":");
        text = next;
    }
    vector->body = *text ? text + 1 : "";
}

static char *encode_query(char *query)
{
    SigV4Pair params[SIGV4_PARAMS_MAX];
    size_t n = 0;
    for (char *save, *param = strtok_r(query, "&", &save); param; param = strtok_r(NULL, "&", &save)) {
        char *value = strchr(param, '=');
        params[n].value = value ? decode(value + 1) : "";
        if (value)
            *value = 0;
        params[n++].name = decode(param);
    }
    Buf out = BUF_INIT(TEXT_MAX);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_query(params, n, &out, &err), 0);
    return out.data ? (char *)out.data : xstrdup("");
}

static char *encode_path(const char *path)
{
    Buf out = BUF_INIT(TEXT_MAX);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_path(path, &out, &err), 0);
    return (char *)out.data;
}

static const char *context(const Vector *vector, const char *key)
{
    const char *text = json_string_value(json_object_get(vector->context, key));
    assert_non_null(text);
    return text;
}

static const char *credential(const Vector *vector, const char *key)
{
    return json_string_value(json_object_get(json_object_get(vector->context, "credentials"), key));
}

static void add_header(Vector *vector, const char *name, const char *value)
{
    assert_true(vector->n_headers < SIGV4_HEADERS_MAX);
    vector->headers[vector->n_headers++] = (SigV4Pair){name, value};
}

/* What a client adds before it signs. */
static void add_own_headers(Vector *vector)
{
    time_t moment = clock_parse_utc(context(vector, "timestamp"));
    assert_true(moment > 0);
    sigv4_stamp(moment, vector->stamp);
    add_header(vector, "X-Amz-Date", vector->stamp);
    sha256_hex(vector->body, strlen(vector->body), vector->hash);
    if (json_is_true(json_object_get(vector->context, "sign_body")))
        add_header(vector, "x-amz-content-sha256", vector->hash);
    if (credential(vector, "token") && !json_is_true(json_object_get(vector->context, "omit_session_token")))
        add_header(vector, "X-Amz-Security-Token", credential(vector, "token"));
}

static void load(const char *name, Vector *vector)
{
    *vector = (Vector){.text = read_part(name, "request.txt")};
    _cleanup_free_ char *json = read_part(name, "context.json");
    vector->context = json_loads(json, 0, NULL);
    assert_non_null(vector->context);
    vector->method = vector->text;
    char *target = cut(vector->text, " ");
    parse_headers(vector, cut(target, " HTTP/1.1\n"));
    char *query = strchr(target, '?');
    if (query)
        *query++ = 0;
    vector->path = encode_path(decode(target));
    vector->query = encode_query(query ? query : (char[]){""});
    add_own_headers(vector);
}

static void unload(Vector *vector)
{
    free((char *)vector->path);
    free((char *)vector->query);
    free(vector->text);
    json_decref(vector->context);
}

static void assert_part(const char *vector, const char *part, const char *text)
{
    _cleanup_free_ char *expected = read_part(vector, part);
    assert_string_equal(text, expected);
}

/* Credential, names and signature as the other parts of the vector have them: the names of the signed headers are the
 * last but one line of the canonical request. */
static void assert_authorization(const char *name, const Vector *vector, const char *value)
{
    _cleanup_free_ char *canonical = read_part(name, "header-canonical-request.txt");
    _cleanup_free_ char *signature = read_part(name, "header-signature.txt");
    *strrchr(canonical, '\n') = 0;
    _cleanup_free_ char *expected =
        xasprintf("AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s",
                  credential(vector, "access_key_id"), vector->stamp, context(vector, "region"),
                  context(vector, "service"), strrchr(canonical, '\n') + 1, signature);
    assert_string_equal(value, expected);
}

static void run(const char *name, SigV4Keys *keys)
{
    Vector vector;
    load(name, &vector);
    SigV4Request request = {.method = vector.method,
                            .path = vector.path,
                            .query = vector.query,
                            .headers = vector.headers,
                            .n_headers = vector.n_headers,
                            .payload_hash = vector.hash,
                            .region = context(&vector, "region"),
                            .service = context(&vector, "service"),
                            .stamp = vector.stamp};
    _cleanup_(buf_done) Buf canonical = BUF_INIT(TEXT_MAX);
    _cleanup_(buf_done) Buf text = BUF_INIT(TEXT_MAX);
    _cleanup_(buf_done) Buf authorization = BUF_INIT(TEXT_MAX);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_canonical_request(&request, &canonical, &err), 0);
    assert_part(name, "header-canonical-request.txt", buf_str(&canonical));
    assert_int_equal(sigv4_string_to_sign(&request, buf_str(&canonical), &text, &err), 0);
    assert_part(name, "header-string-to-sign.txt", buf_str(&text));
    assert_int_equal(sigv4_authorize(keys, credential(&vector, "access_key_id"),
                                     credential(&vector, "secret_access_key"), &request, &authorization, &err),
                     0);
    assert_authorization(name, &vector, buf_str(&authorization));
    unload(&vector);
}

static bool is_left_out(const char *name)
{
    for (size_t i = 0; i < LEFT_OUT; i++)
        if (strcmp(left_out[i].name, name) == 0) {
            print_message("not for S3: %s %s\n", name, left_out[i].reason);
            return true;
        }
    return false;
}

static void every_published_vector_gives_what_it_tells(void **state)
{
    DIR *dir = opendir(VECTORS);
    assert_non_null(dir);
    SigV4Keys *keys = sigv4_keys_new();
    size_t ran = 0, skipped = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README") == 0)
            continue;
        if (is_left_out(entry->d_name)) {
            skipped++;
            continue;
        }
        print_message("%s\n", entry->d_name);
        run(entry->d_name, keys);
        ran++;
    }
    closedir(dir);
    sigv4_keys_free(keys);
    assert_int_equal(skipped, LEFT_OUT);
    assert_int_equal(ran, ALL - LEFT_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_vector_gives_what_it_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
