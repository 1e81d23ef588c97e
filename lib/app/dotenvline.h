/* One assignment in a file of variables, as Ruby's dotenv finds it. The text ends with a zero byte, its lines with \n.
 */
#ifndef KURA_APP_DOTENVLINE_H
#define KURA_APP_DOTENVLINE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct DotenvLine {
    size_t end; /* of all that belongs to it */
    size_t key, key_len, value, value_len;
    bool exported;
} DotenvLine;

bool dotenv_is_space(char c);
size_t dotenv_skip_space(const char *text, size_t at);
/* To the end of the line, its \n not passed. */
size_t dotenv_skip_line(const char *text, size_t at);

/* Whether an assignment begins here. lone_names: a name alone on its line is an empty variable. spaced: in a value
 * without quotes a "#" begins a comment behind white space only. */
bool dotenv_assignment(const char *text, size_t at, bool lone_names, bool spaced, DotenvLine *line);

#endif
