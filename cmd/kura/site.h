/* The application that --app-dir names, for the commands that use what its own configuration tells. What options say
 * goes before it. */
#ifndef KURA_CMD_SITE_H
#define KURA_CMD_SITE_H

#include "session.h"

/* Reads it, once; it belongs to the session. *ret is NULL when no application is named. What is odd in its
 * configuration becomes findings of the session. */
int session_site(Session *session, AppSite **ret, Error *err);

/* The database of --db, else the application's; NULL: neither. With its password where the application's configuration
 * has one. It belongs to the session. */
int session_db(Session *session, const char **ret, Error *err);

/* Forgets what the two have read; passwords are wiped. */
void session_site_done(Session *session);

/* The name of the application in a backup: --app, else the profile's; NULL: none. */
const char *session_app(const Session *session);

/* ---- backup ---- */

/* The filesets of --files, and those of the application that have no namesake there and whose directory is there; what
 * is not becomes a finding. file_args_done for *ret. */
int session_files(Session *session, FileArgs *ret, Error *err);

/* Whether a fileset belongs into the repository, as --secrets says of those that hold passwords and keys. */
bool site_file_belongs(const Session *session, const FileArg *file, const Repo *repo);

/* Tells which filesets do not belong into the repository, unless that was asked for. */
void site_tell_left_out(Session *session, const FileArgs *files, const Repo *repo);

/* The patterns of --exclude-table-data and those of the application. */
void site_exclude_table_data(const Session *session, StrVec *ret);

/* What a person would call the bucket in which the application keeps its media; NULL: in none, or nobody knows. db: as
 * session_db() gives it; asked where only the database knows. To be freed. */
int site_find_bucket(Session *session, const char *db, char **ret, Error *err);
/* Tells when the application keeps its media in a bucket, of which a backup has nothing. */
int site_tell_object_storage(Session *session, const char *db, Error *err);

/* Tells which extensions of the application the database lacks. */
void site_tell_extensions(Session *session, const Manifest *manifest);

/* ---- rehearse and restore ---- */

/* The queries of --media-query, and those of the application for filesets of the backup that have none there. */
void site_media_queries(const Session *session, const Manifest *manifest, StrVec *ret);

/* Whether the application was named for this very restore, on the command line: then its own database and directories
 * may be restored into. */
bool site_is_target(const Session *session);

/* Adds the rule that gives what the application's role had in the backup to the role that the application uses here,
 * where it uses another one and nothing else says who gets what. */
int site_map_roles(Session *session, const Manifest *manifest, RoleMap *map, Error *err);

/* On the application's own server the application's role, where it may not make those of a rehearsal, stands for all.
 * server: the one that is used. */
int site_map_rehearsal(Session *session, const Manifest *manifest, const char *server, RoleMap *map, Error *err);

/* What a person is to do after a restore; NULL: nothing is known. */
const StrVec *site_after_restore(const Session *session);

#endif
