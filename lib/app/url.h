/* URLs of database and Redis servers. */
#ifndef KURA_APP_URL_H
#define KURA_APP_URL_H

#include "kura/app.h"

/* Puts what a URL says into a server, in the place of what was there; what it does not say stays. The message of an
 * error does not quote it. */
int url_server(const char *url, AppServer *server, Error *err);

#endif
