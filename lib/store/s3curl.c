#include "s3curl.h"

#include <pthread.h>
#include <stdlib.h>

static void set_up(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

CURL *s3curl_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        abort();
    return curl;
}
