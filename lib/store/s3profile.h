/* A profile of AWS's shared files: the credentials file and, in its sections "[profile NAME]", the config file. Where
 * both have a setting the credentials file's counts. */
#ifndef KURA_S3PROFILE_H
#define KURA_S3PROFILE_H

#include <stdbool.h>

#include "s3credentials.h"

/* Owned by the caller. NULL where the profile does not say. */
typedef struct S3Profile {
    char *name;
    S3Credentials keys; /* as they are there: unchecked, perhaps half of them */
    char *keys_file;    /* the file that the access key is in */
    bool keys_exposed;  /* and whether everybody on this host may read it */
    char *other_way;    /* the setting that tells another way to credentials, such as "credential_process" */
    char *region;
    char *endpoint;        /* endpoint_url of S3, else of all services */
    bool ignores_endpoint; /* ignore_configured_endpoint_urls */
    char *places;          /* where it was looked for, for people */
} S3Profile;

/* Reads the profile of that name; for NULL the one that AWS_PROFILE names, else "default", which need not exist. The
 * files are those of AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, else ~/.aws/credentials and ~/.aws/config; a file
 * that is not there, or in a home directory that may not be read, counts as empty. ERR_USAGE: a named profile is in
 * neither file, or has a malformed line; else what awsini_read gives. */
int s3profile_read(const char *name, S3Profile *ret, Error *err);
/* Wipes and frees. NULL-safe, and usable with _cleanup_. */
void s3profile_done(S3Profile *profile);

#endif
