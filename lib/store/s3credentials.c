#include "s3credentials.h"

#include <stdbool.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "secrettext.h"

enum { KEY_MAX = 1024, TOKEN_MAX = 16 * 1024 };

static char *copy(const char *text)
{
    return text && text[0] ? xstrdup(text) : NULL;
}

S3Credentials s3credentials_new(const char *access_key, const char *secret_key, const char *session_token)
{
    return (S3Credentials){
        .access_key = copy(access_key), .secret_key = copy(secret_key), .session_token = copy(session_token)};
}

S3Credentials s3credentials_copy(const S3Credentials *credentials)
{
    S3Credentials result =
        s3credentials_new(credentials->access_key, credentials->secret_key, credentials->session_token);
    result.expires = credentials->expires;
    return result;
}

void s3credentials_done(S3Credentials *credentials)
{
    if (credentials == NULL)
        return;
    secrettext_free(credentials->access_key);
    secrettext_free(credentials->secret_key);
    secrettext_free(credentials->session_token);
    *credentials = (S3Credentials){0};
}

/* Whether text is made of visible ASCII characters. */
static bool sound(const char *text, size_t max, const char *refused)
{
    size_t len = strlen(text);
    if (len > max || strpbrk(text, refused))
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

int s3credentials_check(const S3Credentials *credentials, const char *source, Error *err)
{
    const char *missing = credentials->access_key == NULL   ? _("access key")
                          : credentials->secret_key == NULL ? _("secret key")
                                                            : NULL;
    if (missing)
        return error_set(err, ERR_USAGE, "half of the S3 credentials is missing: %s gives no %s", source, missing);
    /* A comma or a slash would end the access key within the Authorization header. */
    const char *bad = !sound(credentials->access_key, KEY_MAX, ",/") ? _("access key")
                      : !sound(credentials->secret_key, KEY_MAX, "") ? _("secret key")
                      : credentials->session_token && !sound(credentials->session_token, TOKEN_MAX, "")
                          ? _("session token")
                          : NULL;
    if (bad)
        return error_set(err, ERR_USAGE, "the S3 %s from %s is too long or has characters that no such key has", bad,
                         source);
    return 0;
}
