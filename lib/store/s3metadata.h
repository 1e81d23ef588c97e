/* Credentials that the machine hands out over HTTP: to a container (ECS, EKS) and to an instance of EC2. Sources:
 * "Container credential provider" and "IMDS credential provider" (AWS SDKs and Tools Reference Guide), "Retrieve
 * security credentials from instance metadata" (Amazon EC2 User Guide). */
#ifndef KURA_S3METADATA_H
#define KURA_S3METADATA_H

#include "s3credentials.h"

/* Patience, in milliseconds, for each request. */
typedef struct S3Patience {
    unsigned connect, total;
} S3Patience;

/* Where a container asks, from the environment: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI below http://169.254.170.2, else
 * AWS_CONTAINER_CREDENTIALS_FULL_URI; NULL when neither is set. ERR_USAGE: not a URL, or one whose http would carry
 * credentials off this machine: over http only a loopback address, localhost and the addresses of ECS and EKS
 * (169.254.170.2, 169.254.170.23, fd00:ec2::23) are asked. To be freed. */
int s3container_url(char **ret_url, Error *err);
/* Asks there, with the token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (read anew), else that of
 * AWS_CONTAINER_AUTHORIZATION_TOKEN. Errors are those of s3fetch and, for what the answer has, ERR_CORRUPT. */
int s3container_fetch(const char *url, S3Patience patience, S3Credentials *ret, Error *err);

/* Where an instance asks: AWS_EC2_METADATA_SERVICE_ENDPOINT, else http://169.254.169.254; NULL when
 * AWS_EC2_METADATA_DISABLED is true. To be freed. */
char *s3instance_url(void);
/* Asks there for the credentials of the instance's role, as version 2 of the service wants it: with a token that was
 * asked for first. Errors as s3container_fetch. */
int s3instance_fetch(const char *url, S3Patience patience, S3Credentials *ret, Error *err);

#endif
