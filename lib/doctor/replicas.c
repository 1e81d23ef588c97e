#include "replicas.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/secret.h"

enum { CONNECT_SECONDS = 5, QUESTION_SECONDS = 10 };

void doctor_replicas_free(DoctorReplicas *replicas)
{
    if (replicas == NULL)
        return;
    for (size_t i = 0; i < replicas->n; i++) {
        free(replicas->v[i].name);
        pg_close(replicas->v[i].conn);
        replication_server_done(&replicas->v[i].server);
    }
    free(replicas->v);
    free(replicas->role);
    replication_primary_done(&replicas->primary);
    free(replicas);
}

static void connect_replica(const AppServer *server, DoctorReplica *replica)
{
    const PgOptions options = {.connect_timeout = CONNECT_SECONDS};
    char *conninfo = app_conninfo(server, true);
    Error *why = &replica->unreachable;
    if (pg_connect(conninfo, &options, &replica->conn, why) == 0) {
        pg_set_deadline(replica->conn, QUESTION_SECONDS);
        if (replication_server(replica->conn, &replica->server, why) < 0) {
            pg_close(replica->conn);
            replica->conn = NULL;
        }
    }
    secret_wipe(conninfo, strlen(conninfo));
    free(conninfo);
}

static void connect_all(const AppSite *site, DoctorReplicas *replicas)
{
    replicas->n = site->n_replicas;
    replicas->v = xcalloc(replicas->n, sizeof *replicas->v);
    for (size_t i = 0; i < replicas->n; i++) {
        const AppServer *server = &site->replicas[i];
        replicas->v[i].name = xasprintf("%s (%s:%s)", server->role, server->host ? server->host : "localhost",
                                        server->port ? server->port : "5432");
        connect_replica(server, &replicas->v[i]);
    }
}

bool doctor_replication(DoctorScene *scene, const DoctorReplicas **ret, Error *err)
{
    if (!doctor_has_connection(scene))
        return false;
    if (scene->replicas == NULL) {
        const AppSite *site = scene->site;
        DoctorReplicas *replicas = xcalloc(1, sizeof *replicas);
        replicas->role = xstrdup(site && site->database.user ? site->database.user : pg_user(scene->conn));
        if (replication_primary(scene->conn, replicas->role, &replicas->primary, err) < 0) {
            doctor_replicas_free(replicas);
            return false;
        }
        if (site)
            connect_all(site, replicas);
        scene->replicas = replicas;
    }
    *ret = scene->replicas;
    return true;
}

static bool both(const char *a, const char *b)
{
    return a && b;
}

bool replica_is_foreign(const DoctorReplicas *replicas, const DoctorReplica *replica)
{
    const char *here = replicas->primary.server.system_identifier, *there = replica->server.system_identifier;
    return both(here, there) && strcmp(here, there) != 0;
}

bool replica_is_primary(const DoctorReplicas *replicas, const DoctorReplica *replica)
{
    const char *here = replicas->primary.server.started, *there = replica->server.started;
    return !replica_is_foreign(replicas, replica) && both(here, there) && strcmp(here, there) == 0;
}
