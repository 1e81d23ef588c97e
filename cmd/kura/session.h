/* One run of a command: what it was told, where its output goes, the repository it opened. */
#ifndef KURA_CMD_SESSION_H
#define KURA_CMD_SESSION_H

#include <jansson.h>
#include <stdio.h>

#include "config.h"
#include "kura/app.h"
#include "kura/fileset.h"
#include "kura/manifest.h"
#include "kura/progress.h"
#include "kura/repokeys.h"
#include "kura/rolemap.h"
#include "kura/runstate.h"
#include "options.h"

typedef struct Session {
    const Options *options;
    const Config *config;
    bool json;
    FILE *out;
    Findings findings;
    bool findings_told; /* the command has printed them as its result */
    bool failed;        /* .. and that something failed */
    int status;         /* exit status of a command that did what it was asked; -1: the usual one */
    int nagios;         /* exit status for monitors; -1: the usual one */
    bool trusted;       /* what the configuration says to run and to ping may be */
    double began;       /* clock_monotonic() */
    mode_t umask;       /* the caller's, for programs that run in his place */
    RunRecord run;      /* what the command says of itself: backup, verdict, figures */
    Progress progress;
    /* The members of the JSON document, unless the command has begun to write the document itself: then error and
     * findings are still to follow, and the closing brace. */
    json_t *document;
    bool document_begun;
    Store *store;
    AgeIdentities *identities; /* of --identity; NULL: none */
    Repo *repo;                /* after session_open_repo() */
    AppSite *site;             /* of --app-dir, after session_site(); see site.h */
    char *site_db;             /* how to connect to its database, with the password; NULL: not asked yet */
} Session;

void session_init(Session *session, const Options *options, const Config *config, FILE *out);
void session_done(Session *session);

/* Adds a member to the JSON document; takes the reference. */
void session_set(Session *session, const char *member, json_t *value);

/* Where this host remembers its runs (runstate.h); NULL: nowhere. To be freed. */
char *session_state_dir(const Session *session);

/* The location of the repository; NULL with ERR_USAGE when none is named. */
const char *session_location(const Session *session, Error *err);
/* How to reach it; the strings are borrowed from the options. */
StoreOptions session_store_options(const Options *options);
/* Where the cache is, by the options; NULL: there shall be none. To be freed. */
char *session_cache_dir(const Options *options);
/* Opens the store at that location, as the options of storage say; with create a directory is made. Once. */
int session_open_store(Session *session, bool create, Error *err);
/* Opens the store and the repository in it. Once. */
int session_open_repo(Session *session, Error *err);
/* The same for another use than reading. */
int session_open_repo_for(Session *session, RepoUse use, Error *err);
/* The full ids of the backups that the arguments name, each once; none without arguments. */
int session_resolve(const Session *session, StrVec *ret, Error *err);
/* Opens the repository and loads the backup that `name` stands for. */
int session_load_backup(Session *session, const char *name, Manifest **ret, Error *err);

/* Whether an argument means a pg_dump archive rather than a backup: it holds a slash or exists as a file. */
bool is_archive(const char *name);

/* The role map of --map and --map-file; an empty one without them. */
int session_rolemap(const Session *session, RoleMap **ret, Error *err);

/* The paths of --path; NULL without one. */
int session_paths(const Session *session, FilesetPaths **ret, Error *err);

/* The --files of the command, checked: names are well-formed and unique. */
typedef struct FileArg {
    char *name;
    const char *dir;       /* borrowed from the options, or the application */
    const AppFileset *app; /* it is the application's own (site.h); else NULL */
} FileArg;
typedef struct FileArgs {
    FileArg *v;
    size_t n;
} FileArgs;
int file_args_parse(const StrVec *list, FileArgs *ret, Error *err);
void file_args_done(FileArgs *args);

DEFINE_CLEANUP(Manifest, manifest_free)
DEFINE_CLEANUP(RoleMap, rolemap_free)
DEFINE_CLEANUP(Toc, toc_free)

#endif
