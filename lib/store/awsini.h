/* The files that AWS's programs share, ~/.aws/credentials and ~/.aws/config: sections "[NAME]" and "[TYPE NAME]" with
 * settings "key = value", under some of which are indented settings of their own. '#' and ';' begin a comment: at the
 * start of a line, behind a section, and behind a value after a blank. Sections of one name are one; of settings of one
 * name the last one counts. Source: "Shared config and credentials files" (AWS SDKs and Tools Reference Guide) and what
 * the AWS SDKs' common parser tests tell. */
#ifndef KURA_AWSINI_H
#define KURA_AWSINI_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"

typedef struct AwsIni AwsIni;

/* Reads a file of at most 1 MiB. ERR_NOT_FOUND, ERR_PERMISSION, ERR_IO; ERR_CORRUPT for one that is longer or has NUL
 * bytes. */
int awsini_read(const char *path, AwsIni **ret, Error *err);
/* Wipes and frees. NULL-safe. */
void awsini_free(AwsIni *ini);

/* Whether everybody on this host may read the file. */
bool awsini_exposed(const AwsIni *ini);
/* Whether there is such a section, even an empty one. TYPE and NAME have one blank between them here, whatever the file
 * has, and NAME no quotes. */
bool awsini_has(const AwsIni *ini, const char *section);
/* A setting's value, with group one that is indented under the setting group; NULL where there is none or an empty one.
 * Names of settings are compared without case. Lives as long as ini. */
const char *awsini_get(const AwsIni *ini, const char *section, const char *group, const char *key);
/* The number of the first line of a section that is neither a setting nor a comment; 0: all are well. */
size_t awsini_malformed(const AwsIni *ini, const char *section);

#endif
