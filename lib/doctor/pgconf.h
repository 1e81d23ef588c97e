/* postgresql.conf, as the server reads it: with what it includes, a later line before an earlier one. */
#ifndef KURA_DOCTOR_PGCONF_H
#define KURA_DOCTOR_PGCONF_H

#include "host.h"

typedef struct PgConf {
    StrVec names, values; /* in the order of the lines; names in lower case */
} PgConf;

/* Adds what a file says, as a path of the host. What it includes and cannot be read is left out. */
int pgconf_read(const DoctorScene *scene, const char *path, PgConf *conf, Error *err);
/* The last value of a setting; NULL: it is not set. Valid until the next file is read. */
const char *pgconf_get(const PgConf *conf, const char *name);
void pgconf_done(PgConf *conf);

#endif
