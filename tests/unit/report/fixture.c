#include "fixture.h"

#include <string.h>

#include "kura/clock.h"

#define FIRST_NIGHT (FIXTURE_NOW - 59 * 86400)

static char *utc(time_t moment)
{
    char text[32];
    clock_format_utc(moment, text, sizeof text);
    return xstrdup(text);
}

static char *id_of(time_t moment, const char *app, int number)
{
    char stamp[32];
    struct tm tm;
    gmtime_r(&moment, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    return xasprintf("%s-%s-%04d", stamp, app, number);
}

static void add_phase(Rehearsal *rehearsal, const char *name, double start, double seconds)
{
    rehearsal->phases = xreallocarray(rehearsal->phases, rehearsal->n_phases + 1, sizeof *rehearsal->phases);
    rehearsal->phases[rehearsal->n_phases++] = (RehearsalPhase){xstrdup(name), start, seconds};
}

static void add_proof(Rehearsal *rehearsal, const char *name, const char *title, const char *unit, uint64_t checked)
{
    rehearsal->proofs = xreallocarray(rehearsal->proofs, rehearsal->n_proofs + 1, sizeof *rehearsal->proofs);
    rehearsal->proofs[rehearsal->n_proofs++] =
        (RehearsalProof){.name = xstrdup(name), .title = xstrdup(title), .unit = xstrdup(unit), .checked = checked};
}

static void add_table(Rehearsal *rehearsal, const char *schema, const char *name, uint64_t rows, uint64_t bytes)
{
    rehearsal->tables = xreallocarray(rehearsal->tables, rehearsal->n_tables + 1, sizeof *rehearsal->tables);
    rehearsal->tables[rehearsal->n_tables++] = (RehearsalTable){xstrdup(schema), xstrdup(name), rows, bytes};
}

static void add_fileset(Rehearsal *rehearsal, const char *name, uint64_t files, uint64_t bytes)
{
    rehearsal->filesets = xreallocarray(rehearsal->filesets, rehearsal->n_filesets + 1, sizeof *rehearsal->filesets);
    rehearsal->filesets[rehearsal->n_filesets++] =
        (RehearsalFileset){xstrdup(name), files, bytes, files / 50, bytes / 50};
}

void add_finding(Rehearsal *rehearsal, Severity severity, const char *code, const char *message, const char *hint)
{
    rehearsal->findings = xreallocarray(rehearsal->findings, rehearsal->n_findings + 1, sizeof *rehearsal->findings);
    rehearsal->findings[rehearsal->n_findings++] =
        (Finding){severity, xstrdup(code), xstrdup(message), xstrdup_null(hint)};
}

RehearsalProof *proof_of(Rehearsal *rehearsal, const char *name)
{
    for (size_t i = 0; i < rehearsal->n_proofs; i++)
        if (strcmp(rehearsal->proofs[i].name, name) == 0)
            return &rehearsal->proofs[i];
    abort();
}

static Rehearsal *begun(time_t at, const char *app, int number)
{
    Rehearsal *rehearsal = rehearsal_new();
    rehearsal->id = id_of(at, app, number);
    rehearsal->backup = id_of(at - 3600, app, number);
    rehearsal->app = xstrdup(app);
    rehearsal->host = xstrdup("db2.example");
    rehearsal->kura_version = xstrdup("0.1.0");
    rehearsal->started = utc(at);
    rehearsal->finished = utc(at + 402);
    rehearsal->backup_started = utc(at - 3600);
    rehearsal->backup_finished = utc(at - 3600 + 95);
    return rehearsal;
}

static void add_phases(Rehearsal *rehearsal, double slower)
{
    static const struct {
        const char *name;
        double seconds;
    } phases[] = {{"create database", 1.2}, {"schema", 4.8},   {"rows", 168},   {"indexes", 92},
                  {"analyze", 11.5},        {"read back", 58}, {"files", 31.4}, {"drop", 2.1}};
    double start = 0.3;
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        double seconds = phases[i].seconds * slower;
        add_phase(rehearsal, phases[i].name, start, seconds);
        start += i == 2 ? seconds * 0.7 : seconds; /* indexes are built while rows still come */
        if (i == 4)
            rehearsal->restore_seconds = start;
    }
    rehearsal->seconds = start;
}

static void add_proofs(Rehearsal *rehearsal)
{
    add_proof(rehearsal, "rows", "Every row of every table", "tables", 128);
    add_proof(rehearsal, "schema", "The schema, entry by entry", "entries", 1904);
    add_proof(rehearsal, "owners", "Who owns what", "objects", 642);
    add_proof(rehearsal, "grants", "Privileges and default privileges", "grants", 211);
    add_proof(rehearsal, "probe", "Reading and writing as the application's role", "tables", 128);
    add_proof(rehearsal, "constraints", "All constraints are valid", "constraints", 337);
    add_proof(rehearsal, "indexes", "All indexes are valid", "indexes", 584);
    add_proof(rehearsal, "amcheck", "B-tree indexes agree with their tables", "indexes", 0);
    proof_of(rehearsal, "amcheck")->skipped = xstrdup("the extension amcheck is not available on this server");
    add_proof(rehearsal, "sequences", "Sequences are not behind their columns", "sequences", 9);
    add_proof(rehearsal, "matviews", "Materialized views are populated", "views", 2);
    add_proof(rehearsal, "collations", "Collation versions", "collations", 3);
    add_proof(rehearsal, "files", "A sample of the files, read back and hashed", "files", 12840);
    add_proof(rehearsal, "media-references", "Files that rows name are there", "references", 642011);
}

static void add_tables(Rehearsal *rehearsal, int night)
{
    static const struct {
        const char *name;
        uint64_t rows, bytes, rows_a_night;
    } tables[] = {{"note", 4210034, 2961178624, 5140},
                  {"note_reaction", 9120044, 912680550, 9921},
                  {"notification", 3300410, 401604608, 0},
                  {"drive_file", 642011, 389021440, 790},
                  {"user", 801240, 355467264, 210},
                  {"following", 1900231, 201326592, 350},
                  {"user_profile", 801240, 188743680, 210},
                  {"instance", 31002, 25165824, 12},
                  {"hashtag", 120334, 20971520, 44},
                  {"poll_vote", 190332, 15728640, 93},
                  {"user_publickey", 800100, 14680064, 210},
                  {"note_favorite", 88110, 6291456, 20},
                  {"emoji", 9200, 5242880, 1},
                  {"access_token", 2210, 1048576, 2},
                  {"meta", 1, 20480, 0},
                  {"relay", 0, 0, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        uint64_t rows = tables[i].rows + (uint64_t)night * tables[i].rows_a_night;
        uint64_t bytes =
            tables[i].rows ? (uint64_t)((double)tables[i].bytes * (double)rows / (double)tables[i].rows) : 0;
        if (strcmp(tables[i].name, "notification") == 0) /* swept now and then */
            bytes -= (uint64_t)(night % 7) * 31000000;
        add_table(rehearsal, "public", tables[i].name, rows, bytes);
    }
}

Rehearsal *ordinary(int night)
{
    static const double noise[] = {1, 1.04, 0.97, 1.02, 1.11, 0.98, 1.0, 1.03};
    Rehearsal *rehearsal = begun(FIRST_NIGHT + (time_t)night * 86400 - 9900, "misskey", night);
    rehearsal->source_version_num = 150018;
    rehearsal->server_version_num = 150018;
    rehearsal->backup_age = 3612;
    rehearsal->newest_row_age = 2.4;
    rehearsal->newest_row_where = xstrdup("public.note.createdAt");
    add_phases(rehearsal, noise[night % 8] * (1 + night * 0.003));
    rehearsal->estimated_bytes = 9663676416 + (uint64_t)night * 11000000;
    rehearsal->database_bytes = 9470738432 + (uint64_t)night * 13100000;
    add_proofs(rehearsal);
    add_tables(rehearsal, night);
    add_fileset(rehearsal, "media", 642011, 123480309760);
    add_fileset(rehearsal, "config", 4, 18214);
    add_finding(rehearsal, FINDING_NOTE, "proof-skipped", "the extension \"amcheck\" is not available on this server",
                "Install the package postgresql-contrib to have indexes compared with their tables.");
    return rehearsal;
}

Rehearsal *with_findings(int night)
{
    Rehearsal *rehearsal = ordinary(night);
    rehearsal->verdict = VERDICT_FINDINGS;
    add_finding(
        rehearsal, FINDING_WARNING, "constraint-not-valid",
        "the foreign key \"FK_note_reply\" of table \"public.note\" is NOT VALID, and 42 of 4,210,034 rows violate it",
        "Decide what becomes of these rows, then run ALTER TABLE public.note VALIDATE CONSTRAINT \"FK_note_reply\".");
    add_finding(rehearsal, FINDING_WARNING, "collation-version",
                "the server's version of collation \"ja-x-icu\" is 153.120, that of the backup was 153.112",
                "Indexes of a restored database are built anew, so this matters only for the live one: REINDEX it.");
    return rehearsal;
}

Rehearsal *with_failures(int night)
{
    Rehearsal *rehearsal = ordinary(night);
    rehearsal->verdict = VERDICT_FAILED;
    proof_of(rehearsal, "rows")->failed = 1;
    proof_of(rehearsal, "media-references")->failed = 3;
    add_finding(rehearsal, FINDING_ERROR, "rows-differ",
                "table \"public.note\": 4,210,033 rows came back, 4,210,034 were backed up",
                "Run \"kura verify --read-data\", and rehearse an earlier backup.");
    add_finding(rehearsal, FINDING_ERROR, "media-missing",
                "3 files that rows name are not in the fileset \"media\":\n  files/7a1f.webp\n  files/7a20.webp\n  "
                "files/81cc.mp4",
                "Bring them back from an older backup: kura restore --only files.");
    return rehearsal;
}

Rehearsal *ended_early(int night)
{
    Rehearsal *rehearsal = begun(FIRST_NIGHT + (time_t)night * 86400 - 9900, "misskey", night);
    rehearsal->verdict = VERDICT_FAILED;
    rehearsal->seconds = 12.4;
    rehearsal->server_version_num = 170006;
    rehearsal->source_version_num = 150018;
    rehearsal->backup_age = 400000;
    rehearsal->error = xstrdup("loading table \"public.note\": blob 3f0a..c1.zst is missing from the repository");
    rehearsal->hint = xstrdup("Run \"kura verify\" to learn which backups need it.");
    add_phase(rehearsal, "create database", 0.2, 1.1);
    add_phase(rehearsal, "rows", 1.3, 11.1);
    return rehearsal;
}

static void add_change(RehearsalRun *run, SchemaChangeKind kind, const char *what, const char *name, const char *before,
                       const char *after)
{
    run->changes = xreallocarray(run->changes, run->n_changes + 1, sizeof *run->changes);
    run->changes[run->n_changes++] =
        (RehearsalSchemaChange){kind, xstrdup(what), xstrdup(name), xstrdup_null(before), xstrdup_null(after)};
}

static void add_lock(RehearsalRun *run, const char *table, const char *mode, double seconds)
{
    run->locks = xreallocarray(run->locks, run->n_locks + 1, sizeof *run->locks);
    run->locks[run->n_locks++] = (RehearsalLock){xstrdup(table), xstrdup(mode), seconds};
}

static void add_rows(RehearsalRun *run, const char *table, uint64_t before, uint64_t after)
{
    run->rows = xreallocarray(run->rows, run->n_rows + 1, sizeof *run->rows);
    run->rows[run->n_rows++] = (RehearsalRows){xstrdup(table), before, after};
}

Rehearsal *migrated(int night)
{
    Rehearsal *rehearsal = ordinary(night);
    RehearsalRun *run = &rehearsal->run;
    rehearsal->has_run = true;
    run->command = xstrdup("pnpm run migrate");
    run->seconds = 71.3;
    run->output = xstrdup("> misskey@2026.11.0 migrate\n> typeorm migration:run -d ormconfig.js\n\n"
                          "Migration AddNoteLanguage1763000000000 has been executed successfully.\n"
                          "Migration UserProfileFollowed1763100000000 has been executed successfully.\n");
    add_change(run, SCHEMA_ADDED, "column", "public.note.lang", NULL, "character varying(10)");
    add_change(run, SCHEMA_CHANGED, "type", "public.meta.maxNoteTextLength", "integer", "bigint");
    add_change(run, SCHEMA_REMOVED, "index", "public.IDX_note_mentions",
               "CREATE INDEX \"IDX_note_mentions\" ON public.note USING btree (mentions)", NULL);
    add_change(run, SCHEMA_ADDED, "index", "public.IDX_note_mentions_gin", NULL,
               "CREATE INDEX \"IDX_note_mentions_gin\" ON public.note USING gin (mentions)");
    add_lock(run, "public.note", "AccessExclusiveLock", 61.2);
    add_lock(run, "public.meta", "AccessExclusiveLock", 0.1);
    add_rows(run, "public.migrations", 612, 614);
    add_rows(run, "public.user_profile", 801240, 801240);
    return rehearsal;
}

Rehearsal *migration_failed(int night)
{
    Rehearsal *rehearsal = ordinary(night);
    RehearsalRun *run = &rehearsal->run;
    rehearsal->verdict = VERDICT_FAILED;
    rehearsal->has_run = true;
    rehearsal->kept = xstrdup("kura_rehearsal_0012");
    add_proof(rehearsal, "run", "The command succeeds", "runs", 1);
    proof_of(rehearsal, "run")->failed = 1;
    run->command = xstrdup("flyway -url=\"$KURA_JDBC_URL\" migrate");
    run->status = 1;
    run->seconds = 3.9;
    run->output = xstrdup(
        "Flyway Community Edition 10.20.1\nMigrating schema \"public\" to version \"12 - goods belong to orders\"\n"
        "ERROR: insert or update on table \"goods\" violates foreign key constraint \"fk_goods_order\"\n"
        "  Detail: Key (order_id)=(1042) is not present in table \"orders\".\n");
    add_finding(
        rehearsal, FINDING_ERROR, "migration-failed",
        "the migration ended with status 1: insert or update on table \"goods\" violates foreign key constraint "
        "\"fk_goods_order\"",
        "See what rows these are with: kura check fk 'goods(order_id) -> orders(id)'");
    return rehearsal;
}

Rehearsal *bare(void)
{
    Rehearsal *rehearsal = begun(FIRST_NIGHT, "a", 1);
    free(rehearsal->app);
    rehearsal->app = xstrdup("");
    return rehearsal;
}

#define EVIL "<script>alert(1)</script>\"'&]]><!--\x1b[2J\u202egnp.exe\xff{}{=}"

Rehearsal *hostile(void)
{
    Rehearsal *rehearsal = with_findings(9);
    char *endless = xmalloc(3001);
    memset(endless, 'x', 3000);
    endless[3000] = 0;
    char **const texts[] = {&rehearsal->app,  &rehearsal->host, &rehearsal->error,
                            &rehearsal->hint, &rehearsal->kept, &rehearsal->newest_row_where};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        free(*texts[i]);
        *texts[i] = xstrdup(EVIL);
    }
    add_phase(rehearsal, EVIL, 1, 2);
    add_proof(rehearsal, EVIL, EVIL, EVIL, 1);
    add_proof(rehearsal, EVIL, "endless", endless, UINT64_MAX / 2);
    rehearsal->proofs[rehearsal->n_proofs - 2].skipped = xstrdup(EVIL);
    add_table(rehearsal, EVIL, EVIL, INT64_MAX, INT64_MAX / 2);
    add_table(
        rehearsal, "\u5009",
        "\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33\u53f0\u5e33",
        1, 1);
    add_table(rehearsal, "public", "\u0627\u0644\u0645\u0633\u062a\u062e\u062f\u0645\u064a\u0646", 1, 1);
    add_table(rehearsal, "public", endless, 1, 1);
    add_fileset(rehearsal, EVIL, 1, 1);
    add_finding(rehearsal, FINDING_ERROR, EVIL, EVIL, EVIL);
    add_finding(rehearsal, FINDING_WARNING, "endless", endless, endless);
    rehearsal->has_run = true;
    rehearsal->run.command = xstrdup(EVIL);
    rehearsal->run.status = 139;
    rehearsal->run.output = xasprintf("%s\n%s\r\n\ttab", EVIL, endless);
    add_change(&rehearsal->run, SCHEMA_CHANGED, EVIL, EVIL, EVIL, EVIL);
    add_change(&rehearsal->run, SCHEMA_ADDED, "table", endless, NULL, endless);
    add_lock(&rehearsal->run, EVIL, EVIL, 1e9);
    add_rows(&rehearsal->run, EVIL, 1, 2);
    free(endless);
    return rehearsal;
}

enum { MANY = 10000 };

Rehearsal *huge(void)
{
    Rehearsal *rehearsal = with_failures(11);
    rehearsal->has_run = true;
    rehearsal->run.command = xstrdup("make migrate");
    rehearsal->run.output = xstrdup("");
    for (int i = 0; i < MANY; i++) {
        _cleanup_free_ char *name = xasprintf("part_%05d", i);
        add_table(rehearsal, "archive", name, (uint64_t)(MANY - i), (uint64_t)(MANY - i) * 10);
        add_finding(rehearsal, FINDING_ERROR, "rows-differ", name, NULL);
        add_change(&rehearsal->run, SCHEMA_ADDED, "table", name, NULL, "(id integer)");
    }
    return rehearsal;
}

/* ---- repositories ---- */

static void add_backup(RepositoryReport *report, const char *app, time_t at, int number)
{
    BackupBrief brief = {.id = id_of(at, app, number),
                         .app = xstrdup(app),
                         .started = at,
                         .finished = at + 80 + number % 9 * 4,
                         .rows = 20000000 + (uint64_t)number * 17000,
                         .row_bytes = 5400000000 + (uint64_t)number * 11000000,
                         .files = 642011 + (uint64_t)number * 790,
                         .file_bytes = 123480309760 + (uint64_t)number * 161000000,
                         .stored_new = number == 0 ? 126000000000 : 150000000 + (uint64_t)(number * 7 % 13) * 21000000,
                         .warnings = number % 17 == 3};
    report->backups = xreallocarray(report->backups, report->n_backups + 1, sizeof brief);
    report->backups[report->n_backups++] = brief;
}

static void add_rehearsal(RepositoryReport *report, size_t backup, Verdict verdict)
{
    const BackupBrief *of = &report->backups[backup];
    RehearsalBrief brief = {.id = id_of(of->started + 3600, of->app, (int)backup),
                            .backup = xstrdup(of->id),
                            .app = xstrdup(of->app),
                            .started = of->started + 3600,
                            .verdict = verdict,
                            .seconds = 400,
                            .restore_seconds = 250 + (double)(backup * 7 % 11) * 3 + (double)backup * 0.4,
                            .findings = verdict == VERDICT_PASSED ? 0 : 2};
    report->rehearsals = xreallocarray(report->rehearsals, report->n_rehearsals + 1, sizeof brief);
    report->rehearsals[report->n_rehearsals++] = brief;
}

void sample_repository(RepositoryReport *report)
{
    *report = (RepositoryReport){.repository = "s3://backups/misskey", .now = FIXTURE_NOW};
    for (int day = 0; day < 60; day++) {
        time_t at = FIRST_NIGHT + (time_t)day * 86400 - 13500; /* 03:15 */
        if (day % 7 == 0)
            add_backup(report, "wiki", at - 1800, day / 7);
        if (day == 12 || (day >= 33 && day <= 35))
            continue;
        add_backup(report, "misskey", at, day);
        if (day > 5 && day % 5 != 1)
            add_rehearsal(report, report->n_backups - 1,
                          day == 20       ? VERDICT_FAILED
                          : day % 13 == 0 ? VERDICT_FINDINGS
                                          : VERDICT_PASSED);
    }
}

void neglected_repository(RepositoryReport *report)
{
    *report = (RepositoryReport){.repository = "/srv/kura", .now = FIXTURE_NOW};
    for (int day = 0; day < 3; day++)
        add_backup(report, EVIL, FIXTURE_NOW - (time_t)(9 - day) * 86400, day);
}
