/* The application that --app-dir names, for the commands that use what its own configuration tells. */
#ifndef KURA_CMD_SITE_H
#define KURA_CMD_SITE_H

#include "session.h"

/* Reads it, once; it belongs to the session. *ret is NULL when no application is named. What is odd in its configuration
 * becomes findings of the session. */
int session_site(Session *session, AppSite **ret, Error *err);

#endif
