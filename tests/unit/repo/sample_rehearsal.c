#include "fixture.h"

#include "jsonnode_priv.h"

/* A list on the heap from elements that stand here. */
#define LIST(member, count, type, ...)                                                                                 \
    do {                                                                                                               \
        const type made[] = {__VA_ARGS__};                                                                             \
        member = memcpy(xmalloc(sizeof made), made, sizeof made);                                                      \
        count = ARRAY_SIZE(made);                                                                                      \
    } while (0)

static void fill_lists(Rehearsal *rehearsal)
{
    LIST(rehearsal->phases, rehearsal->n_phases, RehearsalPhase, {xstrdup("create"), 0.25, 1.5},
         {xstrdup("rows"), 1.75, 61.001});
    LIST(
        rehearsal->proofs, rehearsal->n_proofs, RehearsalProof,
        {xstrdup("rows"), xstrdup("every row of every table"), xstrdup("tables"), 3, 1, NULL},
        {xstrdup("amcheck"), xstrdup("B-tree indexes"), xstrdup("indexes"), 0, 0, xstrdup("no extension \"amcheck\"")});
    LIST(rehearsal->tables, rehearsal->n_tables, RehearsalTable,
         {xstrdup("caf\xe9"), xstrdup("<script>alert(1)</script>"), 12, 3000},
         {xstrdup("public"), xstrdup("\xe5\x8f\xb0\xe5\xb8\xb3"), 0, 0});
    LIST(rehearsal->filesets, rehearsal->n_filesets, RehearsalFileset,
         {xstrdup("media"), 70000, 123456789012, 1400, 99});
    LIST(rehearsal->findings, rehearsal->n_findings, Finding,
         {FINDING_ERROR, xstrdup("rows-differ"), xstrdup("table \"odd\nname\" differs"), xstrdup("Look at it.")},
         {FINDING_NOTE, xstrdup("newer"), xstrdup("the server is newer"), NULL});
}

static void fill_run(RehearsalRun *run)
{
    run->command = xstrdup("flyway migrate");
    run->timed_out = true;
    run->status = 143;
    run->seconds = 12.345;
    run->output = xstrdup("ERROR: \x1b[31mred\x1b[0m \xff ]]>\n");
    run->truncated = true;
    LIST(run->changes, run->n_changes, RehearsalSchemaChange,
         {SCHEMA_ADDED, xstrdup("constraint"), xstrdup("public.goods.fk"), NULL, xstrdup("FOREIGN KEY (a)")},
         {SCHEMA_REMOVED, xstrdup("column"), xstrdup("public.goods.b"), xstrdup("integer"), NULL},
         {SCHEMA_CHANGED, xstrdup("owner"), xstrdup("public.goods"), xstrdup("a"), xstrdup("b")});
    LIST(run->locks, run->n_locks, RehearsalLock, {xstrdup("public.goods"), xstrdup("AccessExclusiveLock"), 3.5});
    LIST(run->rows, run->n_rows, RehearsalRows, {xstrdup("public.goods"), 10, 9}, {xstrdup("public.kin"), 5, 5});
}

Rehearsal *sample_rehearsal(void)
{
    Rehearsal *rehearsal = rehearsal_new();
    rehearsal->id = xstrdup(REHEARSAL_ID);
    rehearsal->backup = xstrdup(SAMPLE_ID);
    rehearsal->app = xstrdup("misskey");
    rehearsal->host = xstrdup("caf\xe9.example");
    rehearsal->kura_version = xstrdup("0.1.0");
    rehearsal->started = xstrdup("2026-11-22T04:15:00Z");
    rehearsal->finished = xstrdup("2026-11-22T04:17:42Z");
    rehearsal->seconds = 162.5;
    rehearsal->backup_started = xstrdup("2026-11-22T03:15:00Z");
    rehearsal->backup_finished = xstrdup("2026-11-22T03:17:42Z");
    rehearsal->source_version_num = 150018;
    rehearsal->server_version_num = 170006;
    rehearsal->verdict = VERDICT_FAILED;
    rehearsal->error = xstrdup("table \"public.note\" differs");
    rehearsal->hint = xstrdup("Run \"kura verify --read-data\".");
    rehearsal->backup_age = 3600;
    rehearsal->newest_row_age = 7.125;
    rehearsal->newest_row_where = xstrdup("public.note.createdAt");
    rehearsal->restore_seconds = 62.501;
    rehearsal->estimated_bytes = 9000000000;
    rehearsal->database_bytes = 8765432109;
    rehearsal->kept = xstrdup("kura_rehearsal_k3x9");
    fill_lists(rehearsal);
    rehearsal->has_run = true;
    fill_run(&rehearsal->run);
    return rehearsal;
}

void format_rehearsal(const Rehearsal *rehearsal, Buf *out)
{
    _cleanup_(json_unref) json_t *json = rehearsal_to_json(rehearsal);
    assert_int_equal(jsondoc_format(json, out, &err), 0);
}
