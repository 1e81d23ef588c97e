/* Which of the clusters on this host the site uses, and whether that is the one with its data. An upgrade of Debian
 * leaves two of them: the new one takes the port of the old one, which moves to another and is started by hand only. */
#include <string.h>

#include "cluster.h"
#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/text.h"
#include "kura/words.h"

/* template0, template1 and postgres take less than that together. */
#define EMPTY_CLUSTER (32ull << 20)
/* A database is not that much smaller than its copy unless it was just begun anew. */
enum { MUCH_LARGER = 10 };

/* Where the site believes its database to be. */
typedef struct Target {
    char *host, *port, *database;
} Target;

static void target_done(Target *target)
{
    free(target->host);
    free(target->port);
    free(target->database);
}

static Target target_of(const DoctorScene *scene)
{
    const AppServer *server = scene->site ? &scene->site->database : NULL;
    const char *db = scene->db ? scene->db : "";
    Target target = {
        .host = server ? xstrdup_null(server->host) : pg_conninfo_get(db, "host"),
        .port = server ? xstrdup_null(server->port) : pg_conninfo_get(db, "port"),
        .database = server ? xstrdup_null(server->database) : pg_conninfo_get(db, "dbname"),
    };
    if (target.port == NULL)
        target.port = xstrdup("5432");
    return target;
}

static bool is_local(const char *host)
{
    return host == NULL || host[0] == 0 || host[0] == '/' || strcmp(host, "localhost") == 0 ||
           strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* Whether the clusters of this host matter to the site. */
static bool has_clusters(DoctorScene *scene, const Target *target)
{
    if (scene->db == NULL)
        doctor_skip(scene, "no database is named");
    else if (!is_local(target->host))
        doctor_skip(scene, "the server of the site is on another host");
    else if (clusters_of(scene)->n == 0)
        doctor_skip(scene, "this host has no clusters below /etc/postgresql");
    return scene->results[scene->current].outcome != DOCTOR_SKIPPED;
}

/* Whether there is something to compare, and then looks into all clusters. */
static bool look_into_all(DoctorScene *scene, Target *target)
{
    if (!has_clusters(scene, target))
        return false;
    if (target->database == NULL) {
        doctor_skip(scene, "the database has no name of its own");
        return false;
    }
    Clusters *clusters = clusters_of(scene);
    for (size_t i = 0; i < clusters->n; i++)
        cluster_look(&clusters->v[i], scene, scene->db, target->host ? target->host : "localhost", target->database);
    return true;
}

/* The running cluster that the site reaches; NULL: none, or nobody knows. */
static const Cluster *find_used(const Clusters *clusters, const Target *target)
{
    for (size_t i = 0; i < clusters->n; i++)
        if (clusters->v[i].running && clusters->v[i].known && strcmp(clusters->v[i].port, target->port) == 0)
            return &clusters->v[i];
    return NULL;
}

const Cluster *cluster_of_site(DoctorScene *scene)
{
    _cleanup_(target_done) Target target = target_of(scene);
    const Clusters *clusters = is_local(target.host) ? clusters_of(scene) : NULL;
    for (size_t i = 0; clusters && i < clusters->n; i++)
        if (clusters->v[i].running && strcmp(clusters->v[i].port, target.port) == 0)
            return &clusters->v[i];
    return NULL;
}

/* ---- ports ---- */

static bool share_socket(const Cluster *a, const Cluster *b)
{
    const char *here = a->socket_dir ? a->socket_dir : "", *there = b->socket_dir ? b->socket_dir : "";
    return strcmp(a->port, b->port) == 0 && strcmp(here, there) == 0;
}

int check_cluster_ports(DoctorScene *scene, Error *err)
{
    _cleanup_(target_done) Target target = target_of(scene);
    if (!has_clusters(scene, &target))
        return 0;
    const Clusters *clusters = clusters_of(scene);
    for (size_t i = 0; i < clusters->n; i++)
        for (size_t k = i + 1; k < clusters->n; k++)
            if (share_socket(&clusters->v[i], &clusters->v[k]) && strcmp(clusters->v[i].start, "disabled") != 0 &&
                strcmp(clusters->v[k].start, "disabled") != 0)
                doctor_report(
                    scene,
                    "Set \"port\" in the postgresql.conf of one of them to another number, and restart that one.",
                    "the clusters %s and %s are both set to port %s: only the one that starts first will run",
                    clusters->v[i].name, clusters->v[k].name, clusters->v[i].port);
    return 0;
}

/* ---- data ---- */

/* How much of the data the other one holds that the used one lacks; 0: nothing worth a thought. */
static uint64_t held_instead(const Cluster *used, const Cluster *other)
{
    if (other == used || !other->known || !other->exists)
        return 0;
    bool empty = !used->exists || used->tables == 0;
    if (!other->running)
        return empty && other->bytes > EMPTY_CLUSTER ? other->bytes : 0;
    if (other->tables == 0)
        return 0;
    return empty || other->bytes / MUCH_LARGER > used->bytes ? other->bytes : 0;
}

/* "DB_PORT", or what it is called where the site has no key for it. */
static const char *port_key(const DoctorScene *scene)
{
    return scene->site && scene->site->database.port_key ? scene->site->database.port_key : _("the port");
}

static void report_instead(DoctorScene *scene, const Target *target, const Cluster *used, const Cluster *other)
{
    char size[TEXT_SIZE];
    _cleanup_free_ char *remedy =
        other->running
            ? xasprintf(
                  _("Stop the site, and set %s to %s, or let the two clusters change ports. Look at both databases "
                    "before you drop one of them."),
                  port_key(scene), other->port)
            : xasprintf(
                  _("Stop the site, start the cluster with \"pg_ctlcluster %.*s %s start\", look at what it holds, "
                    "and set %s to %s."),
                  (int)strcspn(other->name, "/"), other->name, strchr(other->name, '/') + 1, port_key(scene),
                  other->port);
    text_bytes(other->bytes, size);
    if (!used->exists && other->running)
        doctor_report(
            scene, remedy,
            "the site is set to port %s, cluster %s, which has no database \"%s\"; that of cluster %s on port "
            "%s has %s",
            target->port, used->name, target->database, other->name, other->port, size);
    else if (!used->exists)
        doctor_report(
            scene, remedy,
            "the site is set to port %s, cluster %s, which has no database \"%s\"; cluster %s, set to port %s, "
            "is down and holds %s",
            target->port, used->name, target->database, other->name, other->port, size);
    else if (other->running)
        doctor_report(scene, remedy,
                      "the site is set to port %s, cluster %s, where the database \"%s\" is all but empty, with %ju "
                      "tables; that of cluster %s on port %s has %s",
                      target->port, used->name, target->database, (uintmax_t)used->tables, other->name, other->port,
                      size);
    else
        doctor_report(scene, remedy,
                      "the site is set to port %s, cluster %s, where the database \"%s\" is all but empty, with %ju "
                      "tables; cluster %s, set to port %s, is down and holds %s",
                      target->port, used->name, target->database, (uintmax_t)used->tables, other->name, other->port,
                      size);
}

int check_cluster_empty(DoctorScene *scene, Error *err)
{
    _cleanup_(target_done) Target target = target_of(scene);
    if (!look_into_all(scene, &target))
        return 0;
    const Clusters *clusters = clusters_of(scene);
    const Cluster *used = find_used(clusters, &target);
    if (used == NULL)
        return doctor_skip(scene, "which cluster the site uses cannot be told");
    for (size_t i = 0; i < clusters->n; i++)
        if (held_instead(used, &clusters->v[i]) > 0)
            report_instead(scene, &target, used, &clusters->v[i]);
    return 0;
}

int check_cluster_twins(DoctorScene *scene, Error *err)
{
    char here[TEXT_SIZE], there[TEXT_SIZE];
    _cleanup_(target_done) Target target = target_of(scene);
    if (!look_into_all(scene, &target))
        return 0;
    const Clusters *clusters = clusters_of(scene);
    const Cluster *used = find_used(clusters, &target);
    if (used == NULL || !used->exists || used->tables == 0)
        return 0;
    for (size_t i = 0; i < clusters->n; i++) {
        const Cluster *other = &clusters->v[i];
        if (other == used || !other->running || !other->known || other->tables == 0 || held_instead(used, other) > 0)
            continue;
        doctor_report(
            scene,
            "Make sure that the site's posts of today are in the one it is set to. Rename the other one, so "
            "that nobody takes it for the site's: ALTER DATABASE .. RENAME TO ..",
            "a database \"%s\" is in two clusters: %s on port %s, which the site is set to, with %s, and %s on "
            "port %s with %s",
            target.database, used->name, used->port, text_bytes(used->bytes, here), other->name, other->port,
            text_bytes(other->bytes, there));
    }
    return 0;
}

/* ---- what is down ---- */

int check_cluster_down(DoctorScene *scene, Error *err)
{
    _cleanup_(target_done) Target target = target_of(scene);
    if (!has_clusters(scene, &target))
        return 0;
    const Clusters *clusters = clusters_of(scene);
    for (size_t i = 0; i < clusters->n; i++) {
        const Cluster *cluster = &clusters->v[i];
        if (cluster->running || strcmp(cluster->start, "auto") != 0)
            continue;
        _cleanup_free_ char *remedy = xasprintf(
            _("Look at the end of its log below /var/log/postgresql, and start it with \"pg_ctlcluster %.*s %s "
              "start\"; or "
              "write \"manual\" into its start.conf, if it is not needed any more."),
            (int)strcspn(cluster->name, "/"), cluster->name, strchr(cluster->name, '/') + 1);
        doctor_report(scene, remedy, "cluster %s on port %s is down, and is set to start with the system",
                      cluster->name, cluster->port);
    }
    return 0;
}
