#ifndef KURA_APP_BUILTIN_H
#define KURA_APP_BUILTIN_H

typedef struct BuiltinProfile {
    const char *name, *text;
} BuiltinProfile;

extern const BuiltinProfile builtin_profiles[]; /* ends with a name of NULL */

#endif
