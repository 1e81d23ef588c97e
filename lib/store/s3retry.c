#include "s3retry.h"

#include <limits.h>

enum {
    DELAY_FIRST = 100,
    DELAY_FIRST_SLOW = 500,
    DELAY_MAX = 20 * 1000,
    BELIEVED_MAX = 60, /* seconds of Retry-After */
    UNREACHED_MAX = 15 * 1000
};

S3Meaning s3retry_meaning(const S3Answer *answer, const S3Error *error, bool reached)
{
    if (answer->fault == S3_FAULT_LOCAL)
        return s3fault_meaning(answer->fault, reached);
    if (error->code[0] || answer->status >= 300)
        return s3error_meaning(error, answer->status);
    if (answer->fault != S3_FAULT_NONE)
        return s3fault_meaning(answer->fault, reached);
    if (answer->status >= 200)
        return (S3Meaning){ERR_NONE, S3_REMEDY_NONE, NULL};
    return s3fault_meaning(S3_FAULT_PROTOCOL, reached);
}

bool s3retry_ambiguous(const S3Answer *answer)
{
    return answer->sent && (answer->status < 300 || answer->status >= 500);
}

unsigned s3retry_delay(unsigned tries, const S3Answer *answer, unsigned random)
{
    unsigned delay = answer->status == 503 || answer->status == 429 ? DELAY_FIRST_SLOW : DELAY_FIRST;
    for (unsigned i = 1; i < tries && delay < DELAY_MAX; i++)
        delay *= 2;
    if (delay > DELAY_MAX)
        delay = DELAY_MAX;
    delay -= random % (delay / 2 + 1);
    unsigned asked = answer->retry_after < BELIEVED_MAX ? answer->retry_after : BELIEVED_MAX;
    return delay > asked * 1000 ? delay : asked * 1000 + delay / 8;
}

unsigned s3retry_patience(unsigned retry, bool reached, bool hurried)
{
    unsigned most = hurried ? S3RETRY_HURRIED_MAX : reached ? UINT_MAX : UNREACHED_MAX;
    return retry < most ? retry : most;
}
