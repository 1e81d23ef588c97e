#include "s3request.h"

#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "kura/clock.h"
#include "kura/hash.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "s3retry.h"
#include "s3signed.h"

enum {
    ERROR_BODY_MAX = 64 * 1024,
    EXPECT_MIN = 1024 * 1024, /* a smaller body is sent before anybody is asked */
    WAKE_MAX = 200
};

/* A request under way. */
typedef struct Request {
    S3Client *client;
    const S3Call *call;
    S3Outcome *outcome;
    char sha256[SHA256_HEX_SIZE]; /* of the body, for all attempts */
    char md5[32];                 /* base64; "" without a body */
    S3Target target;              /* of the attempt */
    S3Credentials credentials;    /* of the attempt */
    bool renewed;                 /* the credentials, once for this request */
    double first_failure;         /* 0: none yet */
} Request;

static bool has_body(const S3Call *call)
{
    return strcmp(call->method, "PUT") == 0 || strcmp(call->method, "POST") == 0;
}

static int hash_body(Request *request, Error *err)
{
    const S3Call *call = request->call;
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    sha256_hex(call->body_len ? call->body : "", call->body_len, request->sha256);
    if (!has_body(call))
        return 0;
    if (EVP_Digest(call->body_len ? call->body : "", call->body_len, md5, &len, EVP_md5(), NULL) != 1 || len != 16)
        return error_set(err, ERR_FAILED, "libcrypto refuses to make an MD5 sum, which S3 asks for");
    EVP_EncodeBlock((unsigned char *)request->md5, md5, (int)len);
    return 0;
}

/* One attempt; -1 only for what this side refuses. */
static int attempt(Request *request, Error *err)
{
    S3Client *client = request->client;
    const S3Call *call = request->call;
    S3Outcome *outcome = request->outcome;
    _cleanup_(s3signed_done) S3Signed ready = {0};
    _cleanup_(buf_done) Buf error = BUF_INIT(ERROR_BODY_MAX);
    size_t before = call->out ? call->out->len : 0;
    const S3Wanted wanted = {.method = call->method,
                             .key = call->key,
                             .params = call->params,
                             .n_params = call->n_params,
                             .headers = call->headers,
                             .n_headers = call->n_headers,
                             .sha256 = request->sha256,
                             .md5 = request->md5[0] ? request->md5 : NULL,
                             .expect = call->body_len >= EXPECT_MIN && !client->no_expect};
    s3site_target(client->site, &request->target);
    s3credentials_done(&request->credentials);
    if (s3chain_get(client->chain, &request->credentials, err) < 0 ||
        s3sign(&wanted, client->site, &request->target, client->keys, &request->credentials, &ready, err) < 0)
        return -1;
    const S3Exchange exchange = {.method = call->method,
                                 .url = buf_str(&ready.url),
                                 .headers = (const char *const *)ready.headers,
                                 .body = call->body,
                                 .body_len = call->body_len,
                                 .limit = client->limit,
                                 .out = call->out,
                                 .error = &error,
                                 .accept = call->accept,
                                 .ctx = call->ctx};
    s3http_exchange(client->http, &exchange, &outcome->answer, err);
    outcome->error = (S3Error){0};
    if (outcome->answer.status >= 300)
        s3error_parse(error.data, error.len, &outcome->error);
    else if (call->xml && call->out && call->out->len > before)
        s3error_parse(call->out->data + before, call->out->len - before, &outcome->error);
    return outcome->answer.fault == S3_FAULT_LOCAL ? -1 : 0;
}

static const char *shown(const S3Call *call)
{
    return call->shown ? call->shown : call->key ? call->key : "";
}

static void format_duration(double seconds, char *text, size_t size)
{
    if (seconds < 10)
        snprintf(text, size, "%.1f s", seconds);
    else if (seconds < 120)
        snprintf(text, size, "%.0f s", seconds);
    else
        snprintf(text, size, "%.0f min", seconds / 60);
}

/* "PUT "key": 503 SlowDown: text (request id X), tried 7 times in 5 min". */
static int failure(const Request *request, const S3Meaning *meaning, Error *err)
{
    const S3Outcome *outcome = request->outcome;
    const S3Answer *answer = &outcome->answer;
    const S3Error *error = &outcome->error;
    const char *id = error->request_id[0] ? error->request_id : answer->request_id;
    char what[512], identity[160] = "", tries[80] = "", duration[32];
    if (answer->status >= 300 || error->code[0])
        snprintf(what, sizeof what, "%d%s%s%s%s", answer->status, error->code[0] ? " " : "", error->code,
                 error->message[0] ? ": " : "", error->message);
    else
        snprintf(what, sizeof what, "%s", answer->why[0] ? answer->why : _("no HTTP answer"));
    if (id[0])
        snprintf(identity, sizeof identity, _(" (request id %s)"), id);
    if (outcome->tries > 1) {
        format_duration(clock_monotonic() - request->first_failure, duration, sizeof duration);
        snprintf(tries, sizeof tries, _(", tried %u times in %s"), outcome->tries, duration);
    }
    error_set(err, meaning->code, "%s \"%s\": %s%s%s", request->call->method, shown(request->call), what, identity,
              tries);
    return meaning->hint ? error_hint(err, "%s", words_get(meaning->hint)) : -1;
}

/* What the answer teaches; whether the next attempt can be made at once. */
static bool learn(Request *request, S3Remedy remedy)
{
    S3Client *client = request->client;
    const S3Answer *answer = &request->outcome->answer;
    const S3Error *error = &request->outcome->error;
    const char *region = answer->region[0] ? answer->region : error->region;
    switch (remedy) {
    case S3_REMEDY_REGION:
        return s3site_learn_region(client->site, &request->target, region);
    case S3_REMEDY_CLOCK:
        return s3site_learn_clock(client->site, &request->target, answer->date, time(NULL));
    case S3_REMEDY_CREDENTIALS:
        return !request->renewed && (request->renewed = s3chain_renew(client->chain, &request->credentials));
    case S3_REMEDY_STYLE:
        return s3site_learn_style(client->site, &request->target);
    case S3_REMEDY_REDIRECT:
        return (region[0] && s3site_learn_region(client->site, &request->target, region)) ||
               s3site_learn_endpoint(client->site, &request->target,
                                     answer->location[0] ? answer->location : error->endpoint);
    case S3_REMEDY_NO_EXPECT:
        return !atomic_exchange(&client->no_expect, true);
    case S3_REMEDY_NONE:
    case S3_REMEDY_WAIT:
        break;
    }
    return false;
}

/* A host made of bucket and endpoint that has no address or no certificate: such a server wants the path style. */
static bool style_failed(const Request *request)
{
    S3Fault fault = request->outcome->answer.fault;
    return !request->client->reached && request->target.virtual_host &&
           (fault == S3_FAULT_DNS || fault == S3_FAULT_CERTIFICATE);
}

int s3request_wait(unsigned milliseconds, Error *err)
{
    double until = clock_monotonic() + milliseconds / 1000.0, left;
    while ((left = until - clock_monotonic()) > 0) {
        if (stop_check(err) < 0)
            return -1;
        struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
        poll(&stop, 1, left * 1000 > WAKE_MAX ? WAKE_MAX : (int)(left * 1000) + 1);
    }
    return stop_check(err);
}

/* After an attempt that failed: 0 to make the next one, or -1 when this was the last. */
static int prepare_next(Request *request, const S3Meaning *meaning, Error *err)
{
    S3Client *client = request->client;
    const S3Answer *answer = &request->outcome->answer;
    unsigned retry = s3http_times(client->http)->retry, random = 0;
    double now = clock_monotonic();
    if (request->first_failure <= 0)
        request->first_failure = now;
    double until = request->first_failure + s3retry_patience(retry, client->reached, stop_signal() != 0) / 1000.0;
    if (now <= until && (learn(request, meaning->remedy) ||
                         (style_failed(request) && s3site_learn_style(client->site, &request->target))))
        return 0;
    bool temporary = meaning->remedy == S3_REMEDY_WAIT || answer->status == 302 || answer->status == 307;
    if (!temporary)
        return failure(request, meaning, err);
    if (getrandom(&random, sizeof random, 0) < 0)
        random = (unsigned)(now * 1000);
    unsigned delay = s3retry_delay(request->outcome->tries, answer, random);
    if (now + delay / 1000.0 > until)
        return failure(request, meaning, err);
    return s3request_wait(delay, err);
}

static void note_attempt(Request *request, double start)
{
    const S3Call *call = request->call;
    const S3Answer *answer = &request->outcome->answer;
    const S3Error *error = &request->outcome->error;
    if (answer->status > 0)
        request->client->reached = true;
    if (answer->status >= 200 && answer->status < 300 && !answer->continued && call->body_len >= EXPECT_MIN)
        request->client->no_expect = true; /* asking costs a second here */
    log_debug("S3 %s \"%s\": %d%s%s%s%s, %.0f ms, attempt %u", call->method, shown(call), answer->status,
              error->code[0] ? " " : "", error->code, answer->fault ? " " : "", answer->fault ? answer->why : "",
              (clock_monotonic() - start) * 1000, request->outcome->tries);
}

static void forget_body(const S3Call *call, size_t len)
{
    if (call->out == NULL || call->out->data == NULL)
        return;
    call->out->len = len;
    call->out->data[len] = 0;
}

static int try_until_over(Request *request, Error *err)
{
    S3Client *client = request->client;
    S3Outcome *outcome = request->outcome;
    size_t before = request->call->out ? request->call->out->len : 0;
    for (;;) {
        double start = clock_monotonic();
        if (stop_check(err) < 0)
            return -1;
        outcome->ambiguous = outcome->ambiguous || (outcome->tries > 0 && s3retry_ambiguous(&outcome->answer));
        outcome->tries++;
        outcome->answer = (S3Answer){0};
        int rc = attempt(request, err);
        outcome->ambiguous = outcome->ambiguous || outcome->answer.resent;
        note_attempt(request, start);
        S3Meaning meaning = s3retry_meaning(&outcome->answer, &outcome->error, client->reached);
        if (rc == 0 && meaning.code == ERR_NONE)
            return 0;
        forget_body(request->call, before);
        if (rc < 0 || prepare_next(request, &meaning, err) < 0)
            return -1;
    }
}

int s3request(S3Client *client, const S3Call *call, S3Outcome *ret, Error *err)
{
    Request request = {.client = client, .call = call, .outcome = ret};
    *ret = (S3Outcome){0};
    int rc = hash_body(&request, err) < 0 ? -1 : try_until_over(&request, err);
    s3credentials_done(&request.credentials);
    return rc;
}
