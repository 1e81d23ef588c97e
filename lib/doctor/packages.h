/* What Debian and its relatives call the package that something is in. */
#ifndef KURA_DOCTOR_PACKAGES_H
#define KURA_DOCTOR_PACKAGES_H

/* The package of an extension for servers of this major; NULL: not known. To be freed. */
char *package_of_extension(const char *name, int major);
/* The package of a program; NULL: not known. */
const char *package_of_program(const char *name);

#endif
