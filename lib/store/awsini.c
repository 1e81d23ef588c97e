#include "awsini.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kura/mem.h"
#include "secrettext.h"

enum { FILE_MAX = 1024 * 1024 };

static const char blanks[] = " \t\r";

/* One line that says something. The strings point into the file's text. */
typedef struct Line {
    size_t number;
    const char *section;
    const char *group; /* NULL: not indented */
    const char *key;   /* NULL: a section's own line, or a malformed one */
    const char *value;
    bool malformed;
} Line;

struct AwsIni {
    char *text; /* cut up into strings */
    size_t size;
    bool exposed;
    Line *v;
    size_t n, cap;
};

void awsini_free(AwsIni *ini)
{
    if (ini == NULL)
        return;
    OPENSSL_cleanse(ini->text, ini->size);
    free(ini->text);
    free(ini->v);
    free(ini);
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    text += strspn(text, blanks);
    size_t len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]))
        len--;
    text[len] = 0;
    return text;
}

/* "profile  "x"" -> "profile x", in place. */
static const char *section_name(char *text)
{
    text = trim(text);
    size_t type = strcspn(text, blanks);
    if (text[type] == 0)
        return text;
    char *name = trim(text + type);
    size_t len = strlen(name);
    if (len >= 2 && name[0] == '"' && name[len - 1] == '"') {
        name[len - 1] = 0;
        name++;
    }
    text[type] = ' ';
    memmove(text + type + 1, name, strlen(name) + 1);
    return text;
}

/* Where the setting that indented lines belong to stands. */
typedef struct Place {
    const char *section;
    const char *setting; /* NULL: none yet in this section */
    size_t indent;
} Place;

static Line section_line(char *text, Place *place)
{
    char *end = strchr(text, ']');
    if (end == NULL)
        return (Line){.section = place->section, .malformed = true};
    *end = 0;
    *place = (Place){.section = section_name(text + 1)};
    return (Line){.section = place->section};
}

static void cut_comment(char *value)
{
    for (size_t i = 0; value[i]; i++)
        if ((value[i] == '#' || value[i] == ';') && i > 0 && strchr(blanks, value[i - 1])) {
            value[i] = 0;
            return;
        }
}

static Line setting_line(char *text, size_t indent, bool nested, Place *place)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || place->section == NULL)
        return (Line){.section = place->section, .malformed = !nested}; /* a nested one may go on with a value */
    *equals = 0;
    cut_comment(equals + 1);
    Line line = {.section = place->section, .key = trim(text), .value = trim(equals + 1)};
    if (nested) {
        line.group = place->setting;
    } else {
        place->setting = line.key;
        place->indent = indent;
    }
    return line;
}

static void add_line(AwsIni *ini, char *text, size_t number, Place *place)
{
    size_t indent = strspn(text, blanks);
    text += indent;
    if (*text == 0 || *text == '#' || *text == ';')
        return;
    bool nested = place->setting && indent > place->indent;
    Line line = *text == '[' && !nested ? section_line(text, place) : setting_line(text, indent, nested, place);
    line.number = number;
    xgrow(&ini->v, &ini->cap, ini->n);
    ini->v[ini->n++] = line;
}

static void parse(AwsIni *ini)
{
    Place place = {0};
    char *text = ini->text;
    static const char mark[] = "\xef\xbb\xbf"; /* a byte order mark */
    if (strncmp(text, mark, strlen(mark)) == 0)
        text += strlen(mark);
    for (size_t number = 1; text; number++) {
        char *end = strchr(text, '\n');
        if (end)
            *end = 0;
        add_line(ini, text, number, &place);
        text = end ? end + 1 : NULL;
    }
}

int awsini_read(const char *path, AwsIni **ret, Error *err)
{
    AwsIni read = {0};
    if (secrettext_read(path, FILE_MAX, &read.text, &read.exposed, err) < 0)
        return -1;
    read.size = strlen(read.text);
    parse(&read);
    *ret = xmalloc(sizeof **ret);
    **ret = read;
    return 0;
}

bool awsini_exposed(const AwsIni *ini)
{
    return ini->exposed;
}

static bool is_of(const Line *line, const char *section)
{
    return line->section && strcmp(line->section, section) == 0;
}

bool awsini_has(const AwsIni *ini, const char *section)
{
    for (size_t i = 0; i < ini->n; i++)
        if (is_of(&ini->v[i], section))
            return true;
    return false;
}

const char *awsini_get(const AwsIni *ini, const char *section, const char *group, const char *key)
{
    for (size_t i = ini->n; i-- > 0;) {
        const Line *line = &ini->v[i];
        if (line->key && is_of(line, section) && strcasecmp(line->key, key) == 0 &&
            (group == NULL) == (line->group == NULL) && (group == NULL || strcasecmp(line->group, group) == 0))
            return line->value[0] ? line->value : NULL;
    }
    return NULL;
}

size_t awsini_malformed(const AwsIni *ini, const char *section)
{
    for (size_t i = 0; i < ini->n; i++)
        if (ini->v[i].malformed && is_of(&ini->v[i], section))
            return ini->v[i].number;
    return 0;
}
