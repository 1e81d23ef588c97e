/* Standard error: log lines, findings, errors, and the one status line of a terminal, which makes room for the others.
 * With JSON everything is an event, one object a line. Thread-safe. */
#ifndef KURA_CMD_SCREEN_H
#define KURA_CMD_SCREEN_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/log.h"

typedef struct Screen {
    pthread_mutex_t mutex;
    FILE *stream;
    bool json;
    bool terminal;
    bool journal; /* the stream leads to systemd's journal, which wants to be told how grave a line is */
    bool status;  /* a status line stands there */
} Screen;

void screen_init(Screen *screen, FILE *stream, bool json);
void screen_done(Screen *screen);
/* Whether JOURNAL_STREAM ("device:inode") names this descriptor. */
bool screen_is_journal(const char *journal_stream, int fd);

/* A LogSink; ctx is the Screen. */
void screen_log(void *ctx, LogLevel level, const char *message);
/* Shows a status line instead of the one before; NULL takes it away. Cut to the terminal's width. */
void screen_status(Screen *screen, const char *line);
/* Writes an event; takes the reference. Only with JSON. */
void screen_event(Screen *screen, json_t *event);
void screen_finding(Screen *screen, const Finding *finding);
void screen_error(Screen *screen, const Error *err);

/* A string for JSON: invalid UTF-8 is escaped; null for NULL. */
json_t *json_text(const char *text);
json_t *json_texts(const StrVec *list);
json_t *json_of_error(const Error *err);
json_t *json_of_finding(const Finding *finding);

#endif
