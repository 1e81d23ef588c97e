#include "restoremsg.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"

enum { COMMAND_MAX = 4 * 1024 * 1024 };

/* What follows a prefix, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

static RestoreMessage *add(RestoreMessages *messages, bool error, const char *text)
{
    xgrow(&messages->v, &messages->cap, messages->n);
    RestoreMessage *message = &messages->v[messages->n++];
    *message = (RestoreMessage){.error = error,
                                .preamble = messages->preamble && messages->dump_id == 0,
                                .dump_id = error ? messages->dump_id : 0,
                                .text = xstrdup(text)};
    messages->reading = READING_MESSAGE;
    return message;
}

/* A part of a statement would be another statement: one that is too long to keep is none. */
static void append_to_command(RestoreMessages *messages, RestoreMessage *message, const char *line)
{
    bool fits = strlen(message->command) + strlen(line) < COMMAND_MAX;
    char *longer = fits ? xasprintf("%s\n%s", message->command, line) : NULL;
    free(message->command);
    message->command = longer;
    if (!fits)
        messages->reading = READING_NOTHING;
}

/* "while INITIALIZING:" or "while PROCESSING TOC:"; entries are named anew after it. */
static void stage(RestoreMessages *messages, const char *name)
{
    messages->preamble = after(name, "INITIALIZING") != NULL;
    messages->dump_id = 0;
    messages->reading = READING_NOTHING;
}

/* A line without pg_restore's name goes on with what the last one began. */
static void go_on(RestoreMessages *messages, const char *line)
{
    if (messages->n == 0 || messages->reading == READING_NOTHING)
        return;
    RestoreMessage *message = &messages->v[messages->n - 1];
    const char *command = message->error && message->command == NULL ? after(line, "Command was: ") : NULL;
    if (command) {
        message->command = xstrdup(command);
        messages->reading = READING_COMMAND;
    } else if (messages->reading == READING_COMMAND) {
        append_to_command(messages, message, line);
    }
}

/* "SEVERITY:  text", as libpq puts what comes from a server, whatever its language: no line of pg_restore's own has
 * two spaces behind its first colon. */
static bool is_servers(const char *line)
{
    const char *colon = strchr(line, ':');
    return colon && colon > line && strncmp(colon, ":  ", 3) == 0 && memchr(line, ' ', (size_t)(colon - line)) == NULL;
}

/* The count of what was said already: nothing ended it early. */
static void end_reached(RestoreMessages *messages)
{
    messages->reading = READING_NOTHING;
    messages->finished = true;
}

static void own_line(RestoreMessages *messages, const char *line)
{
    const char *rest;
    if ((rest = after(line, "while ")))
        stage(messages, rest);
    else if ((rest = after(line, "from TOC entry ")))
        messages->dump_id = atoi(rest);
    else if ((rest = after(line, "error: "))) {
        const char *query = after(rest, "could not execute query: ");
        add(messages, true, query ? query : rest);
    } else if ((rest = after(line, "warning: errors ignored on restore: ")))
        end_reached(messages);
    else if ((rest = after(line, "detail: ")) || (rest = after(line, "hint: ")))
        messages->reading = READING_NOTHING;
    else if ((rest = after(line, "warning: ")))
        add(messages, false, rest);
    else if (is_servers(line))
        add(messages, false, line);
    else
        messages->reading = READING_NOTHING; /* what it does, for --verbose */
}

void restoremsg_line(RestoreMessages *messages, const char *line)
{
    const char *own = after(line, "pg_restore: ");
    if (own)
        own_line(messages, own);
    else
        go_on(messages, line);
}

/* Behind a statement it writes empty lines. */
static void trim(char *text)
{
    for (size_t len = text ? strlen(text) : 0; len > 0 && text[len - 1] == '\n'; len--)
        text[len - 1] = 0;
}

static void message_done(RestoreMessage *message)
{
    free(message->text);
    free(message->command);
}

/* Drops the errors for which drop() is true. */
static void drop_errors(RestoreMessages *messages, bool (*drop)(const RestoreMessage *error))
{
    size_t kept = 0;
    for (size_t i = 0; i < messages->n; i++) {
        if (messages->v[i].error && drop(&messages->v[i]))
            message_done(&messages->v[i]);
        else
            messages->v[kept++] = messages->v[i];
    }
    messages->n = kept;
}

static bool any(const RestoreMessage *error)
{
    return true;
}

void restoremsg_no_errors(RestoreMessages *messages)
{
    drop_errors(messages, any);
}

/* An error that pg_restore lives through is one of its session's or of an entry's. */
static bool is_of_nothing(const RestoreMessage *error)
{
    return error->dump_id == 0 && !error->preamble;
}

void restoremsg_end(RestoreMessages *messages)
{
    for (size_t i = 0; i < messages->n; i++)
        trim(messages->v[i].command);
    if (messages->finished)
        drop_errors(messages, is_of_nothing);
}

void restoremsg_done(RestoreMessages *messages)
{
    for (size_t i = 0; i < messages->n; i++)
        message_done(&messages->v[i]);
    free(messages->v);
    *messages = (RestoreMessages){0};
}
