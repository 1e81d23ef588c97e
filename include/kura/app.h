/* An application as its own configuration tells it: where its database, media and secrets are, and what a backup, a
 * restore and a doctor must know of it. What kura knows of each application stands in its profile. */
#ifndef KURA_APP_H
#define KURA_APP_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"

/* Filesets that mean the same in every profile: the application's configuration and secrets; a dump of its Redis. */
#define APP_CONFIG_FILESET "config"
#define APP_REDIS_FILESET "redis"

/* Where a value stands in a file of the application, so that it can be shown and rewritten in place. */
typedef struct AppPlace {
    char *file;         /* path, relative to the application's directory; NULL: it is a default, or the environment's */
    unsigned line;      /* 1 and more */
    size_t offset, len; /* bytes of the value as it is written, quotes included */
} AppPlace;

typedef struct AppSetting {
    const char *key; /* as the file calls it: "db.host", "DB_HOST"; owned by the site */
    char *value;     /* as the application reads it */
    AppPlace place;
} AppSetting;

/* A server of PostgreSQL or Redis as the application reaches it. Members are NULL where nothing is said. */
typedef struct AppServer {
    char *role; /* what for: "database", "dbSlaves[0]", "redisForJobQueue", "SIDEKIQ_REDIS" */
    char *host, *port, *database, *user, *password, *sslmode, *prefix;
    char *tls; /* what else a URL says of TLS, for libpq: "sslrootcert='/etc/ca.pem'" */
    /* Keys of the settings that name them, for messages and for a move, also where a default counts; NULL: the
     * profile does not know one. url_key: the setting that says all of it in one, where there is one. */
    char *host_key, *port_key, *database_key, *user_key, *url_key;
} AppServer;

/* A directory, or some files below it, that travel with the database. */
typedef struct AppFileset {
    char *name;     /* "media", "config" */
    char *root;     /* need not be there */
    StrVec only;    /* patterns of what alone is taken; none: all */
    StrVec exclude; /* patterns of what can be fetched again or made anew: left out unless told otherwise */
    bool secret;    /* only into an encrypted repository, unless told otherwise */
} AppFileset;

/* The tool that migrates the schema, and where its migrations are in the code. */
typedef struct AppSchema {
    char *tool;       /* "rails", "typeorm", ... (schema.h); NULL: not known */
    char *table;      /* where it is not the tool's usual one; else NULL */
    StrVec dirs;      /* of migrations, relative to the application's directory */
    StrVec post_dirs; /* .. of those that may be run after the deployment */
    char *version;    /* of the code, where the tool has one number: file and pattern are the profile's; else NULL */
    char *migrate;    /* command that brings the database up to the code, for a person to run */
    char *ask;        /* .. that tells whether they fit, where only the program itself knows; NULL */
} AppSchema;

/* A secret whose loss or exchange makes data of the database unreadable. Never printed. */
typedef struct AppSecret {
    char *name;  /* the setting: "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY" */
    char *value; /* NULL: it is not set */
    bool required;
    char *needed_for; /* "two-factor logins" */
} AppSecret;

/* Keys that belong together, and how to prove it: two settings, or what a sample of rows holds. */
typedef struct AppKeyProof {
    char *kind; /* "rails": a column that ActiveRecord encrypted with password and salt; "pem": a public key and its
                   private one; "vapid": the same for web push */
    char *sql;  /* the rows with that column, or those two; NULL: the settings are meant */
    char *public_key, *private_key, *password, *salt; /* what settings say; NULL: nothing, then it proves nothing */
    char *needed_for;                                 /* "two-factor logins" */
} AppKeyProof;

typedef struct AppSite {
    char *name;    /* of the profile: "misskey" */
    char *title;   /* "Misskey" */
    char *dir;     /* absolute path of the application */
    char *version; /* of the code; NULL: not found */
    char *fork;    /* name of the package where it is not the usual one; NULL */
    AppServer database;
    AppServer *replicas;
    size_t n_replicas;
    bool reads_replicas; /* the application reads from them what it has just written */
    AppServer *redis;
    size_t n_redis;
    AppFileset *filesets;
    size_t n_filesets;
    char *object_storage;     /* the bucket that holds the media; NULL: none, or the database knows */
    char *object_storage_sql; /* a query for that: one row, whether there is one and the name of the bucket; NULL */
    char *stray_media_sql;    /* a query for how many files of other servers lie among its own; NULL */
    char *stray_media_cure;   /* the command that moves them, for a person to run; NULL */
    AppSchema schema;
    AppSecret *secrets;
    size_t n_secrets;
    AppKeyProof *key_proofs;
    size_t n_key_proofs;
    StrVec extensions;         /* that its database needs */
    StrVec exclude_table_data; /* patterns: data that must not be restored */
    StrVec media_queries;      /* "FILESET=SQL": files that rows name (rehearse --media-query) */
    StrVec after_restore;      /* commands for a person to run, in order */
    StrVec services;           /* systemd units to stop before a move, in order */
    StrVec programs;           /* that must be on PATH; "a|b": one of them suffices */
    StrVec must_exist;         /* files and directories below dir that it cannot start without */
    StrVec environment;        /* what was given as such, "NAME=VALUE"; reading it again takes the same */
    AppSetting *settings;      /* all that was read of its configuration */
    size_t n_settings;
} AppSite;

/* Reads an application's configuration. profile: its name, or NULL to have it recognised by what is in the directory.
 * What is odd but can be lived with is added to findings. ERR_NOT_FOUND: no application is there that a profile knows;
 * the hint tells which there are. *ret to be freed with app_site_free. */
int app_site_read(const char *dir, const char *profile, AppSite **ret, Findings *findings, Error *err);
/* The same as it would be if other files stood in the directory, or the environment were another. */
typedef struct AppBeside {
    const char *dir;  /* files below it go before those of the same name: a configuration that was restored */
    bool assume_code; /* what the profile asks the existence of is taken to be there: code that is not installed yet */
    const StrVec *environment; /* "NAME=VALUE" that go before this process's own; NULL: none. ERR_USAGE for what the
                                  profile does not ask for */
} AppBeside;
int app_site_read_beside(const char *dir, const AppBeside *beside, const char *profile, AppSite **ret,
                         Findings *findings, Error *err);
void app_site_free(AppSite *site); /* NULL-safe; wipes passwords and secrets */

/* Puts what the URL of a server of PostgreSQL or Redis says into `server`, in the place of what was there; what it does
 * not say stays. The message of an error does not quote it. */
int app_server_read_url(const char *url, AppServer *server, Error *err);
/* Wipes and frees what is inside of one that belongs to no site. */
void app_server_done(AppServer *server);

/* The setting of that key; NULL: nothing says it. */
const AppSetting *app_setting(const AppSite *site, const char *key);

/* How to connect to a server of PostgreSQL, as a libpq connection string, with or without its password. To be freed;
 * with the password it is a secret (secret.h). */
char *app_conninfo(const AppServer *server, bool with_password);

/* Names of all profiles, those of users first. */
int app_profile_names(StrVec *ret, Error *err);

#endif
