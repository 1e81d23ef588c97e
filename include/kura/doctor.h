/* kura doctor: what would make the next backup, the next restore or the site itself fail. The checks are a table
 * (checks.def); each is a function that looks at one thing, reports what is wrong, and is silent when all is
 * well. They share a scene: what is looked at, and what was found out on the way. */
#ifndef KURA_DOCTOR_H
#define KURA_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/app.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/pg.h"
#include "kura/repo.h"
#include "kura/repokeys.h"

typedef enum DoctorId {
#define CHECK(id, name, severity, function, title, explanation) DOCTOR_##id,
#include "kura/checks.def"
#undef CHECK
    DOCTOR_COUNT
} DoctorId;

typedef struct DoctorScene DoctorScene;
typedef struct DoctorReplicas DoctorReplicas;

typedef struct DoctorCheck {
    const char *name;  /* "REPL-01": the id that people and machines use; it never changes its meaning */
    Severity severity; /* of what it reports */
    int (*run)(DoctorScene *scene, Error *err);
    const char *title;       /* what it looks at, in one line */
    const char *explanation; /* why it matters, how it is found out, what to do: full sentences */
} DoctorCheck;

extern const DoctorCheck doctor_checks[DOCTOR_COUNT];
/* By its name, in either case; NULL when there is none. */
const DoctorCheck *doctor_check_find(const char *name);

typedef enum DoctorOutcome {
    DOCTOR_NOT_RUN,
    DOCTOR_RAN,     /* with findings or without */
    DOCTOR_SKIPPED, /* there was nothing to look at, or what it needs was found wanting by another check */
    DOCTOR_FAILED   /* it could not be done: reported as a warning, too */
} DoctorOutcome;

typedef struct DoctorResult {
    DoctorOutcome outcome;
    char *reason; /* of a check that was skipped or failed */
} DoctorResult;

struct DoctorScene {
    /* Set by whoever makes it, and borrowed. All but findings may be absent: checks that need it are skipped. */
    const char *app; /* name of the application, as backups have it */
    const AppSite *site;
    const char *db;         /* conninfo of the database */
    const AppServer *redis; /* when none: the site's */
    size_t n_redis;
    Store *store;
    /* Opens the repository in the store with the keys that are at hand; given when store is. */
    int (*open_repo)(void *ctx, RepoUse use, Repo **ret, Error *err);
    void *ctx;
    bool has_identity; /* one of these keys is an identity */
    const char *root;  /* where the host's files are (/etc, /proc, programs); NULL: at / */
    const char *path;  /* directories of programs, below root; NULL: those of PATH */
    const char *pg_bindir;
    const char *location;                /* of the repository, as runs are remembered with it */
    const char *state_dir;               /* where this host remembers its runs */
    const char *cache_dir;               /* where backups keep what spares requests */
    const struct StandingLimits *limits; /* how old backups and rehearsals may be; NULL: the usual */
    double idle_seconds;                 /* how long a transaction may stand still; 0: a day */
    Findings *findings;                  /* those that are there already are taken for CONF-01's */

    /* Found out on the way, in the order of the table; owned by the scene. */
    bool reached;                   /* the storage answers */
    Repo *repo;                     /* NULL: there is none, or it cannot be opened */
    bool inside;                    /* the keys that are there open its locks */
    Manifest *newest;               /* NULL: there is none, or it cannot be read */
    PgConn *conn;                   /* to the database; see doctor_has_connection() */
    Error conn_error;               /* why there is none, once it was tried */
    bool pooled;                    /* it goes through a pooler */
    DoctorReplicas *replicas;       /* the application's, once they were asked (replicas.h) */
    struct RedisViews *redis_views; /* what servers of Redis said of themselves (redisview.h) */
    struct Clusters *clusters;      /* of PostgreSQL on this host (cluster.h) */
    DoctorId current;               /* the check that is running */
    DoctorResult results[DOCTOR_COUNT];
    DoctorId *of; /* which check each of the findings comes from */
    size_t n_of, cap_of;
};

/* Frees what was found out. */
void doctor_done(DoctorScene *scene);

/* Runs one check, and sets its result. Only an interruption makes it fail. */
int doctor_run(DoctorScene *scene, DoctorId id, Error *err);

/* ---- for checks ---- */

/* Reports something under the check that is running, with its severity: the evidence in PostgreSQL's style, the remedy
 * (or NULL) in full sentences. */
void doctor_report(DoctorScene *scene, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a severity of its own. */
void doctor_report_as(DoctorScene *scene, Severity severity, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The check could look at nothing, and why. Returns 0. */
int doctor_skip(DoctorScene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a check cannot do without: true when it is there, else the check is skipped, and returns 0. */
bool doctor_has_site(DoctorScene *scene);
bool doctor_has_repo(DoctorScene *scene);
/* Connects at the first call. Why that failed is reported by CONN-01 alone. */
bool doctor_has_connection(DoctorScene *scene);

#endif
