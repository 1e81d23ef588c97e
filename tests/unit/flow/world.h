/* A backup without a server: a repository in memory, filled from a fixture. Everything here asserts. */
#ifndef KURA_TEST_WORLD_H
#define KURA_TEST_WORLD_H

#include "kura/manifest.h"
#include "kura/repo.h"

typedef struct World {
    Store *store;
    Repo *repo;
    Manifest *manifest;
    char *dir; /* scratch, empty */
} World;

/* A file of the fileset "media", which also has an empty file, a hard link to this one and a symbolic link. */
#define ODD_NAME "line\nfeed \\ and \r return"

/* The database of archives/pg<major>.plain, in segments so small that every table of more than a few rows has several
 * and long rows are cut, and a fileset. */
World *world_new(int major);
void world_free(World *world);

/* Fails the test with the message of err when rc is -1. */
void must(int rc, const Error *err);

#endif
