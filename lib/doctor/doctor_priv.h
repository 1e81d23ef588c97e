/* What the files of lib/doctor share. */
#ifndef KURA_DOCTOR_PRIV_H
#define KURA_DOCTOR_PRIV_H

#include "kura/doctor.h"

#define CHECK(id, name, severity, function, title, explanation) int function(DoctorScene *scene, Error *err);
#include "kura/checks.def"
#undef CHECK

void doctor_replicas_free(DoctorReplicas *replicas); /* NULL-safe */

/* Makes a report of an error that is no fault of the check's; only an interruption ends the check with -1. */
int doctor_report_error(DoctorScene *scene, const char *code, const Error *why, Error *err);

#endif
