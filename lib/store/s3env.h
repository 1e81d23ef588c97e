/* The environment variables of AWS's programs. */
#ifndef KURA_S3ENV_H
#define KURA_S3ENV_H

#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

/* A variable's value; NULL for one that is not set or empty, which AWS's programs take for the same. */
static inline const char *s3env(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* Whether a variable is "true". */
static inline bool s3env_true(const char *name)
{
    const char *value = s3env(name);
    return value && strcasecmp(value, "true") == 0;
}

#endif
