#include "kura/ping.h"

#include <ctype.h>
#include <curl/curl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "kura/buf.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/stop.h"

enum { URL_MAX = 16 * 1024, TRIES = 3, CONNECT_SECONDS = 5, TRY_SECONDS = 10, PAUSE_MS = 1000 };

/* ---- URLs ---- */

static void add_percent(Buf *out, const char *text)
{
    for (; *text; text++) {
        bool plain = isascii(*text) && (isalnum(*text) || strchr("-._~", *text));
        buf_printf(out, NULL, plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

char *ping_url(const char *pattern, const char *suffix, const char *app, const char *command)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(URL_MAX);
    size_t path = strcspn(pattern, "?#");
    for (size_t i = 0; pattern[i]; i++) {
        if (i == path)
            buf_append_str(&out, suffix, NULL);
        if (strncmp(pattern + i, "{app}", 5) == 0) {
            add_percent(&out, app);
            i += 4;
        } else if (strncmp(pattern + i, "{command}", 9) == 0) {
            add_percent(&out, command);
            i += 8;
        } else {
            buf_append(&out, pattern + i, 1, NULL);
        }
    }
    if (pattern[path] == 0)
        buf_append_str(&out, suffix, NULL);
    return xstrdup(buf_str(&out));
}

/* A part of a URL, to be freed; NULL when it is none or lacks it. */
static char *url_part(const char *url, CURLUPart part)
{
    char *text = NULL, *ret = NULL;
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        abort();
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(parsed, part, &text, 0) == CURLUE_OK)
        ret = xstrdup(text);
    curl_free(text);
    curl_url_cleanup(parsed);
    return ret;
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == 0);
}

int ping_check(const char *url, bool allow_http, Error *err)
{
    _cleanup_free_ char *scheme = url_part(url, CURLUPART_SCHEME), *host = url_part(url, CURLUPART_HOST);
    if (scheme == NULL || host == NULL || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        return error_set(err, ERR_USAGE, "it is no URL that begins with https://");
    if (strcmp(scheme, "https") == 0 || allow_http || is_loopback(host))
        return 0;
    error_set(err, ERR_USAGE, "\"%s\" would be told unencrypted", host);
    return error_hint(err, "Use https://; or say ping-allow-http where the network itself is protected.");
}

/* ---- requests ---- */

static size_t ignore(char *data, size_t size, size_t n, void *ctx)
{
    return size * n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    return stop_check(NULL) < 0;
}

static CURL *new_request(const char *url, const char *text, struct curl_slist **ret_headers)
{
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    *ret_headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    if (curl == NULL || *ret_headers == NULL)
        abort(); /* only without memory */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *ret_headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "kura/" KURA_VERSION);
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, text);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TRY_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    return curl;
}

/* 0, or -1 with *ret_final when another try would end the same way. */
static int try_once(CURL *curl, bool *ret_final, Error *err)
{
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    if (stop_check(err) < 0) {
        *ret_final = true;
        return -1;
    }
    if (code != CURLE_OK) {
        *ret_final = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT;
        return error_set(err, ERR_CONNECTION, "%s", curl_easy_strerror(code));
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 == 2)
        return 0;
    *ret_final = status < 500 && status != 429;
    return error_set(err, ERR_CONNECTION, "the server answered with HTTP status %ld", status);
}

int ping_send(const char *url, const char *text, Error *err)
{
    bool final = false;
    int rc = -1;
    struct curl_slist *headers;
    CURL *curl = new_request(url, text, &headers);
    for (int try = 0; rc < 0 && !final && try < TRIES; try++) {
        if (try > 0)
            poll(NULL, 0, PAUSE_MS << (try - 1));
        rc = try_once(curl, &final, err);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (rc == 0)
        return 0;
    _cleanup_free_ char *host = url_part(url, CURLUPART_HOST);
    return error_wrap(err, "pinging \"%s\"", host ? host : "?");
}
