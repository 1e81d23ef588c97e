/* kura check: whether a constraint that does not exist yet would hold on the live data. Changes nothing. */
#ifndef KURA_CHECK_H
#define KURA_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"

typedef enum CheckKind { CHECK_FK, CHECK_UNIQUE, CHECK_NOT_NULL, CHECK_CHECK } CheckKind;

/* "fk", "unique", "not-null", "check". ERR_USAGE for another word. */
int check_kind_parse(const char *word, CheckKind *ret, Error *err);

typedef struct CheckOptions {
    const char *db;
    CheckKind kind;
    const char *spec; /* "goods(order_id) -> orders(id)"; "goods(sku)"; "goods(sku)"; "goods(price > 0)" */
    double timeout;   /* seconds that the server may take over it; 0: any */
    size_t sample;    /* violations to show */
} CheckOptions;

typedef struct CheckReport {
    char *table;       /* "public.goods", as SQL */
    char *constraint;  /* "FOREIGN KEY (order_id) REFERENCES public.orders (id)" */
    bool addable;      /* nothing is in the way now */
    uint64_t rows;     /* that violate it */
    uint64_t keys;     /* distinct values among them, for fk and unique; else 0 */
    StrVec columns;    /* of the sample */
    StrVec values;     /* row after row, as many as columns each; NULL is shown as "NULL" */
    char *query;       /* lists all of them */
    StrVec statements; /* that add it without keeping the application waiting */
} CheckReport;

/* Looks under one read-only snapshot. Violations, and what else would make the ALTER TABLE fail or wait, are findings
 * (warnings). ERR_USAGE: a spec that is not understood; ERR_NOT_FOUND: no such table or column. */
int check_run(const CheckOptions *options, CheckReport *ret, Findings *findings, Error *err);
void check_report_done(CheckReport *report);

#endif
