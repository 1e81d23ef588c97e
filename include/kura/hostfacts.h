/* What a host offers to those who restore there: kept in each backup, so that another host can be compared with it. */
#ifndef KURA_HOSTFACTS_H
#define KURA_HOSTFACTS_H

#include "kura/buf.h"

typedef struct HostFacts {
    char *os;       /* "Debian GNU/Linux 12 (bookworm)"; NULL: it does not say */
    char *libc;     /* "glibc 2.36": the order of text by its locales is that of this version */
    char *timezone; /* "Asia/Tokyo"; NULL: it does not say */
    StrVec locales; /* as `locale -a` tells them */
    StrVec servers; /* majors of PostgreSQL whose server is installed, ascending */
    StrVec clients; /* .. whose pg_dump is */
} HostFacts;

/* root: a directory that stands for "/" (tests), or NULL; the locales are told of the real one only. What cannot be
 * found out stays NULL or empty. */
void hostfacts_read(const char *root, HostFacts *ret);
/* Frees what is inside. NULL-safe. */
void hostfacts_done(HostFacts *facts);

/* Whether a locale's name is in the list, however the encoding in it is written: "ja_JP.UTF-8", "ja_JP.utf8". */
bool hostfacts_has_locale(const HostFacts *facts, const char *name);

#endif
