/* Command lines of a configuration file as argument vectors, without a shell. */
#ifndef KURA_ARGV_H
#define KURA_ARGV_H

#include "kura/buf.h"
#include "kura/error.h"

/* Splits a command line at blanks and tabs. In single quotes everything stands for itself; in double quotes a backslash
 * takes its meaning from '"' and '\' behind it; outside of quotes from any character. Nothing is expanded: a '$' or a
 * '*' is a letter like others. Appends to *ret (empty before). ERR_USAGE: a quote that does not end, nothing at all. */
int argv_split(const char *text, StrVec *ret, Error *err);

#endif
