/* Text for terminals: messages, width; the rest is of kura/text.h. */
#ifndef KURA_CMD_TEXT_H
#define KURA_CMD_TEXT_H

#include "kura/text.h"

/* As text_escaped(), but newlines stay, followed by an indent: for messages of several lines. */
char *text_message(const char *text);
/* An argument as a shell takes it: 'text', or $'text' where something must be escaped to be shown. To be freed. */
char *text_shell(const char *text);
/* The same, bare where that will do: people copy these lines. To be freed. */
char *text_shell_word(const char *text);
/* SQL that says the same, but with U&".." for an identifier that holds what would be escaped. To be freed. */
char *text_sql(const char *sql);
/* How many columns escaped text takes. */
size_t text_width(const char *text);
/* How many spaces behind escaped text fill up so many columns. */
int text_fill(const char *text, size_t columns);
/* The longest beginning of escaped text that takes at most `columns`, in bytes. */
size_t text_fit(const char *text, size_t columns);
/* Valid UTF-8 for JSON: text itself, else escaped. To be freed. */
char *text_utf8(const char *text);

#endif
