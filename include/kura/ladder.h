/* The releases of an application that an upgrade passes, and what each needs of its host. */
#ifndef KURA_LADDER_H
#define KURA_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef struct LadderRung {
    char *version;            /* the last known release of its line */
    char *postgresql;         /* the oldest major it runs on, "9.5", "14"; NULL: its notes do not say */
    char *ruby, *node, *note; /* for a person; NULL where nothing is known */
} LadderRung;

typedef struct Ladder {
    char *name, *title; /* "mastodon", "Mastodon" */
    unsigned line;      /* so many numbers of a version make a line of releases: 2 for 4.3.x */
    bool required;      /* a release of each line must be passed; else they are the points where needs changed */
    LadderRung *v;      /* ascending, one a line */
    size_t n;
} Ladder;

/* Where those of users are: they go before built-in ones of the same name. */
#define LADDER_DIR "/etc/kura/ladders"

/* ERR_NOT_FOUND: there is none of that name; the hint tells which there are. dir: NULL for LADDER_DIR. */
int ladder_read(const char *dir, const char *name, Ladder *ret, Error *err);
/* Reads the text of a description; file is its name for messages. */
int ladder_parse(const char *file, const char *text, size_t len, Ladder *ret, Error *err);
void ladder_done(Ladder *ladder); /* NULL-safe */

/* Orders versions by their numbers ("v4.3.1", "4.4.0-rc1" before "4.4.0", "4.3.1+glitch" like "4.3.1"); ERR_USAGE for
 * what is none. */
int version_compare(const char *a, const char *b, int *ret, Error *err);

/* The way from one version up to another: the rungs above the line of `from`, the last of them in the version asked
 * for. ERR_USAGE with a hint: a version is none, of a line that is not known, or the way leads down. */
typedef struct LadderClimb {
    LadderRung *v; /* borrowed texts, but the version of the last */
    size_t n;
    char *top;              /* owned: the version of the last */
    const char *postgresql; /* the oldest major that all of them run on; NULL: not known */
} LadderClimb;
int ladder_climb(const Ladder *ladder, const char *from, const char *to, LadderClimb *ret, Error *err);
void ladder_climb_done(LadderClimb *climb); /* NULL-safe */

/* The rung that a version is on, by its line. ERR_USAGE as above. */
int ladder_find(const Ladder *ladder, const char *version, size_t *ret, Error *err);

#endif
