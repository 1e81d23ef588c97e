/* Whether the replicas are there, and are replicas of this server; whether commits wait for one that is not. */
#include <stdlib.h>

#include "kura/mem.h"
#include "replicas.h"

static bool has_replicas(DoctorScene *scene, const DoctorReplicas **ret, Error *err)
{
    if (!doctor_has_site(scene))
        return false;
    if (scene->site->n_replicas == 0) {
        doctor_skip(scene, "the application's configuration names no replica");
        return false;
    }
    return doctor_replication(scene, ret, err);
}

/* A check that stops early has skipped, which is no failure, or failed. */
static int stopped(const Error *err)
{
    return err->code == ERR_NONE ? 0 : -1;
}

static void judge_state(DoctorScene *scene, const DoctorReplicas *replicas, const DoctorReplica *replica)
{
    if (replica->conn == NULL)
        doctor_report(scene,
                      replica->unreachable.hint[0] ? replica->unreachable.hint
                                                   : "Start it, or take it out of the application's configuration.",
                      "the replica %s cannot be asked: %s", replica->name, replica->unreachable.message);
    else if (!replica->server.recovery && !replica_is_primary(replicas, replica) &&
             !replica_is_foreign(replicas, replica))
        doctor_report(scene,
                      "It was promoted, and nothing that is written to the other one arrives there. Find out which of "
                      "them the application shall write to before anything else; make the other one a standby anew.",
                      "the replica %s is no standby, but takes writes itself", replica->name);
    else if (replica->server.paused)
        doctor_report(scene, "Run SELECT pg_wal_replay_resume() there.",
                      "the replay of the replica %s is paused, so that nothing new is seen there", replica->name);
}

int check_replica_state(DoctorScene *scene, Error *err)
{
    const DoctorReplicas *replicas;
    if (!has_replicas(scene, &replicas, err))
        return stopped(err);
    if (replicas->primary.server.recovery)
        doctor_report(scene, "Point the application's configuration at the primary.",
                      "the server that the application writes to, %s, is a standby", pg_where(scene->conn));
    for (size_t i = 0; i < replicas->n; i++)
        judge_state(scene, replicas, &replicas->v[i]);
    return 0;
}

int check_replica_system(DoctorScene *scene, Error *err)
{
    const DoctorReplicas *replicas;
    if (!has_replicas(scene, &replicas, err))
        return stopped(err);
    const char *here = replicas->primary.server.system_identifier;
    for (size_t i = 0; i < replicas->n; i++) {
        const DoctorReplica *replica = &replicas->v[i];
        const char *there = replica->server.system_identifier;
        if (replica->conn && (here == NULL || there == NULL))
            doctor_report_as(
                scene, FINDING_NOTE, "GRANT EXECUTE ON FUNCTION pg_control_system() to the roles of both connections.",
                "whether the replica %s belongs to this primary cannot be told: a role may not ask for the "
                "system identifier",
                replica->name);
        else if (replica->conn && replica_is_foreign(replicas, replica))
            doctor_report(scene,
                          "Point the application's configuration at a standby of this primary: after a move the old "
                          "host may still be named.",
                          "the replica %s is of another database cluster: its system identifier is %s, that of the "
                          "primary %s",
                          replica->name, there, here);
    }
    return 0;
}

/* Where the standbys cannot be looked at, a commit tells. */
static int try_commit(DoctorScene *scene, const ReplPrimary *primary, Error *err)
{
    enum { SECONDS = 3 };
    bool hung;
    if (replication_commit_hangs(scene->conn, primary->commit, SECONDS, &hung, err) < 0)
        return -1;
    if (hung)
        doctor_report(scene, "Bring the standby back, or take it out of synchronous_standby_names and reload.",
                      "a commit did not return within %d s: it waits for standbys of synchronous_standby_names = '%s'",
                      SECONDS, primary->names_text);
    return 0;
}

int check_standby_missing(DoctorScene *scene, Error *err)
{
    const DoctorReplicas *replicas;
    if (!doctor_replication(scene, &replicas, err))
        return stopped(err);
    const ReplPrimary *primary = &replicas->primary;
    if (primary->names.count == 0 || primary->server.recovery)
        return 0;
    if (!primary->standbys.seen)
        return try_commit(scene, primary, err);
    unsigned missing = replication_missing(primary);
    if (missing > 0)
        doctor_report(scene, "Bring the standby back, or take it out of synchronous_standby_names and reload.",
                      "commits wait for ever: of %u synchronous standbys %u are not there (synchronous_standby_names = "
                      "'%s')",
                      primary->names.count, missing, primary->names_text);
    return 0;
}
