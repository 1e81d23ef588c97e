/* Requests that tell a monitor on the network that a run begins, has succeeded or has failed. */
#ifndef KURA_PING_H
#define KURA_PING_H

#include <stdbool.h>

#include "kura/error.h"

/* The URL with {app} and {command} filled in and suffix ("/start", "/fail", "") at the end of its path. To be freed. */
char *ping_url(const char *pattern, const char *suffix, const char *app, const char *command);
/* ERR_USAGE for what is no URL, and for one that would cross the network in the clear unless that is allowed. The
 * message does not repeat it: who knows the URL can speak for this host. */
int ping_check(const char *url, bool allow_http, Error *err);
/* Posts a text, three times at most while the network or the server fails, within 30 seconds. Follows no redirect. The
 * message names the host alone. */
int ping_send(const char *url, const char *text, Error *err);

#endif
