/* Files of the host that is looked at: below the scene's root. */
#ifndef KURA_DOCTOR_HOST_H
#define KURA_DOCTOR_HOST_H

#include <sys/stat.h>

#include "kura/doctor.h"

/* The path as it is here; to be freed. */
char *host_path(const DoctorScene *scene, const char *path);
/* Reads a regular file into *out (BUF_INIT with the most it may have). ERR_NOT_FOUND, ERR_PERMISSION. */
int host_read(const DoctorScene *scene, const char *path, Buf *out, Error *err);
/* The names in a directory that end in `suffix`, sorted, without hidden ones; none where it cannot be read. */
void host_list(const DoctorScene *scene, const char *path, const char *suffix, StrVec *ret);
bool host_exists(const DoctorScene *scene, const char *path);

#endif
