/* Text for terminals: escaping, width, quantities. */
#ifndef KURA_CMD_TEXT_H
#define KURA_CMD_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"

/* Appends text with everything escaped that could move a cursor, hide or reorder what stands around it: control
 * characters, bidirectional overrides, bytes that are no UTF-8. "\n" for a newline, "\t", "\xHH" else. */
void text_escape(Buf *out, const char *text);
/* The same as a fresh string. */
char *text_escaped(const char *text);
/* Escaped too, but newlines stay, followed by an indent: for messages of several lines. */
char *text_message(const char *text);
/* An argument as a shell takes it: 'text', or $'text' where something must be escaped to be shown. To be freed. */
char *text_shell(const char *text);
/* SQL that says the same, but with U&".." for an identifier that holds what would be escaped. To be freed. */
char *text_sql(const char *sql);
/* How many columns escaped text takes. */
size_t text_width(const char *text);
/* The longest beginning of escaped text that takes at most `columns`, in bytes. */
size_t text_fit(const char *text, size_t columns);
/* Valid UTF-8 for JSON: text itself, else escaped. To be freed. */
char *text_utf8(const char *text);

enum { TEXT_SIZE = 40 }; /* holds what the functions below write; they return `out` */

char *text_bytes(uint64_t bytes, char out[TEXT_SIZE]);   /* "812 B", "1.4 GiB" */
char *text_count(uint64_t count, char out[TEXT_SIZE]);   /* "12,345,678" */
char *text_seconds(double seconds, char out[TEXT_SIZE]); /* "3.2 s", "4 min 12 s", "1 h 03 min" */

#endif
