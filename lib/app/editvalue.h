/* How a value is written in the formats of configuration files. */
#ifndef KURA_APP_EDITVALUE_H
#define KURA_APP_EDITVALUE_H

#include "kura/buf.h"
#include "kura/error.h"

typedef enum FileFormat { FORMAT_ENV, FORMAT_YAML, FORMAT_INI, FORMAT_HJSON, FORMAT_ELIXIR } FileFormat;

/* By its name. */
FileFormat format_of(const char *file);

/* Appends the value as it is written in the place of `was`, quoted as that is where it can be, and where it must.
 * ERR_USAGE: the format cannot hold it. */
int value_write(FileFormat format, const char *was, size_t was_len, const char *value, Buf *out, Error *err);
/* Appends "key: value" as the format has it, without indent and newline. */
int value_write_line(FileFormat format, const char *key, const char *value, Buf *out, Error *err);

#endif
