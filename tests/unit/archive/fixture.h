/* The archives of tests/fixtures/archives (made by make-archives.sh beside them), and readers of them that assert. */
#ifndef KURA_TEST_FIXTURE_H
#define KURA_TEST_FIXTURE_H

#include "kura/buf.h"
#include "kura/toc.h"

enum { N_MAJORS = 4 };
extern const int fixture_majors[N_MAJORS];

/* The file archives/pg<major>.<name>. */
Buf fixture_load(int major, const char *name);
/* Its table of contents, read as a directory's when the name ends in "toc.dat". */
Toc *fixture_toc(int major, const char *name);
/* A TOC written in its own format. */
Buf written(const Toc *toc);
/* Leaves one entry of each type: all that the format has, in fewer bytes. */
void keep_one_of_each_type(Toc *toc);
/* The first entry of a type with a tag (NULL: any). */
TocEntry *entry_of(const Toc *toc, const char *desc, const char *tag);

#endif
