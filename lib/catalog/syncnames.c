/* The grammar of synchronous_standby_names: a list of names, which means FIRST 1; a number and a list in parentheses;
 * either FIRST or ANY before that. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kura/mem.h"
#include "kura/replication.h"

typedef struct Reader {
    const char *at;
} Reader;

static bool part_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void skip_space(Reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n\f\v");
}

static bool take(Reader *reader, char c)
{
    skip_space(reader);
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

/* A double quote inside of a quoted name is written twice. NULL: there is no end. */
static char *quoted(Reader *reader)
{
    char *name = xmalloc(strlen(reader->at) + 1), *end = name;
    for (const char *at = reader->at; *at; at++) {
        if (*at == '"' && *++at != '"') {
            *end = 0;
            reader->at = at;
            return name;
        }
        *end++ = *at;
    }
    free(name);
    return NULL;
}

/* A name, a word or a number; NULL: none stands there. */
static char *take_name(Reader *reader, bool *ret_quoted)
{
    *ret_quoted = take(reader, '"');
    if (*ret_quoted)
        return quoted(reader);
    if (take(reader, '*'))
        return xstrdup("*");
    size_t len = 0;
    while (part_of_word(reader->at[len]))
        len++;
    char *word = len > 0 ? xstrndup(reader->at, len) : NULL;
    reader->at += len;
    return word;
}

static int take_list(Reader *reader, SyncNames *names)
{
    do {
        bool quotes;
        _cleanup_free_ char *name = take_name(reader, &quotes);
        if (name == NULL)
            return -1;
        names->all |= !quotes && strcmp(name, "*") == 0;
        strvec_push(&names->names, name);
    } while (take(reader, ','));
    return 0;
}

/* "FIRST 2 (", "ANY 2 (" or "2 ("; false, with the reader where it was: a list of names follows. */
static bool take_method(Reader *reader, SyncNames *names)
{
    const char *before = reader->at;
    bool quotes;
    _cleanup_free_ char *word = take_name(reader, &quotes);
    if (word && !quotes && (strcasecmp(word, "FIRST") == 0 || strcasecmp(word, "ANY") == 0)) {
        names->any = strcasecmp(word, "ANY") == 0;
        free(word);
        word = take_name(reader, &quotes);
    }
    char *end;
    unsigned long count = word && !quotes ? strtoul(word, &end, 10) : 0;
    if (count > 0 && count < 10000 && *end == 0 && take(reader, '(')) {
        names->count = (unsigned)count;
        return true;
    }
    names->any = false;
    names->count = 1;
    reader->at = before;
    return false;
}

int syncnames_parse(const char *text, SyncNames *ret, Error *err)
{
    Reader reader = {.at = text};
    *ret = (SyncNames){0};
    skip_space(&reader);
    if (*reader.at == 0)
        return 0;
    bool parentheses = take_method(&reader, ret);
    bool valid = take_list(&reader, ret) == 0 && (!parentheses || take(&reader, ')'));
    skip_space(&reader);
    if (valid && *reader.at == 0)
        return 0;
    syncnames_done(ret);
    return error_set(err, ERR_CORRUPT, "synchronous_standby_names cannot be read: \"%s\"", text);
}

void syncnames_done(SyncNames *names)
{
    strvec_done(&names->names);
    *names = (SyncNames){0};
}
