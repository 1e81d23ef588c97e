/* What the files of lib/doctor share. */
#ifndef KURA_DOCTOR_PRIV_H
#define KURA_DOCTOR_PRIV_H

#include "kura/doctor.h"
#include "kura/pg.h"

#define CHECK(id, name, severity, function, title, explanation) int function(DoctorScene *scene, Error *err);
#include "kura/checks.def"
#undef CHECK

void doctor_replicas_free(DoctorReplicas *replicas); /* NULL-safe */

/* Makes a report of an error that is no fault of the check's; only an interruption ends the check with -1. */
int doctor_report_error(DoctorScene *scene, const char *code, const Error *why, Error *err);

/* What a profile's query says, read-only and in limited time. 1: *ret has the rows; 0: this version of the application
 * has no such table or column. */
int doctor_ask(PgConn *conn, const char *sql, PGresult **ret, Error *err);

#endif
