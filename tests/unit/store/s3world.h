/* An S3 store that talks to a scripted server. Everything it logs is kept, to be searched for secrets. */
#ifndef KURA_TEST_STORE_S3WORLD_H
#define KURA_TEST_STORE_S3WORLD_H

#include "httpd.h"
#include "kura/store.h"

#define S3WORLD_SECRET "topSecretKey/hidden"
#define S3WORLD_TOKEN "sessionToken/hidden"

typedef struct S3World {
    Httpd *httpd;
    Store *store; /* s3://bucket/pre fix */
    Error err;
} S3World;

/* Starts a server with these answers and opens the store: path style, region us-east-1, with a session token. Stalls
 * after 0.3 s; gives up a second after the first failure. options: more of them, or NULL. */
void s3world_open(S3World *world, const HttpAnswer *answers, size_t n, const StoreOptions *options);
/* Ends both. Fails when a secret was logged or stands in the error. */
void s3world_close(S3World *world);
/* Everything logged since s3world_open, before s3world_close. */
const char *s3world_log(void);

#define S3_ERROR(line, code)                                                                                           \
    {                                                                                                                  \
        .status = line, .body = "<Error><Code>" code "</Code><RequestId>id-1</RequestId></Error>"                      \
    }
#define S3_PUT_OK                                                                                                      \
    {                                                                                                                  \
        .status = "200 OK", .header = "ETag: \"x\""                                                                    \
    }
#define S3_GET_OK                                                                                                      \
    {                                                                                                                  \
        .status = "200 OK", .body = "hello"                                                                            \
    }
#define S3_PART_OK                                                                                                     \
    {                                                                                                                  \
        .status = "206 Partial Content", .body = "ell", .header = "Content-Range: bytes 1-3/5"                         \
    }
#define S3_DELETE_OK                                                                                                   \
    {                                                                                                                  \
        .status = "204 No Content"                                                                                     \
    }
#define S3_LIST_OK                                                                                                     \
    {                                                                                                                  \
        .status = "200 OK",                                                                                            \
        .body = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>pre fix/a</Key><Size>5</Size>"       \
                "</Contents></ListBucketResult>"                                                                       \
    }

#endif
