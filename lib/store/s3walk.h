/* Pages of a listing, from the server. */
#ifndef KURA_S3WALK_H
#define KURA_S3WALK_H

#include "s3_priv.h"
#include "s3list.h"

/* Asks for the page at token (NULL: the first) of what begins with prefix, below the store's own.
 * *outcome is filled either way. */
int s3_list_page(S3 *s3, const char *prefix, const char *token, const char *max_keys, S3Page *ret, S3Outcome *outcome,
                 Error *err);

#endif
