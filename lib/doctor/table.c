/* The table of checks. */
#include <strings.h>

#include "doctor_priv.h"

const DoctorCheck doctor_checks[DOCTOR_COUNT] = {
#define CHECK(id, name, severity, function, title, explanation)                                                        \
    [DOCTOR_##id] = {name, FINDING_##severity, function, title, explanation},
#include "kura/checks.def"
#undef CHECK
};

const DoctorCheck *doctor_check_find(const char *name)
{
    for (size_t i = 0; i < DOCTOR_COUNT; i++)
        if (strcasecmp(doctor_checks[i].name, name) == 0)
            return &doctor_checks[i];
    return NULL;
}
