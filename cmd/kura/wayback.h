/* The command line that puts a database back as it was. */
#ifndef KURA_CMD_WAYBACK_H
#define KURA_CMD_WAYBACK_H

#include "session.h"

/* Restores that backup in the place of the application's own database, or of the one that was named. sealed: it is in
 * an encrypted repository. To be freed. */
char *wayback_line(const Session *session, const char *backup, bool sealed);
/* Takes that restore back. To be freed. */
char *wayback_undo(const Session *session);

#endif
