/* A directory for a test. */
#ifndef KURA_TEST_TEMPDIR_H
#define KURA_TEST_TEMPDIR_H

/* A new one, under TMPDIR; its path, to be freed. */
char *tempdir_new(void);
/* Removes it with everything in it, following nothing. */
void tempdir_remove(const char *path);

#endif
