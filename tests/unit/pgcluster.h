/* A PostgreSQL server of a test's own: made by initdb in a temporary directory, on a Unix socket there, gone with the
 * test however that ends. Run as root it belongs to user postgres. */
#ifndef KURA_TEST_PGCLUSTER_H
#define KURA_TEST_PGCLUSTER_H

typedef struct PgCluster PgCluster;

/* The programs come from $KURA_TEST_PGBIN or from where pgtools_find() finds them. Members of a
 * role pw_all need a password, nobody else does. Role postgres is the superuser. settings is NULL-terminated,
 * "name=value"; may be NULL. Aborts with the reason when the server does not come up. With $KURA_TEST_CONNINFO that
 * server is used instead (for versions that cannot be installed beside others); it must be a fresh one with the same
 * settings and pg_hba.conf. */
PgCluster *pgcluster_start(const char *const *settings);
void pgcluster_stop(PgCluster *cluster);
/* As superuser, database postgres. */
const char *pgcluster_conninfo(const PgCluster *cluster);

#endif
