/* Description files of applications: users' own and built-in ones. */
#ifndef KURA_APP_PROFILE_H
#define KURA_APP_PROFILE_H

#include "settings.h"

/* Reads a profile and checks that it says nothing unknown. ERR_NOT_FOUND: there is none of that name; the hint tells
 * which there are. */
int profile_read(const char *name, Settings *ret, Error *err);
/* Whether a directory has what the profile is recognised by. */
bool profile_recognises(const Settings *profile, const char *dir);
/* "Profiles are .., .." for hints. To be freed. */
char *profile_names_text(void);

#endif
