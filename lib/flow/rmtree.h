/* Cleaning up after a failure. */
#ifndef KURA_RMTREE_H
#define KURA_RMTREE_H

#include <stdbool.h>

/* Removes a directory that kura made and everything below it, as far as the system allows; follows no link in it.
 * With keep_top the directory itself stays, empty. */
void rmtree(const char *path, bool keep_top);

#endif
