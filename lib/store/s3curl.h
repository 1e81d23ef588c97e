/* Handles of libcurl. */
#ifndef KURA_S3CURL_H
#define KURA_S3CURL_H

#include <curl/curl.h>

/* A handle, to be freed with curl_easy_cleanup(); the first call sets the library up. Aborts without memory, for which
 * alone it fails. */
CURL *s3curl_new(void);

#endif
