/* The sections of the configuration file that an application needs, written where there is no file yet. */
#ifndef KURA_CMD_NEWCONFIG_H
#define KURA_CMD_NEWCONFIG_H

#include "session.h"

typedef enum NewConfigState {
    NEWCONFIG_SHOWN,   /* to be looked at, nothing was written */
    NEWCONFIG_WRITTEN, /* a new file */
    NEWCONFIG_TO_ADD,  /* there is a file, which is nobody's but its owner's to change */
    NEWCONFIG_THERE,   /* the file says all that already */
} NewConfigState;

typedef struct NewConfig {
    char *path;
    char *app;        /* name of the application's section */
    char *repository; /* .. of the repository's; NULL: none is named */
    Buf text;
    NewConfigState state;
} NewConfig;

/* Makes the text for the session's application and, where one is open, repository. newconfig_done for *ret, in any
 * case.
 */
int newconfig_make(const Session *session, NewConfig *ret, Error *err);
/* Writes it exclusively, with mode 0600, unless there is a file. One that cannot be written becomes a finding: the text
 * is there to be put in place by hand. */
void newconfig_write(NewConfig *config, Findings *findings);
void newconfig_done(NewConfig *config);

#endif
