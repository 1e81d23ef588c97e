#include <string.h>

#include "commands.h"
#include "kura/export.h"
#include "kura/pin.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"
#include "view.h"

/* ---- roles ---- */

static int show_roles(Session *session, const Toc *toc, const DbFacts *facts, Error *err)
{
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(roleuses_done) RoleUses uses = {0};
    if (session_rolemap(session, &map, err) < 0 || rolemap_survey(toc, facts, map, &uses, err) < 0)
        return -1;
    rolemap_check(map, &uses, &session->findings);
    if (session->json)
        session_set(session, "roles", json_of_roles(&uses));
    else
        print_roles(session->out, &uses);
    return 0;
}

/* ---- tables ---- */

static json_t *json_of_table(const ManifestTable *table)
{
    char digest[33];
    rowdigest_format(&table->digest, digest);
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:s, s:I}", "schema", json_text(table->schema), "name",
                     json_text(table->name), "root_schema", json_text(table->root_schema), "root_name",
                     json_text(table->root_name), "rows", (json_int_t)table->digest.rows, "bytes",
                     (json_int_t)table->digest.bytes, "digest", digest, "segments", (json_int_t)table->n_segments);
}

/* Takes the reference. */
static void print_tables(Session *session, const Table *table, json_t *array)
{
    if (session->json) {
        session_set(session, "tables", array);
        return;
    }
    json_decref(array);
    fputs(_("tables\n"), session->out);
    table_print(table, session->out, 2);
}

static void show_tables(Session *session, const ManifestDatabase *database)
{
    json_t *array = json_array();
    _cleanup_(table_free_cleanup) Table *table = table_new(_("schema|table|>rows|>bytes|>segments|digest"));
    for (size_t i = 0; i < database->n_tables; i++) {
        const ManifestTable *one = &database->tables[i];
        char rows[TEXT_SIZE], bytes[TEXT_SIZE], segments[TEXT_SIZE], digest[33];
        rowdigest_format(&one->digest, digest);
        table_row(table, one->schema, one->name, text_count(one->digest.rows, rows),
                  text_bytes(one->digest.bytes, bytes), text_count(one->n_segments, segments), digest);
        json_array_append_new(array, json_of_table(one));
    }
    print_tables(session, table, array);
}

/* An archive tells no rows; its tables are the entries that carry data. */
static void show_archive_tables(Session *session, const Toc *toc)
{
    json_t *array = json_array();
    _cleanup_(table_free_cleanup) Table *table = table_new(_("schema|table"));
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (entry->desc == NULL || strcmp(entry->desc, "TABLE DATA") != 0)
            continue;
        table_row(table, entry->namespace, entry->tag);
        json_array_append_new(
            array, json_pack("{s:o, s:o}", "schema", json_text(entry->namespace), "name", json_text(entry->tag)));
    }
    print_tables(session, table, array);
}

/* ---- archives ---- */

static size_t entries_of(const Toc *toc, const char *desc)
{
    size_t n = 0;
    for (size_t i = 0; i < toc->n_entries; i++)
        n += toc->entries[i].desc != NULL && strcmp(toc->entries[i].desc, desc) == 0;
    return n;
}

static void show_archive(Session *session, const char *path, const Toc *toc)
{
    static const char *compressions[] = {N_("none"), "gzip", "lz4", "zstd"};
    const char *format = toc->format == TOC_DIRECTORY ? N_("directory") : N_("custom");
    int compression = toc_compression(toc);
    const char *compressed =
        compression >= 0 && (size_t)compression < ARRAY_SIZE(compressions) ? compressions[compression] : N_("unknown");
    if (session->json) {
        session_set(session, "archive",
                    json_pack("{s:o, s:s, s:i, s:s, s:o, s:o, s:o, s:I, s:I}", "path", json_text(path), "format",
                              format, "minor", toc->minor, "compression", compressed, "database",
                              json_text(toc->dbname), "server_version", json_text(toc->server_version),
                              "pg_dump_version", json_text(toc->dump_version), "entries", (json_int_t)toc->n_entries,
                              "tables", (json_int_t)entries_of(toc, "TABLE DATA")));
        return;
    }
    _cleanup_free_ char *name = text_escaped(path);
    _cleanup_free_ char *kind =
        xasprintf(_("%s, version 1.%d, compression %s"), words_get(format), toc->minor, words_get(compressed));
    _cleanup_free_ char *server =
        xasprintf(_("PostgreSQL %s; pg_dump %s"), toc->server_version ? toc->server_version : "?",
                  toc->dump_version ? toc->dump_version : "?");
    _cleanup_free_ char *entries =
        xasprintf(_("%zu, of which %zu with the rows of a table"), toc->n_entries, entries_of(toc, "TABLE DATA"));
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    table_row(table, _("format"), kind);
    table_row(table, _("database"), toc->dbname);
    table_row(table, _("server"), server);
    table_row(table, _("entries"), entries);
    fprintf(session->out, _("archive %s\n"), name);
    table_print(table, session->out, 2);
}

/* ---- the command ---- */

/* A map on the command line asks what it would do; one of the configuration is there all the time. */
static bool asks_for_roles(const Options *options)
{
    return options_flag(options, OPT_SHOW_ROLES) || options->values[OPT_MAP].source == SOURCE_COMMAND_LINE ||
           options->values[OPT_MAP_FILE].source == SOURCE_COMMAND_LINE;
}

static bool wants(const Session *session, OptionId id)
{
    return id == OPT_SHOW_ROLES ? asks_for_roles(session->options) : options_flag(session->options, id);
}

static bool wants_any(const Session *session)
{
    return wants(session, OPT_SHOW_ROLES) || wants(session, OPT_SHOW_TABLES) || wants(session, OPT_SHOW_FILES);
}

static int command_show_archive(Session *session, const char *path, Error *err)
{
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    if (wants(session, OPT_SHOW_FILES))
        return error_set(err, ERR_USAGE, "--files shows the filesets of a backup, and a pg_dump archive has none");
    if (archive_open_toc(path, &toc, NULL, err) < 0)
        return -1;
    if (session->json || !wants_any(session))
        show_archive(session, path, toc);
    if (wants(session, OPT_SHOW_TABLES))
        show_archive_tables(session, toc);
    return wants(session, OPT_SHOW_ROLES) ? show_roles(session, toc, NULL, err) : 0;
}

static int show_backup_roles(Session *session, const Manifest *manifest, Error *err)
{
    _cleanup_(toc_free_cleanup) Toc *toc = NULL;
    if (flow_load_toc(session->repo, &manifest->database, &toc, err) < 0)
        return -1;
    return show_roles(session, toc, &manifest->database.facts, err);
}

/* Before anything is printed: an error is not to stand behind half a result. *ret_pinned tells whether there is a pin.
 */
static int find_pin(Session *session, const char *id, Pin *ret, bool *ret_pinned, Error *err)
{
    _cleanup_(strvec_done) StrVec pinned = {0};
    if (pin_list(session->repo, &pinned, err) < 0)
        return -1;
    *ret_pinned = strvec_contains(&pinned, id);
    return *ret_pinned ? pin_load(session->repo, id, ret, err) : 0;
}

static json_t *json_of_pin(const Pin *pin)
{
    return json_pack("{s:o, s:o, s:s, s:o}", "host", json_text(pin->host), "user", json_text(pin->user), "created",
                     pin->created, "reason", json_text(pin->reason));
}

static void print_pin(FILE *out, const Pin *pin)
{
    _cleanup_free_ char *host = text_escaped(pin->host), *user = text_escaped(pin->user);
    _cleanup_free_ char *reason = pin->reason ? text_escaped(pin->reason) : NULL;
    if (reason)
        fprintf(out, _("pinned by %s on %s at %s: %s\n"), user, host, pin->created, reason);
    else
        fprintf(out, _("pinned by %s on %s at %s\n"), user, host, pin->created);
}

static int command_show_backup(Session *session, const char *name, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    _cleanup_(pin_done) Pin pin = {0};
    bool pinned = false;
    if (session_load_backup(session, name, &manifest, err) < 0 ||
        find_pin(session, manifest->id, &pin, &pinned, err) < 0)
        return -1;
    if ((wants(session, OPT_SHOW_ROLES) || wants(session, OPT_SHOW_TABLES)) && !manifest->has_database)
        return error_set(err, ERR_USAGE, "backup %s has no database", manifest->id);
    if (session->json)
        session_set(session, "backup", json_of_backup(manifest));
    else if (!wants_any(session))
        print_backup(session->out, manifest);
    if (session->json)
        session_set(session, "pin", pinned ? json_of_pin(&pin) : json_null());
    else if (pinned && !wants_any(session))
        print_pin(session->out, &pin);
    if (wants(session, OPT_SHOW_TABLES))
        show_tables(session, &manifest->database);
    if (wants(session, OPT_SHOW_ROLES) && show_backup_roles(session, manifest, err) < 0)
        return -1;
    return wants(session, OPT_SHOW_FILES) ? show_files(session, manifest, err) : 0;
}

int command_show(Session *session, Error *err)
{
    const char *name = session->options->args.v[0];
    if (options_given(session->options, OPT_PATH) && !wants(session, OPT_SHOW_FILES))
        return error_set(err, ERR_USAGE, "--path needs --files");
    return is_archive(name) ? command_show_archive(session, name, err) : command_show_backup(session, name, err);
}
