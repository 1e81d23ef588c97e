/* The XML of S3's answers: small, flat, and hostile until shown otherwise. */
#ifndef KURA_S3XML_H
#define KURA_S3XML_H

#include <stddef.h>

#include "kura/error.h"

/* Called at the end of each element, depth first: path is the names from the root joined by '/', without namespace
 * ("ListBucketResult/Contents/Key"), text the character data that stands directly in it, entities resolved. -1 ends the
 * parse with its error. */
typedef int (*S3XmlElement)(void *ctx, const char *path, const char *text, Error *err);

/* ERR_CORRUPT for what is not well-formed, declares a document type (so that no entity can be defined), or exceeds what
 * S3's answers need: 16 levels, paths of 255 bytes, texts of 16 KiB. */
int s3xml_parse(const void *data, size_t len, S3XmlElement element, void *ctx, Error *err);

#endif
