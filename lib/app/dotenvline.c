#include "dotenvline.h"

#include <ctype.h>
#include <string.h>

bool dotenv_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t dotenv_skip_space(const char *text, size_t at)
{
    while (dotenv_is_space(text[at]))
        at++;
    return at;
}

static size_t skip_word(const char *text, size_t at)
{
    while (isalnum((unsigned char)text[at]) || text[at] == '_' || text[at] == '.')
        at++;
    return at;
}

size_t dotenv_skip_line(const char *text, size_t at)
{
    return at + strcspn(text + at, "\n");
}

/* Whether only white space and a comment stand between a value and the end of its line. */
static bool is_tail(const char *text, size_t at, size_t *ret_end)
{
    size_t behind = dotenv_skip_space(text, at);
    if (text[behind] == 0 || text[behind] == '#') {
        *ret_end = dotenv_skip_line(text, behind);
        return true;
    }
    while (behind > at && text[behind] != '\n')
        behind--;
    *ret_end = behind;
    return text[behind] == '\n';
}

/* A quoted value at `at`: it ends at the first quote that has no backslash before it, or else at the last that has. */
static bool quoted_value(const char *text, size_t at, char quote, DotenvLine *line)
{
    size_t open = dotenv_skip_space(text, at), end = open + 1;
    if (text[open] != quote)
        return false;
    while (text[end] && text[end] != quote)
        end += text[end] == '\\' && text[end + 1] == quote ? 2 : 1;
    for (bool first = true; end > open; end--, first = false) {
        bool closes = text[end] == quote && (first || text[end - 1] == '\\');
        if (closes && is_tail(text, end + 1, &line->end)) {
            line->value = open;
            line->value_len = end + 1 - open;
            return true;
        }
    }
    return false;
}

/* spaced: a "#" begins a comment behind white space only. */
static void bare_value(const char *text, size_t at, bool spaced, DotenvLine *line)
{
    size_t end = at + strcspn(text + at, "#\n");
    while (spaced && text[end] == '#' && !dotenv_is_space(text[end - 1]))
        end += 1 + strcspn(text + end + 1, "#\n");
    line->value = at;
    line->value_len = end - at;
    is_tail(text, end, &line->end); /* the line's end or a comment: always one */
}

/* The separator behind a key; 0: there is none. */
static size_t skip_separator(const char *text, size_t at)
{
    size_t equals = dotenv_skip_space(text, at);
    if (text[equals] == '=')
        return equals + 1;
    return text[at] == ':' && dotenv_is_space(text[at + 1]) ? at + 2 : 0;
}

static bool assignment_from(const char *text, size_t at, bool lone_names, bool spaced, DotenvLine *line)
{
    line->key = at;
    line->key_len = skip_word(text, at) - at;
    size_t behind = at + line->key_len, value = line->key_len ? skip_separator(text, behind) : 0;
    if (value == 0) {
        line->value = behind;
        line->value_len = 0;
        return line->key_len && lone_names && is_tail(text, behind, &line->end);
    }
    if (!quoted_value(text, value, '\'', line) && !quoted_value(text, value, '"', line))
        bare_value(text, value, spaced, line);
    return true;
}

bool dotenv_assignment(const char *text, size_t at, bool lone_names, bool spaced, DotenvLine *line)
{
    at = dotenv_skip_space(text, at);
    size_t behind = at + strlen("export");
    line->exported = strncmp(text + at, "export", 6) == 0 && dotenv_is_space(text[behind]) &&
                     assignment_from(text, dotenv_skip_space(text, behind), lone_names, spaced, line);
    return line->exported || assignment_from(text, at, lone_names, spaced, line);
}
