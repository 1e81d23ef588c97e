/* Changing values in an application's own configuration where they stand, for another host: comments, order and layout
 * stay as they are. Pure: texts in, texts out. */
#ifndef KURA_APPEDIT_H
#define KURA_APPEDIT_H

#include "kura/app.h"

typedef struct AppEdit {
    char *key;      /* "db.host" */
    AppPlace place; /* of the value; insert: of one on the line before */
    char *value;    /* the new one; NULL: the line is made a comment */
    bool insert;    /* a line for the key is added behind that of the place, indented as it */
} AppEdit;

typedef struct AppEdits {
    AppEdit *v; /* in no order */
    size_t n, cap;
} AppEdits;

/* Where the application will find things. NULL: as it was. */
typedef struct AppTarget {
    const char *host, *port, *database, *user; /* of the database */
    bool keep_replicas; /* else nothing is read from replicas any more: they are the old host's */
    const StrVec *set;  /* "KEY=VALUE": any other setting */
} AppTarget;

/* The edits that make a configuration fit. What stays and may be wrong on another host - a Redis elsewhere, say - is
 * told as a finding. ERR_USAGE: a KEY=VALUE that is none, or whose key the configuration does not have. */
int app_retarget(const AppSite *site, const AppTarget *target, AppEdits *ret, Findings *findings, Error *err);
/* Adds an edit of that setting; NULL value: its line becomes a comment. None when it has that value already. */
void app_edits_set(AppEdits *edits, const AppSetting *setting, const char *value);
void app_edits_done(AppEdits *edits); /* NULL-safe; wipes values */

/* The names of the files that have edits, each once. */
void app_edits_files(const AppEdits *edits, StrVec *ret);
/* What a file of that name becomes. ERR_CORRUPT: it is not the one that was read. ERR_USAGE: a value cannot be written
 * in its format. */
int app_edit_text(const AppEdits *edits, const char *file, const char *text, size_t len, Buf *out, Error *err);
/* Appends the difference as a unified diff of changed lines alone, what is or may be a secret blanked. */
int app_edit_diff(const AppSite *site, const AppEdits *edits, const char *file, const char *text, size_t len, Buf *out,
                  Error *err);

/* The ending of a file that was replaced. */
#define APP_KEPT ".before-kura"

/* Reads a file of the site: below `beside`, if that is not NULL and has it, else in its directory. The buffer is for
 * secret_buf_done. */
int app_edits_read(const AppSite *site, const char *beside, const char *file, Buf *ret, Error *err);
/* Writes the files that have edits, changed, to their places in the site's directory, and all others that are below
 * `beside` (NULL: none are), with their modes and owners. A file that is there is kept as its name and APP_KEPT; one
 * that is equal already is left alone. No link is followed, neither at the end of a path nor on the way. Then the site
 * is read again: when that tells other values than were written, everything is put back and the error says so. The
 * lists get paths. */
int app_edits_apply(const AppSite *site, const AppEdits *edits, const char *beside, StrVec *ret_written,
                    StrVec *ret_kept, Error *err);

#endif
