#include "s3metadata.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "s3env.h"
#include "s3fetch.h"
#include "secrettext.h"

#define CONTAINER_HOST "http://169.254.170.2"
#define INSTANCE_HOST "http://169.254.169.254"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

enum { TOKEN_MAX = 16 * 1024, ROLE_MAX = 64, ADDRESS_TEXT_MAX = 64 };

DEFINE_CLEANUP(CURLU, curl_url_cleanup)

/* The address of a URL's host, [v6] without its brackets, is one of those that AWS's own programs trust with http. */
static bool address_trusted(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6, eks;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || strcmp(host, "169.254.170.2") == 0 ||
               strcmp(host, "169.254.170.23") == 0;
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return strcasecmp(host, "localhost") == 0;
    inet_pton(AF_INET6, "fd00:ec2::23", &eks);
    return IN6_IS_ADDR_LOOPBACK(&v6) || memcmp(&v6, &eks, sizeof v6) == 0;
}

static bool host_trusted(const char *host)
{
    size_t len = strlen(host);
    char address[ADDRESS_TEXT_MAX];
    if (host[0] != '[' || len < 2 || len >= sizeof address)
        return address_trusted(host);
    memcpy(address, host + 1, len - 2);
    address[len - 2] = 0;
    return address_trusted(address);
}

static bool url_trusted(const char *url)
{
    _cleanup_(curl_url_cleanup_cleanup) CURLU *parsed = curl_url();
    char *scheme = NULL, *host = NULL;
    bool ok = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && host_trusted(host)));
    curl_free(scheme);
    curl_free(host);
    return ok;
}

int s3container_url(char **ret_url, Error *err)
{
    const char *relative = s3env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = s3env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative && relative[0] != '/')
        return error_set(err, ERR_USAGE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with \"/\"");
    if (relative == NULL && full && !url_trusted(full)) {
        error_set(err, ERR_USAGE, "AWS_CONTAINER_CREDENTIALS_FULL_URI is no address that may be asked for credentials");
        return error_hint(err, "It must be an https URL, or http to this machine or to the address of ECS or EKS.");
    }
    *ret_url = relative ? xasprintf(CONTAINER_HOST "%s", relative) : xstrdup_null(full);
    return 0;
}

/* The value of the Authorization header that the environment names; NULL when it names none. */
static int container_token(char **ret, Error *err)
{
    const char *path = s3env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    _cleanup_(secrettext_free_cleanup) char *token = NULL;
    if (path == NULL)
        token = xstrdup_null(s3env("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    else if (secrettext_read(path, TOKEN_MAX, &token, NULL, err) < 0)
        return -1;
    if (path && token[0] && token[strlen(token) - 1] == '\n')
        token[strlen(token) - 1] = 0;
    if (token && strpbrk(token, "\r\n"))
        return error_set(err, ERR_USAGE, "the token for the container's credentials has more than one line");
    *ret = steal(token);
    return 0;
}

/* "2026-11-22T03:15:00Z", some with a fraction of the second; -1 for anything else. */
static time_t parse_moment(const char *text)
{
    char exact[sizeof "2026-11-22T03:15:00Z"];
    size_t seconds = sizeof exact - 2;
    size_t len = strlen(text);
    if (len <= seconds || text[len - 1] != 'Z')
        return -1;
    if (text[seconds] == '.' && strspn(text + seconds + 1, "0123456789") != len - seconds - 2)
        return -1;
    if (text[seconds] != '.' && len != seconds + 1)
        return -1;
    snprintf(exact, sizeof exact, "%.*sZ", (int)seconds, text);
    return clock_parse_utc(exact);
}

static const char *string_of(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int read_object(json_t *object, S3Credentials *credentials, Error *err)
{
    const char *code = string_of(object, "Code");
    if (code && strcmp(code, "Success") != 0)
        return error_set(err, ERR_SERVER, "the answer tells a failure instead of credentials");
    const char *expires = string_of(object, "Expiration");
    *credentials = s3credentials_new(string_of(object, "AccessKeyId"), string_of(object, "SecretAccessKey"),
                                     string_of(object, "Token"));
    credentials->expires = expires ? parse_moment(expires) : 0;
    if (credentials->expires < 0)
        return error_set(err, ERR_CORRUPT, "the answer's moment of expiration is malformed");
    if (s3credentials_check(credentials, _("the answer"), err) < 0) {
        if (err)
            err->code = ERR_CORRUPT;
        return -1;
    }
    return 0;
}

static void wipe_strings(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) if (json_is_string(value))
        OPENSSL_cleanse((char *)json_string_value(value), json_string_length(value));
}

static int parse_answer(const char *text, S3Credentials *ret, Error *err)
{
    json_t *object = json_loads(text, 0, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(err, ERR_CORRUPT, "the answer is not a JSON object");
    }
    S3Credentials credentials = {0};
    int rc = read_object(object, &credentials, err);
    wipe_strings(object);
    json_decref(object);
    if (rc == 0)
        *ret = credentials;
    else
        s3credentials_done(&credentials);
    return rc;
}

static int fetch(const char *method, const char *url, const char *header, S3Patience patience, char **ret_body,
                 Error *err)
{
    const S3Fetch request = {
        .method = method, .url = url, .header = header, .connect = patience.connect, .total = patience.total};
    return s3fetch(&request, ret_body, err);
}

int s3container_fetch(const char *url, S3Patience patience, S3Credentials *ret, Error *err)
{
    _cleanup_(secrettext_free_cleanup) char *token = NULL;
    _cleanup_(secrettext_free_cleanup) char *header = NULL;
    _cleanup_(secrettext_free_cleanup) char *body = NULL;
    if (container_token(&token, err) < 0)
        return -1;
    if (token)
        header = xasprintf("Authorization: %s", token);
    if (fetch("GET", url, header, patience, &body, err) < 0)
        return -1;
    return parse_answer(body, ret, err);
}

char *s3instance_url(void)
{
    if (s3env_true("AWS_EC2_METADATA_DISABLED"))
        return NULL;
    const char *endpoint = s3env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    char *url = xstrdup(endpoint ? endpoint : INSTANCE_HOST);
    size_t len = strlen(url);
    if (url[len - 1] == '/')
        url[len - 1] = 0;
    return url;
}

/* The first line of the list of roles: an instance has one. */
static int check_role(char *role, Error *err)
{
    role[strcspn(role, "\r\n")] = 0;
    size_t len = strlen(role);
    if (len == 0)
        return error_set(err, ERR_SERVER, "the instance has no role");
    if (len > ROLE_MAX || strspn(role, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") != len)
        return error_set(err, ERR_CORRUPT, "the answer is no name of a role");
    return 0;
}

int s3instance_fetch(const char *url, S3Patience patience, S3Credentials *ret, Error *err)
{
    _cleanup_free_ char *token_url = xasprintf("%s/latest/api/token", url);
    _cleanup_free_ char *roles_url = xasprintf("%s" ROLES_PATH, url);
    _cleanup_(secrettext_free_cleanup) char *token = NULL;
    _cleanup_(secrettext_free_cleanup) char *header = NULL;
    _cleanup_(secrettext_free_cleanup) char *body = NULL;
    _cleanup_free_ char *role = NULL;
    if (fetch("PUT", token_url, "X-aws-ec2-metadata-token-ttl-seconds: 300", patience, &token, err) < 0)
        return error_wrap(err, "asking for a token");
    if (token[0] == 0 || strpbrk(token, "\r\n"))
        return error_set(err, ERR_CORRUPT, "the answer is no token");
    header = xasprintf("X-aws-ec2-metadata-token: %s", token);
    if (fetch("GET", roles_url, header, patience, &role, err) < 0 || check_role(role, err) < 0)
        return error_wrap(err, "asking for the instance's role");
    _cleanup_free_ char *role_url = xasprintf("%s%s", roles_url, role);
    if (fetch("GET", role_url, header, patience, &body, err) < 0 || parse_answer(body, ret, err) < 0)
        return error_wrap(err, "asking for the credentials of role \"%s\"", role);
    return 0;
}
