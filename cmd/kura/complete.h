/* What a shell may offer for the word being typed. The shells' own scripts (share/completions) only ask and show. */
#ifndef KURA_CMD_COMPLETE_H
#define KURA_CMD_COMPLETE_H

#include <stddef.h>
#include <stdio.h>

/* The command that the scripts ask with: "kura __complete WORD..", which is none of the table, for nobody types it. */
#define COMPLETE_COMMAND "__complete"

/* Writes what the last of n words may become, one a line, with a tab and an explanation behind it where there is one.
 * The words are those of a command line behind the program's name, the last as far as it was typed. A line ":file" or
 * ":dir" asks the shell for names of files or directories, which follow what ends with '=' in the last word.
 *
 * It reads the configuration and the directory of a local repository, asks no server, tells no error, and ends the
 * process after two seconds when a file system does not answer. */
void complete_write(const char *const words[], size_t n, FILE *out);

#endif
