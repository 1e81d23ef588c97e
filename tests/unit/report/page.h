/* A page as text, for assertions. */
#ifndef KURA_TEST_REPORT_PAGE_H
#define KURA_TEST_REPORT_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

/* The page of a rehearsal, which is freed, after that many ordinary nights. To be freed. */
char *page_of_rehearsal(Rehearsal *rehearsal, int nights);
/* The page of a repository, which is freed. To be freed. */
char *page_of_repository(RepositoryReport *report);

/* How often part is in the page. */
size_t times(const char *page, const char *part);
void assert_in(const char *page, const char *part);
void assert_not_in(const char *page, const char *part);
/* Each tag is one of those that pages are made of, and those that are opened are closed, in order. */
void assert_well_formed(const char *page);
/* Nothing that leads elsewhere, runs, or is named twice. */
void assert_self_contained(const char *page);

#endif
