#include "kura/export.h"

#include "commands.h"
#include "screen.h"
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
    fprintf(session->out, "backup %s exported to %s\n", manifest->id, shown);
    if (manifest->has_database)
        fprintf(session->out, "  database  %s/database, for pg_restore\n", shown);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        fprintf(session->out, "  files     %s/files/%s\n", shown, manifest->filesets[i].name);
    fprintf(session->out, "  check     cd %s && sha256sum -c SHA256SUMS\n", shown);
    return 0;
}
