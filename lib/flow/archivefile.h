/* A pg_dump archive on disk. */
#ifndef KURA_ARCHIVEFILE_H
#define KURA_ARCHIVEFILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "kura/error.h"
#include "kura/toc.h"

typedef struct ArchiveFile {
    int fd; /* the custom archive, or the directory */
    bool directory;
    struct stat st;
    const char *path; /* borrowed, for messages */
} ArchiveFile;

#define ARCHIVEFILE_INIT                                                                                               \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

int archivefile_open(ArchiveFile *archive, const char *path, Error *err);
/* Reads no more than it needs; *ret_used is the size of header and TOC. */
int archivefile_read_toc(const ArchiveFile *archive, Toc **ret, size_t *ret_used, Error *err);
void archivefile_done(ArchiveFile *archive);

#endif
