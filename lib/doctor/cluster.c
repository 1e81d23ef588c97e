#include "cluster.h"

#include <fts.h>
#include <string.h>

#include "kura/databases.h"
#include "kura/mem.h"
#include "pgconf.h"

#define CLUSTERS "/etc/postgresql"

/* ---- finding them ---- */

/* The first of a list such as "/run/postgresql, /tmp"; NULL when it is empty. To be freed. */
static char *first_dir(const DoctorScene *scene, const char *list)
{
    list += strspn(list, " ,\"");
    size_t len = strcspn(list, ",\"");
    _cleanup_free_ char *dir = xstrndup(list, len);
    return dir[0] == '/' ? host_path(scene, dir) : NULL;
}

/* start.conf is one word among comments. To be freed. */
static char *read_start(const DoctorScene *scene, const char *dir)
{
    enum { START_MAX = 64 * 1024 };
    _cleanup_(buf_done) Buf text = BUF_INIT(START_MAX);
    _cleanup_free_ char *path = xasprintf("%s/start.conf", dir);
    Error why = ERROR_INIT;
    if (host_read(scene, path, &text, &why) < 0)
        return xstrdup("auto");
    for (const char *line = buf_str(&text); *line;) {
        size_t len = strcspn(line, "\n"), word = strspn(line, "abcdefghijklmnopqrstuvwxyz");
        if (word > 0)
            return xstrndup(line, word);
        line += len + (line[len] == '\n');
    }
    return xstrdup("auto");
}

/* Who holds the socket's lock: its second line is a data directory. Where it may not be read, whoever answers. */
static bool holds_socket(const DoctorScene *scene, const Cluster *cluster)
{
    enum { LOCK_MAX = 64 * 1024 };
    _cleanup_(buf_done) Buf text = BUF_INIT(LOCK_MAX);
    _cleanup_free_ char *path = xasprintf("%s/.s.PGSQL.%s.lock", cluster->socket_dir, cluster->port);
    DoctorScene here = {.root = NULL};
    Error why = ERROR_INIT;
    if (cluster->data_dir == NULL || host_read(&here, path, &text, &why) < 0)
        return true;
    char *line = strchr(buf_str(&text), '\n');
    if (line == NULL)
        return true;
    line[1 + strcspn(line + 1, "\n")] = 0;
    _cleanup_free_ char *below = host_path(scene, cluster->data_dir);
    return strcmp(line + 1, cluster->data_dir) == 0 || strcmp(line + 1, below) == 0;
}

static bool answers(const DoctorScene *scene, const Cluster *cluster)
{
    if (cluster->socket_dir == NULL) {
        _cleanup_free_ char *pid = xasprintf("%s/postmaster.pid", cluster->data_dir ? cluster->data_dir : "");
        return host_exists(scene, pid);
    }
    const char *keys[] = {"host", "port", "connect_timeout", NULL};
    const char *values[] = {cluster->socket_dir, cluster->port, "5", NULL};
    PGPing answer = PQpingParams(keys, values, 0);
    return (answer == PQPING_OK || answer == PQPING_REJECT) && holds_socket(scene, cluster);
}

static const char *or_else(const char *value, const char *usual)
{
    return value && value[0] ? value : usual;
}

static bool read_cluster(const DoctorScene *scene, const char *version, const char *name, Cluster *ret)
{
    _cleanup_(pgconf_done) PgConf conf = {0};
    _cleanup_free_ char *dir = xasprintf(CLUSTERS "/%s/%s", version, name);
    _cleanup_free_ char *file = xasprintf("%s/postgresql.conf", dir);
    Error why = ERROR_INIT;
    if (pgconf_read(scene, file, &conf, &why) < 0)
        return false;
    char *data_dir = xstrdup_null(pgconf_get(&conf, "data_directory"));
    if (data_dir) { /* what ALTER SYSTEM has set goes before all */
        _cleanup_free_ char *own = xasprintf("%s/postgresql.auto.conf", data_dir);
        pgconf_read(scene, own, &conf, &why);
    }
    const char *sockets = pgconf_get(&conf, "unix_socket_directories");
    *ret = (Cluster){.name = xasprintf("%s/%s", version, name),
                     .data_dir = data_dir,
                     .port = xstrdup(or_else(pgconf_get(&conf, "port"), "5432")),
                     .socket_dir = first_dir(scene, sockets ? sockets : "/var/run/postgresql"),
                     .start = read_start(scene, dir)};
    ret->running = answers(scene, ret);
    return true;
}

static Clusters *find_clusters(const DoctorScene *scene)
{
    Clusters *clusters = xcalloc(1, sizeof *clusters);
    size_t cap = 0;
    _cleanup_(strvec_done) StrVec versions = {0};
    host_list(scene, CLUSTERS, "", &versions);
    for (size_t i = 0; i < versions.n; i++) {
        _cleanup_(strvec_done) StrVec names = {0};
        _cleanup_free_ char *dir = xasprintf(CLUSTERS "/%s", versions.v[i]);
        host_list(scene, dir, "", &names);
        for (size_t k = 0; k < names.n; k++) {
            xgrow(&clusters->v, &cap, clusters->n);
            clusters->n += read_cluster(scene, versions.v[i], names.v[k], &clusters->v[clusters->n]);
        }
    }
    return clusters;
}

Clusters *clusters_of(DoctorScene *scene)
{
    if (scene->clusters == NULL)
        scene->clusters = find_clusters(scene);
    return scene->clusters;
}

void clusters_free(Clusters *clusters)
{
    if (clusters == NULL)
        return;
    for (size_t i = 0; i < clusters->n; i++) {
        free(clusters->v[i].name);
        free(clusters->v[i].data_dir);
        free(clusters->v[i].port);
        free(clusters->v[i].socket_dir);
        free(clusters->v[i].start);
    }
    free(clusters->v);
    free(clusters);
}

/* ---- looking into them ---- */

static bool ask(Cluster *cluster, PgConn *conn)
{
    Error why = ERROR_INIT;
    if (catalog_database_weight(conn, &cluster->tables, &cluster->bytes, &why) < 0)
        return false;
    cluster->known = cluster->exists = true;
    return true;
}

/* Whether that settled it. */
static bool try_host(Cluster *cluster, const char *conninfo, const char *host, const char *database)
{
    enum { CONNECT_SECONDS = 5 };
    const PgOptions options = {.dbname = database, .connect_timeout = CONNECT_SECONDS};
    _cleanup_free_ char *there = NULL;
    Error why = ERROR_INIT;
    PgConn *conn = NULL;
    if (pg_conninfo_at(conninfo, host, cluster->port, &there, &why) < 0)
        return false;
    if (pg_connect(there, &options, &conn, &why) < 0) {
        cluster->known = strcmp(why.sqlstate, "3D000") == 0;
        return cluster->known;
    }
    bool settled = ask(cluster, conn);
    pg_close(conn);
    return settled;
}

/* Bytes of the files of all databases; false where they may not be seen. */
static bool weigh(const DoctorScene *scene, const char *data_dir, uint64_t *ret)
{
    enum { FILES_MAX = 1000000 };
    _cleanup_free_ char *base = xasprintf("%s/base", data_dir), *here = host_path(scene, base);
    char *roots[] = {here, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    size_t files = 0;
    *ret = 0;
    if (walk == NULL)
        return false;
    for (FTSENT *entry; files < FILES_MAX && (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info != FTS_F)
            continue;
        files++;
        *ret += (uint64_t)entry->fts_statp->st_size;
    }
    fts_close(walk);
    return files > 0;
}

void cluster_look(Cluster *cluster, const DoctorScene *scene, const char *conninfo, const char *host,
                  const char *database)
{
    if (cluster->looked)
        return;
    cluster->looked = true;
    if (!cluster->running)
        cluster->known = cluster->exists = cluster->data_dir && weigh(scene, cluster->data_dir, &cluster->bytes);
    else if (cluster->socket_dir == NULL || !try_host(cluster, conninfo, cluster->socket_dir, database))
        try_host(cluster, conninfo, host, database);
}
