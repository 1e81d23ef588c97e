/* A scene for one check, and what it found there. */
#ifndef KURA_TEST_DOCTOR_SCENE_H
#define KURA_TEST_DOCTOR_SCENE_H

#include "kura/doctor.h"

/* Runs the check in the scene; tells its findings by severity, notes left out. Fails the test when it cannot be run. */
void assert_fires(DoctorScene *scene, DoctorId id, const char *text);
void assert_silent(DoctorScene *scene, DoctorId id);
void assert_skipped(DoctorScene *scene, DoctorId id, const char *reason);

#endif
