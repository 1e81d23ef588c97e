/* Story 000: an application that reads from replicas what it has just written. */
#include <stdlib.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "replicas.h"

enum { SAMPLES = 20 };
static const double probe_seconds = 2;

/* The application, the replica, synchronous_standby_names, synchronous_commit, what was measured. */
static const char *const evidence[] = {
    [READS_NO_STANDBYS] = N_("%s reads what it has just written from %s, and no standby is synchronous "
                             "(synchronous_standby_names = '%s', synchronous_commit = %s); %s"),
    [READS_COMMIT] =
        N_("%s reads what it has just written from %s, and a commit waits until that has the change on disk, not "
           "until it can be read there (synchronous_standby_names = '%s', synchronous_commit = %s); %s"),
    [READS_ASYNC] = N_("%s reads what it has just written from %s, which is asynchronous (synchronous_standby_names = "
                       "'%s', synchronous_commit = %s); %s"),
    [READS_QUORUM] =
        N_("%s reads what it has just written from %s, and a commit waits for some of the replicas, not for each "
           "(synchronous_standby_names = '%s', synchronous_commit = %s); %s"),
    [READS_UNSEEN] = N_("%s reads what it has just written from %s, and whether that is synchronous cannot be seen "
                        "(synchronous_standby_names = '%s', synchronous_commit = %s); %s"),
    [READS_OWN_WRITES] =
        N_("%s does not find what it has just written on %s, though by the settings a commit waits for it "
           "(synchronous_standby_names = '%s', synchronous_commit = %s); %s"),
};

static char *remedy(const DoctorReplicas *replicas, ReplReads reads)
{
    _cleanup_free_ char *role = sql_quote_ident(replicas->role);
    if (reads == READS_UNSEEN)
        return xasprintf(_("GRANT pg_monitor TO %s, or give --db with a role that has it."), role);
    if (reads == READS_COMMIT)
        return xasprintf(
            _("Run ALTER ROLE %s SET synchronous_commit = remote_apply and restart the application, or let "
              "it read from the primary (dbReplications: false; no REPLICA_DB_NAME)."),
            role);
    return xasprintf(
        _("Name each replica in synchronous_standby_names, as in 'FIRST 2 (s1, s2)' for two, and run ALTER "
          "ROLE %s SET synchronous_commit = remote_apply; or let the application read from the primary "
          "(dbReplications: false; no REPLICA_DB_NAME)."),
        role);
}

static char *measured(const ReplProbe *probe)
{
    if (probe->samples == 0)
        return xstrdup(_("nothing could be measured"));
    if (probe->invisible > 0)
        return xasprintf(_("commits looked for: %u, not there at once: %u, the last of them not within %.0f ms"),
                         probe->samples, probe->stale, probe->max * 1000);
    return xasprintf(_("commits looked for: %u, not there at once: %u, lag p95 %.0f ms"), probe->samples, probe->stale,
                     probe->p95 * 1000);
}

static void judge(DoctorScene *scene, const DoctorReplicas *replicas, const DoctorReplica *replica,
                  const ReplProbe *probe)
{
    const ReplPrimary *primary = &replicas->primary;
    ReplReads reads = replication_reads(primary, &replica->server);
    if (reads == READS_OWN_WRITES && probe->stale == 0)
        return;
    /* What is not seen is a fault only where something was missing. */
    Severity severity = reads == READS_UNSEEN && probe->stale == 0 ? FINDING_NOTE : FINDING_ERROR;
    _cleanup_free_ char *cure = remedy(replicas, reads), *probed = measured(probe);
    doctor_report_as(scene, severity, cure, evidence[reads], scene->site->title, replica->name, primary->names_text,
                     primary->commit ? primary->commit : "?", probed);
}

static int look_at(DoctorScene *scene, const DoctorReplicas *replicas, const DoctorReplica *replica, Error *err)
{
    const ReplPrimary *primary = &replicas->primary;
    ReplProbe probe = {0};
    bool hangs = primary->names.count > 0 && primary->standbys.seen && replication_missing(primary) > 0;
    if (!hangs && !replica->server.paused &&
        replication_probe(scene->conn, replica->conn, primary->commit, SAMPLES, probe_seconds, &probe, err) < 0)
        return -1;
    judge(scene, replicas, replica, &probe);
    return 0;
}

int check_replica_reads(DoctorScene *scene, Error *err)
{
    const DoctorReplicas *replicas;
    if (!doctor_has_site(scene))
        return 0;
    if (!scene->site->reads_replicas)
        return doctor_skip(scene, "the application reads from no replica");
    if (!doctor_replication(scene, &replicas, err))
        return err->code == ERR_NONE ? 0 : -1;
    if (replicas->primary.server.recovery)
        return doctor_skip(scene, "the server that the application writes to is a standby");
    for (size_t i = 0; i < replicas->n; i++) {
        const DoctorReplica *replica = &replicas->v[i];
        if (replica->conn && replica->server.recovery && !replica_is_foreign(replicas, replica) &&
            look_at(scene, replicas, replica, err) < 0)
            return -1;
    }
    return 0;
}
