#include "s3signed.h"

#include <string.h>
#include <time.h>

#include "kura/mem.h"

enum {
    URL_MAX = 32 * 1024,
    HEADER_MAX = 32 * 1024, /* a session token may be long */
    HEADERS_OWN = 8         /* those that are added here */
};

/* What is signed, beside its lines. */
typedef struct Names {
    SigV4Pair v[SIGV4_HEADERS_MAX];
    size_t n;
} Names;

static void add(S3Signed *request, Names *names, const char *name, const char *value)
{
    char *line = xasprintf("%s: %s", name, value);
    request->headers[request->n++] = line;
    names->v[names->n++] = (SigV4Pair){name, line + strlen(name) + 2};
}

static void add_all(S3Signed *request, Names *names, const S3Wanted *wanted, const char *host, const char *stamp,
                    const S3Credentials *credentials)
{
    add(request, names, "Host", host);
    add(request, names, "x-amz-date", stamp);
    add(request, names, "x-amz-content-sha256", wanted->sha256);
    if (credentials->session_token)
        add(request, names, "x-amz-security-token", credentials->session_token);
    if (wanted->md5)
        add(request, names, "Content-MD5", wanted->md5);
    for (size_t i = 0; i < wanted->n_headers; i++)
        add(request, names, wanted->headers[i].name, wanted->headers[i].value);
    if (!wanted->expect)
        request->headers[request->n++] = xstrdup("Expect:"); /* keeps libcurl from adding one */
}

static int add_authorization(S3Signed *request, const SigV4Request *to_sign, SigV4Keys *keys,
                             const S3Credentials *credentials, Error *err)
{
    _cleanup_(buf_done) Buf value = BUF_INIT(HEADER_MAX);
    if (sigv4_authorize(keys, credentials->access_key, credentials->secret_key, to_sign, &value, err) < 0)
        return -1;
    request->headers[request->n++] = xasprintf("Authorization: %s", buf_str(&value));
    explicit_bzero(value.data, value.len);
    return 0;
}

int s3sign(const S3Wanted *wanted, const S3Site *site, const S3Target *target, SigV4Keys *keys,
           const S3Credentials *credentials, S3Signed *ret, Error *err)
{
    _cleanup_(buf_done) Buf host = BUF_INIT(URL_MAX), path = BUF_INIT(URL_MAX), query = BUF_INIT(URL_MAX);
    _cleanup_(s3signed_done) S3Signed request = {.url = BUF_INIT(URL_MAX)};
    char stamp[SIGV4_STAMP_SIZE];
    Names names = {.n = 0};
    if (wanted->n_headers > SIGV4_HEADERS_MAX - HEADERS_OWN)
        return error_set(err, ERR_FAILED, "too many headers");
    if (s3site_host(site, target, &host, err) < 0 || s3site_path(site, target, wanted->key, &path, err) < 0 ||
        sigv4_encode_query(wanted->params, wanted->n_params, &query, err) < 0)
        return -1;
    sigv4_stamp(time(NULL) + target->clock_offset, stamp);
    add_all(&request, &names, wanted, buf_str(&host), stamp, credentials);
    const SigV4Request to_sign = {.method = wanted->method,
                                  .path = buf_str(&path),
                                  .query = buf_str(&query),
                                  .headers = names.v,
                                  .n_headers = names.n,
                                  .payload_hash = wanted->sha256,
                                  .region = target->region,
                                  .service = "s3",
                                  .stamp = stamp};
    if (add_authorization(&request, &to_sign, keys, credentials, err) < 0 ||
        buf_printf(&request.url, err, "%s://%s%s%s%s", target->endpoint.tls ? "https" : "http", buf_str(&host),
                   buf_str(&path), query.len ? "?" : "", buf_str(&query)) < 0)
        return -1;
    *ret = request;
    request = (S3Signed){0};
    return 0;
}

void s3signed_done(S3Signed *request)
{
    if (request == NULL)
        return;
    for (size_t i = 0; i < request->n; i++) {
        explicit_bzero(request->headers[i], strlen(request->headers[i]));
        free(request->headers[i]);
    }
    buf_done(&request->url);
    *request = (S3Signed){0};
}
