#include "kura/argv.h"

#include <string.h>

#include "kura/mem.h"

/* Appends one word from *text on, and moves *text behind it. */
static int take_word(const char **text, Buf *word, Error *err)
{
    char quote = 0;
    const char *p = *text;
    for (; *p && (quote || strchr(" \t", *p) == NULL); p++) {
        if (quote == 0 && (*p == '\'' || *p == '"')) {
            quote = *p;
        } else if (*p == quote) {
            quote = 0;
        } else {
            bool escapes = *p == '\\' && quote != '\'' && p[1] && (quote == 0 || p[1] == '"' || p[1] == '\\');
            p += escapes;
            if (buf_append(word, p, 1, err) < 0)
                return -1;
        }
    }
    *text = p;
    return quote ? error_set(err, ERR_USAGE, "a command line has a %c that does not end", quote) : 0;
}

int argv_split(const char *text, StrVec *ret, Error *err)
{
    for (;;) {
        text += strspn(text, " \t");
        if (*text == 0)
            return ret->n > 0 ? 0 : error_set(err, ERR_USAGE, "a command line is empty");
        _cleanup_(buf_done) Buf word = BUF_INIT(64 * 1024);
        if (take_word(&text, &word, err) < 0)
            return -1;
        strvec_push(ret, buf_str(&word));
    }
}
