#include "s3error.h"

#include <ctype.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "s3xml.h"

#define HINT_ACCESS                                                                                                    \
    N_("Allow the key s3:ListBucket on the bucket, and s3:GetObject and s3:PutObject on the objects below the "        \
       "prefix; "                                                                                                      \
       "s3:DeleteObject only where prune runs.")
#define HINT_SECRET N_("The secret key does not belong to the access key, or a proxy on the way changes requests.")
#define HINT_KEY                                                                                                       \
    N_("The provider does not know this access key: look at the key's name, and at the endpoint it is for.")
#define HINT_TOKEN N_("Get new temporary credentials, or use a lasting key pair.")
#define HINT_BUCKET                                                                                                    \
    N_("Make the bucket first, with the provider's own tools; look at the bucket's name and the endpoint.")
#define HINT_REGION N_("Set s3-region to the region of the bucket.")
#define HINT_CLOCK N_("Set this host's clock; time synchronisation seems to be off.")
#define HINT_ENDPOINT N_("Set s3-endpoint and s3-region to those of the bucket.")
#define HINT_STYLE N_("Try the other s3-path-style.")
#define HINT_FULL N_("Ask the provider for more space, or free some; what was stored before is unharmed.")
#define HINT_LOCK N_("The object is protected by Object Lock until its retention is over.")
#define HINT_LOAD N_("The server is overloaded or being repaired; try again later, perhaps with fewer --jobs.")

static const struct {
    const char *code; /* NULL: any with this status */
    int status;       /* 0: any with this code */
    S3Meaning meaning;
} meanings[] = {
    {"AccessDenied", 0, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_ACCESS}},
    {"AllAccessDisabled", 0, {ERR_PERMISSION, S3_REMEDY_NONE, N_("Ask the provider why the account is blocked.")}},
    {"AccountProblem", 0, {ERR_PERMISSION, S3_REMEDY_NONE, N_("Ask the provider why the account is blocked.")}},
    {"UserSuspended", 0, {ERR_PERMISSION, S3_REMEDY_NONE, N_("Ask the provider why the account is blocked.")}},
    {"SignatureDoesNotMatch", 0, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_SECRET}},
    {"InvalidAccessKeyId", 0, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_KEY}},
    {"ExpiredToken", 0, {ERR_PERMISSION, S3_REMEDY_CREDENTIALS, HINT_TOKEN}},
    {"TokenRefreshRequired", 0, {ERR_PERMISSION, S3_REMEDY_CREDENTIALS, HINT_TOKEN}},
    {"InvalidToken", 0, {ERR_PERMISSION, S3_REMEDY_CREDENTIALS, HINT_TOKEN}},
    {"RequestTimeTooSkewed", 0, {ERR_PERMISSION, S3_REMEDY_CLOCK, HINT_CLOCK}},
    {"RequestExpired", 0, {ERR_PERMISSION, S3_REMEDY_CLOCK, HINT_CLOCK}},
    {"AuthorizationHeaderMalformed", 0, {ERR_USAGE, S3_REMEDY_REGION, HINT_REGION}},
    {"IllegalLocationConstraintException", 0, {ERR_USAGE, S3_REMEDY_REGION, HINT_REGION}},
    {"IncorrectEndpoint", 0, {ERR_USAGE, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {"PermanentRedirect", 0, {ERR_USAGE, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {"TemporaryRedirect", 0, {ERR_SERVER, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {"Redirect", 0, {ERR_SERVER, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {"SecondLevelDomainForbidden", 0, {ERR_USAGE, S3_REMEDY_STYLE, HINT_STYLE}},
    {"PathStyleDomainForbidden", 0, {ERR_USAGE, S3_REMEDY_STYLE, HINT_STYLE}},
    {"NoSuchBucket", 0, {ERR_NO_REPOSITORY, S3_REMEDY_NONE, HINT_BUCKET}},
    {"InvalidBucketName", 0, {ERR_USAGE, S3_REMEDY_NONE, HINT_BUCKET}},
    {"NoSuchKey", 0, {ERR_NOT_FOUND, S3_REMEDY_NONE, NULL}},
    {"KeyTooLongError", 0, {ERR_USAGE, S3_REMEDY_NONE, N_("Use a shorter prefix.")}},
    {"InvalidObjectState",
     0,
     {ERR_SERVER, S3_REMEDY_NONE, N_("The object was moved to an archive tier; restore it there first.")}},
    {"PreconditionFailed", 0, {ERR_EXISTS, S3_REMEDY_NONE, NULL}},
    {"ObjectLocked", 0, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_LOCK}},
    {"InvalidRetentionPeriod", 0, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_LOCK}},
    {"NotImplemented", 0, {ERR_UNSUPPORTED, S3_REMEDY_NONE, NULL}},
    {"QuotaExceeded", 0, {ERR_IO, S3_REMEDY_NONE, HINT_FULL}},
    {"StorageFull", 0, {ERR_IO, S3_REMEDY_NONE, HINT_FULL}},
    {"XMinioStorageFull", 0, {ERR_IO, S3_REMEDY_NONE, HINT_FULL}},
    {"ConditionalRequestConflict", 0, {ERR_SERVER, S3_REMEDY_WAIT, NULL}},
    {"OperationAborted", 0, {ERR_SERVER, S3_REMEDY_WAIT, NULL}},
    {"ConcurrentModification", 0, {ERR_SERVER, S3_REMEDY_WAIT, NULL}},
    {"BadDigest",
     0,
     {ERR_SERVER, S3_REMEDY_WAIT, N_("Something on the way damages data: look at proxies and at this host's memory.")}},
    {"XAmzContentSHA256Mismatch",
     0,
     {ERR_SERVER, S3_REMEDY_WAIT, N_("Something on the way damages data: look at proxies and at this host's memory.")}},
    {"IncompleteBody", 0, {ERR_CONNECTION, S3_REMEDY_WAIT, NULL}},
    {"RequestTimeout", 0, {ERR_CONNECTION, S3_REMEDY_WAIT, NULL}},
    {"InternalError", 0, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {"ServiceUnavailable", 0, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {"SlowDown", 0, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {"TooManyRequests", 0, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {"Throttling", 0, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {NULL, 301, {ERR_USAGE, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {NULL, 302, {ERR_SERVER, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {NULL, 307, {ERR_SERVER, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {NULL, 308, {ERR_USAGE, S3_REMEDY_REDIRECT, HINT_ENDPOINT}},
    {NULL, 401, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_ACCESS}},
    {NULL, 403, {ERR_PERMISSION, S3_REMEDY_NONE, HINT_ACCESS}},
    {NULL, 404, {ERR_NOT_FOUND, S3_REMEDY_NONE, NULL}},
    {NULL, 408, {ERR_CONNECTION, S3_REMEDY_WAIT, NULL}},
    {NULL, 412, {ERR_EXISTS, S3_REMEDY_NONE, NULL}},
    {NULL, 416, {ERR_TRUNCATED, S3_REMEDY_NONE, NULL}},
    {NULL, 417, {ERR_SERVER, S3_REMEDY_NO_EXPECT, NULL}},
    {NULL, 429, {ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD}},
    {NULL, 501, {ERR_UNSUPPORTED, S3_REMEDY_NONE, NULL}},
    {NULL, 507, {ERR_IO, S3_REMEDY_NONE, HINT_FULL}},
};

S3Meaning s3error_meaning(const S3Error *error, int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
        if (meanings[i].code ? strcmp(meanings[i].code, error->code) == 0 : meanings[i].status == status)
            return meanings[i].meaning;
    if (status >= 500)
        return (S3Meaning){ERR_SERVER, S3_REMEDY_WAIT, HINT_LOAD};
    return (S3Meaning){ERR_SERVER, S3_REMEDY_NONE, status < 300 ? HINT_ENDPOINT : NULL};
}

S3Meaning s3fault_meaning(S3Fault fault, bool reached)
{
    static const S3Meaning again = {ERR_CONNECTION, S3_REMEDY_WAIT, N_("Look at the network, and at the S3 server.")};
    static const S3Meaning address = {ERR_CONNECTION, S3_REMEDY_NONE, N_("Look at s3-endpoint, and at the network.")};
    static const S3Meaning proof = {
        ERR_CONNECTION, S3_REMEDY_NONE,
        N_("Give s3-ca the certificate of the authority when it is a private one; the name must be the endpoint's.")};
    switch (fault) {
    case S3_FAULT_CERTIFICATE:
        return proof;
    case S3_FAULT_DNS:
    case S3_FAULT_HANDSHAKE:
    case S3_FAULT_PROTOCOL:
        return reached ? again : address;
    case S3_FAULT_LOCAL:
        return (S3Meaning){ERR_FAILED, S3_REMEDY_NONE, NULL};
    case S3_FAULT_NONE:
    case S3_FAULT_CONNECT:
    case S3_FAULT_LOST:
    case S3_FAULT_SHORT:
    case S3_FAULT_STALL:
    case S3_FAULT_TOTAL:
        break;
    }
    return again;
}

static bool code_valid(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '.')
            return false;
    return len > 0 && len < sizeof((S3Error *)0)->code;
}

static int take_element(void *ctx, const char *path, const char *text, Error *err)
{
    (void)err;
    S3Error *error = ctx;
    size_t len = strlen(text);
    if (strcmp(path, "Error/Code") == 0 && code_valid(text))
        s3answer_copy(error->code, sizeof error->code, text, len);
    else if (strcmp(path, "Error/Message") == 0)
        s3answer_copy(error->message, sizeof error->message, text, len);
    else if (strcmp(path, "Error/Region") == 0 && s3region_valid(text))
        s3answer_copy(error->region, sizeof error->region, text, len);
    else if (strcmp(path, "Error/Endpoint") == 0 && len < sizeof error->endpoint)
        s3answer_copy(error->endpoint, sizeof error->endpoint, text, len);
    else if (strcmp(path, "Error/RequestId") == 0)
        s3answer_copy(error->request_id, sizeof error->request_id, text, len);
    return 0;
}

bool s3error_parse(const void *data, size_t len, S3Error *ret)
{
    *ret = (S3Error){0};
    if (len == 0 || s3xml_parse(data, len, take_element, ret, NULL) < 0)
        *ret = (S3Error){0};
    return ret->code[0] != 0;
}
