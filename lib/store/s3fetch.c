#include "s3fetch.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "s3curl.h"

/* Of one size from the start: growing would leave copies of secrets behind. */
typedef struct Body {
    char text[S3FETCH_BODY_MAX + 1];
    size_t len;
    bool too_long;
} Body;

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    Body *body = ctx;
    size_t len = size * count;
    if (len > S3FETCH_BODY_MAX - body->len) {
        body->too_long = true;
        return 0;
    }
    memcpy(body->text + body->len, data, len);
    body->len += len;
    body->text[body->len] = 0;
    return len;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    return stop_check(NULL) < 0;
}

static void set_up(CURL *curl, const S3Fetch *request, struct curl_slist *headers, Body *body)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->total);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static struct curl_slist *headers_of(const S3Fetch *request)
{
    if (request->header == NULL)
        return NULL;
    struct curl_slist *headers = curl_slist_append(NULL, request->header);
    if (headers == NULL)
        abort();
    return headers;
}

static void wipe_headers(struct curl_slist *headers)
{
    for (struct curl_slist *header = headers; header; header = header->next)
        OPENSSL_cleanse(header->data, strlen(header->data));
    curl_slist_free_all(headers);
}

static int judge(CURLcode code, long status, const Body *body, Error *err)
{
    if (stop_check(err) < 0)
        return -1;
    if (body->too_long)
        return error_set(err, ERR_CORRUPT, "the answer is longer than %d bytes", S3FETCH_BODY_MAX);
    if (code != CURLE_OK)
        return error_set(err, ERR_CONNECTION, "%s", curl_easy_strerror(code));
    if (status != 200)
        return error_set(err, ERR_SERVER, "HTTP status %ld", status);
    if (strlen(body->text) != body->len)
        return error_set(err, ERR_CORRUPT, "the answer is no text");
    return 0;
}

static int attempt(CURL *curl, Body *body, bool *ret_again, Error *err)
{
    body->len = 0;
    body->text[0] = 0;
    body->too_long = false;
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    int rc = judge(code, status, body, err);
    *ret_again = rc < 0 && err && (err->code == ERR_CONNECTION || (err->code == ERR_SERVER && status >= 500));
    return rc;
}

int s3fetch(const S3Fetch *request, char **ret_body, Error *err)
{
    CURL *curl = s3curl_new();
    struct curl_slist *headers = headers_of(request);
    Body *body = xcalloc(1, sizeof *body);
    Error own = ERROR_INIT;
    set_up(curl, request, headers, body);
    int rc = -1;
    bool again = true;
    for (int i = 0; i < S3FETCH_TRIES && again; i++)
        rc = attempt(curl, body, &again, &own);
    curl_easy_cleanup(curl);
    wipe_headers(headers);
    if (rc == 0)
        *ret_body = xstrdup(body->text);
    else if (err)
        *err = own;
    OPENSSL_cleanse(body, sizeof *body);
    free(body);
    return rc;
}
