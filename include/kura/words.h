/* Words in the user's language. The English text is the key (gettext); po/ holds the translations. What machines read -
 * JSON members, codes, ids, SQL, metrics - is never translated.
 *
 * error_set(), error_errno(), error_wrap(), error_hint(), findings_add() and log_*() translate their formats
 * themselves. Everything else that a person reads is marked with _(), or with ngettext() where a number decides the
 * form. A text is a whole sentence: pieces cannot be put together in another language's order. */
#ifndef KURA_WORDS_H
#define KURA_WORDS_H

#include <libintl.h>

#define _(text) gettext(text)
/* Marks a text of a table for po/kura.pot; who shows it translates it with words_get(). */
#define N_(text) text

/* The text in the user's language; NULL and "" stay what they are. A format keeps its arguments (msgfmt -c sees to it).
 */
const char *words_get(const char *text) __attribute__((format_arg(1)));

/* Finds the user's language in the environment, and its words in KURA_LOCALEDIR, else where kura was installed. Text is
 * UTF-8 whatever the locale says; numbers and dates stay those of the C locale. Call it before any thread starts. */
void words_init(const char *localedir);

#endif
