/* Where the credentials of an S3 store come from. The sources, in this order, as AWS's own programs have them:
 *   1. StoreOptions: s3_access_key and s3_secret_key, s3_session_token
 *   2. the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; not when s3_profile is given
 *   3. the shared files: the profile s3_profile, else AWS_PROFILE, else "default", of AWS_SHARED_CREDENTIALS_FILE
 *      (~/.aws/credentials) and of AWS_CONFIG_FILE (~/.aws/config)
 *   4. a container's endpoint: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
 *   5. the instance metadata service of EC2, version 2 alone; not with AWS_EC2_METADATA_DISABLED=true
 * Secrets are never part of a message and are wiped when freed. */
#ifndef KURA_S3CRED_H
#define KURA_S3CRED_H

#include "kura/store.h"
#include "s3credentials.h"

/* The sources of one store. Thread-safe. */
typedef struct S3Chain S3Chain;

/* Looks at options, environment and files, and makes no request. Options are copied. ERR_USAGE: half a key pair, a
 * value that no header can carry, a named profile that is not there, a malformed line in it, a container's URL that may
 * not be asked. ERR_UNSUPPORTED: a profile whose credentials come from a program, single sign-on or an assumed role.
 * ERR_PERMISSION, ERR_CORRUPT, ERR_IO: a file that cannot be read. */
int s3chain_open(const StoreOptions *options, S3Chain **ret, Error *err);
/* Wipes and frees. NULL-safe. */
void s3chain_close(S3Chain *chain);

/* Gives a copy of credentials that are good for minutes to come; those that expire are fetched again in time, and the
 * old ones are given as long as they last while that fails. May make requests to sources 4 and 5: a second when nobody
 * is there, twelve at most. ERR_PERMISSION: there are none; the hint names every source that was looked at. Other
 * errors: the source that has them failed, after a second try where that could help. ERR_INTERRUPTED. */
int s3chain_get(S3Chain *chain, S3Credentials *ret, Error *err);

/* After a server said that these credentials, from s3chain_get, are not valid any more: whether there are others by
 * now, fetched or to be fetched at once. */
bool s3chain_renew(S3Chain *chain, const S3Credentials *refused);

/* The region: s3_region, AWS_REGION, AWS_DEFAULT_REGION, the profile's; NULL when none of them says. */
const char *s3chain_region(const S3Chain *chain);
/* The endpoint's URL, unchecked: s3_endpoint, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's; NULL when none of
 * them says. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true leaves s3_endpoint alone. */
const char *s3chain_endpoint(const S3Chain *chain);
/* The path of the file that the credentials came from when everybody on this host may read it, else NULL. */
const char *s3chain_exposed_file(const S3Chain *chain);

#endif
