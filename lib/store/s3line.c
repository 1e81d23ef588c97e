/* The limits are kept by a clock of our own: libcurl's low-speed limit averages over so long that a black hole is
 * noticed late. */
#include "s3line.h"

#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "s3curl.h"
#include "s3line_priv.h"
#include "s3retry.h"

enum { BUFFER_SIZE = 256 * 1024, EXPECT_MAX = 1000 /* milliseconds that a server is given to ask for a body */ };

S3Line *s3line_new(void)
{
    S3Line *line = xcalloc(1, sizeof *line);
    memset(line->sockets, -1, sizeof line->sockets);
    line->easy = s3curl_new();
    line->multi = curl_multi_init();
    if (line->multi == NULL)
        abort();
    return line;
}

void s3line_free(S3Line *line)
{
    curl_easy_cleanup(line->easy);
    curl_multi_cleanup(line->multi);
    free(line);
}

static void set_connection(S3Line *line)
{
    const S3LineSettings *settings = line->settings;
    CURL *easy = line->easy;
    unsigned stall = settings->times.stall;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a stop does not wait for a resolver */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)line->settings->times.connect);
    curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)(stall > 2 * EXPECT_MAX ? EXPECT_MAX : stall / 2));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    if (settings->ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (settings->direct)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static void set_request(S3Line *line)
{
    const S3Exchange *exchange = line->exchange;
    CURL *easy = line->easy;
    for (size_t i = 0; exchange->headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(line->headers, exchange->headers[i]);
        if (longer == NULL)
            abort();
        line->headers = longer;
    }
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, line->headers);
    if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->body_len);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    }
}

/* The Authorization header and a session token are in there. */
static void wipe_headers(S3Line *line)
{
    for (struct curl_slist *at = line->headers; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(line->headers);
    line->headers = NULL;
}

/* Seconds without a byte that are borne. */
static double stall_max(const S3Line *line)
{
    unsigned stall = line->settings->times.stall;
    return (stop_signal() != 0 && stall > S3RETRY_HURRIED_MAX ? S3RETRY_HURRIED_MAX : stall) / 1000.0;
}

/* Whether the attempt must end now; the fault is then noted. */
static bool check_limits(S3Line *line)
{
    char why[80];
    if (stop_check(line->err) < 0) {
        line->local = true;
        return true;
    }
    s3line_watch(line);
    double now = clock_monotonic();
    if (now - line->moved > stall_max(line)) {
        snprintf(why, sizeof why, _("no byte moved for %g s"), stall_max(line));
        s3line_fault(line, S3_FAULT_STALL, why);
        return true;
    }
    if (now - line->start > line->allowed) {
        snprintf(why, sizeof why, _("not done after %.0f s"), now - line->start);
        s3line_fault(line, S3_FAULT_TOTAL, why);
        return true;
    }
    return false;
}

/* Until libcurl is done (its verdict) or a limit is reached (CURLE_OK, with the fault noted). */
static CURLcode run(S3Line *line)
{
    for (;;) {
        int running, left;
        if (curl_multi_perform(line->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running == 0) {
            CURLMsg *message = curl_multi_info_read(line->multi, &left);
            return message ? message->data.result : CURLE_FAILED_INIT;
        }
        if (check_limits(line))
            return CURLE_OK;
        struct curl_waitfd stop = {.fd = stop_fd(), .events = CURL_WAIT_POLLIN};
        curl_multi_poll(line->multi, &stop, stop.fd >= 0, S3LINE_WAKE_MAX, NULL);
    }
}

static S3Fault fault_of(CURLcode code, const S3Line *line)
{
    switch (code) {
    case CURLE_OK:
        return line->headers_done ? S3_FAULT_NONE : S3_FAULT_PROTOCOL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return S3_FAULT_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return S3_FAULT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
        return S3_FAULT_HANDSHAKE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return S3_FAULT_CERTIFICATE;
    case CURLE_PARTIAL_FILE:
        return S3_FAULT_SHORT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return S3_FAULT_LOST;
    default:
        return S3_FAULT_PROTOCOL;
    }
}

/* Forgets the attempt before. */
static void begin(S3Line *line, const S3LineSettings *settings, const S3Exchange *exchange, S3Answer *answer,
                  Error *err)
{
    *answer = (S3Answer){0};
    line->settings = settings;
    line->exchange = exchange;
    line->answer = answer;
    line->err = err;
    line->local = line->headers_done = false;
    line->sent = line->dropped = 0;
    line->start = line->moved = clock_monotonic();
    line->allowed = settings->times.total / 1000.0 + (double)exchange->body_len / S3LINE_BYTES_PER_SECOND;
}

void s3line_exchange(S3Line *line, const S3LineSettings *settings, const S3Exchange *exchange, S3Answer *ret,
                     Error *err)
{
    char words[CURL_ERROR_SIZE] = "";
    begin(line, settings, exchange, ret, err);
    curl_easy_reset(line->easy);
    set_connection(line);
    s3line_set_callbacks(line);
    set_request(line);
    curl_easy_setopt(line->easy, CURLOPT_ERRORBUFFER, words);
    curl_multi_add_handle(line->multi, line->easy);
    CURLcode code = run(line);
    curl_multi_remove_handle(line->multi, line->easy);
    curl_easy_setopt(line->easy, CURLOPT_ERRORBUFFER, NULL);
    wipe_headers(line);
    if (line->local)
        s3line_fault(line, S3_FAULT_LOCAL, "refused");
    else if (ret->fault == S3_FAULT_NONE && fault_of(code, line) != S3_FAULT_NONE)
        s3line_fault(line, fault_of(code, line), words[0] ? words : curl_easy_strerror(code));
}
