/* kura init --app-dir: from an application's directory to the first backup. */
#ifndef KURA_CMD_INIT_APP_H
#define KURA_CMD_INIT_APP_H

#include "session.h"

/* Looks at the application, writes the configuration where a repository is open, and tells what it found and what comes
 * next. tell(session) tells of the repository, in between. */
int init_app(Session *session, void (*tell)(Session *session), Error *err);

#endif
