/* Command lines and connection strings as they may be shown: with secrets blanked. */
#ifndef KURA_CMD_REDACT_H
#define KURA_CMD_REDACT_H

#include <stdbool.h>

#include "options.h"

/* A connection string or URI of libpq as "key=value .." with "****" for every secret; one that libpq cannot parse is
 * "****" altogether, since nobody knows where its password is. A URL of Redis is shown without its user and password.
 * To be freed. */
char *redact_conninfo(const char *conninfo);
/* Whether it holds a secret, or cannot be parsed. */
bool conninfo_has_secret(const char *conninfo);

/* A command line as a shell would take it, secrets blanked. To be freed. */
char *redact_command_line(int argc, const char *const argv[]);

#endif
