/* What pg_restore writes to standard error, line by line, into one record for each error. Its own words are English
 * (LC_MESSAGES=C is set for it); those of the server may be of any language and are never looked at. Pure. */
#ifndef KURA_RESTOREMSG_H
#define KURA_RESTOREMSG_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/buf.h"

typedef struct RestoreMessage {
    bool error;    /* false: a message of the server's, or a warning of pg_restore's, that ended nothing */
    bool preamble; /* while setting up the session */
    int dump_id;   /* of the entry it was busy with; 0: none */
    char *text;    /* the first line, without "pg_restore: error: " and what was being done; owned */
    char *command; /* the whole statement; NULL: not a statement's error, or longer than 4 MiB; owned */
} RestoreMessage;

typedef struct RestoreMessages {
    RestoreMessage *v;
    size_t n, cap;
    int dump_id; /* of the entry pg_restore said last */
    bool preamble;
    bool finished; /* it came to its end, whatever it met on the way */
    enum { READING_NOTHING, READING_MESSAGE, READING_COMMAND } reading;
} RestoreMessages;

/* Takes one line, without its newline. Zero-initialise *messages before the first. */
void restoremsg_line(RestoreMessages *messages, const char *line);
/* After the last line. Where pg_restore came to its end, an error of no entry was a name that looks like one. */
void restoremsg_end(RestoreMessages *messages);
/* When pg_restore ended with status 0: what looked like an error was a name with a newline and more in it. */
void restoremsg_no_errors(RestoreMessages *messages);
void restoremsg_done(RestoreMessages *messages);

#endif
