/* Text for people: what could deceive them made visible, quantities written as they read them. */
#ifndef KURA_TEXT_H
#define KURA_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"

/* Reads one code point; its length in bytes, or 0 when the bytes are no UTF-8. A NUL is one of length 1. */
size_t utf8_decode(const char *text, uint32_t *ret);

/* The length in bytes of the character that text begins with; 0 where it must not be shown as it is: control
 * characters, invisible ones, those that reorder what stands around them, bytes that are no UTF-8. */
size_t text_plain(const char *text);
/* Appends that character, escaped where it must be ("\\n", "\\t", else "\\xHH" for each byte), and returns how many
 * bytes of text it was. */
size_t text_escape_one(Buf *out, const char *text);
/* Appends the whole text that way. */
void text_escape(Buf *out, const char *text);
/* The same as a fresh string. */
char *text_escaped(const char *text);

enum { TEXT_SIZE = 40 }; /* holds what the functions below write; they return `out` */

char *text_bytes(uint64_t bytes, char out[TEXT_SIZE]);   /* "812 B", "1.4 GiB" */
char *text_count(uint64_t count, char out[TEXT_SIZE]);   /* "12,345,678" */
char *text_seconds(double seconds, char out[TEXT_SIZE]); /* "3.2 s", "4 min 12 s", "1 h 03 min" */
char *text_age(double seconds, char out[TEXT_SIZE]);     /* the same below two days, "3 days" above */

#endif
