#include "kura/export.h"

#include "commands.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"

static int run(Session *session, const Manifest *manifest, const char *dir, Error *err)
{
    static const ExportCompression choices[] = {EXPORT_ZSTD, EXPORT_GZIP, EXPORT_PLAIN}; /* zstd|gzip|none */
    ExportCompression compression = choices[options_choice(session->options, OPT_COMPRESS, 0)];
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    if (session_rolemap(session, &map, err) < 0)
        return -1;
    return export_run(session->repo, manifest, dir, compression, rolemap_is_empty(map) ? NULL : map, &session->findings,
                      &session->progress, err);
}

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static void print_places(FILE *out, const Manifest *manifest, const char *dir)
{
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    if (manifest->has_database)
        add_line(table, _("database"), xasprintf(_("%s/database, for pg_restore"), dir));
    for (size_t i = 0; i < manifest->n_filesets; i++)
        add_line(table, _("files"), xasprintf("%s/files/%s", dir, manifest->filesets[i].name));
    add_line(table, _("check"), xasprintf("cd %s && sha256sum -c SHA256SUMS", dir));
    table_print(table, out, 2);
}

int command_export(Session *session, Error *err)
{
    const char *name = session->options->args.v[0], *dir = session->options->args.v[1];
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (session_load_backup(session, name, &manifest, err) < 0 || run(session, manifest, dir, err) < 0)
        return -1;
    if (session->json) {
        session_set(session, "export",
                    json_pack("{s:o, s:o}", "backup", json_text(manifest->id), "dir", json_text(dir)));
        return 0;
    }
    _cleanup_free_ char *shown = text_escaped(dir);
    fprintf(session->out, _("backup %s exported to %s\n"), manifest->id, shown);
    print_places(session->out, manifest, dir);
    return 0;
}
