#include "packages.h"

#include <string.h>

#include "kura/mem.h"

char *package_of_extension(const char *name, int major)
{
#define EXTENSION(extension, package)                                                                                  \
    if (strcmp(name, extension) == 0)                                                                                  \
        return xasprintf(package, major);
#define PROGRAM(program, package)
#include "packages.def"
#undef EXTENSION
#undef PROGRAM
    return NULL;
}

const char *package_of_program(const char *name)
{
#define EXTENSION(extension, package)
#define PROGRAM(program, package)                                                                                      \
    if (strcmp(name, program) == 0)                                                                                    \
        return package;
#include "packages.def"
#undef EXTENSION
#undef PROGRAM
    return NULL;
}
