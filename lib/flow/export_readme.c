/* RESTORE.txt: how to go on without kura. */
#include <string.h>

#include "export_priv.h"
#include "kura/mem.h"
#include "kura/sqllex.h"

enum { PG_RESTORE_ZSTD = 16 }; /* the first that reads .zst */

static bool must_exist(const RoleUse *use)
{
    return use->new_name != NULL && !rolemap_is_fixed(use->new_name) &&
           use->owns + use->grants + use->granted_by + use->default_acls + use->policies + use->user_mappings +
                   use->settings >
               0;
}

static int write_roles(const RoleUses *uses, Buf *out, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    for (size_t i = 0; i < uses->n; i++)
        if (must_exist(&uses->v[i]) && !strvec_contains(&names, uses->v[i].new_name))
            strvec_push(&names, uses->v[i].new_name);
    if (names.n == 0)
        return 0;
    if (buf_printf(out, err, "   These roles must exist on the server first (CREATE ROLE name):\n\n") < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) {
        _cleanup_free_ char *quoted = sql_quote_ident(names.v[i]);
        if (buf_printf(out, err, "       %s\n", quoted) < 0)
            return -1;
    }
    return buf_append(out, "\n", 1, err);
}

/* An option with a value from the manifest, in the shell's quotes. */
static int write_option(const char *option, const char *value, Buf *out, Error *err)
{
    if (buf_printf(out, err, " --%s='", option) < 0)
        return -1;
    for (const char *c = value; *c; c++)
        if ((*c == '\'' ? buf_append_str(out, "'\\''", err) : buf_append(out, c, 1, err)) < 0)
            return -1;
    return buf_append_str(out, "'", err);
}

static int write_locale(const DbFacts *facts, Buf *out, Error *err)
{
    if (write_option("encoding", facts->encoding, out, err) < 0 ||
        write_option("lc-collate", facts->collate, out, err) < 0 ||
        write_option("lc-ctype", facts->ctype, out, err) < 0)
        return -1;
    if (facts->icu_locale == NULL)
        return 0;
    const char *option = strcmp(facts->locale_provider, "icu") == 0 ? "icu-locale" : "builtin-locale";
    return write_option("locale-provider", facts->locale_provider, out, err) < 0
               ? -1
               : write_option(option, facts->icu_locale, out, err);
}

static int write_database(const Export *export, const Toc *toc, const RoleUses *uses, Buf *out, Error *err)
{
    const DbFacts *facts = &export->manifest->database.facts;
    int needs = toc_minor_needs(toc->minor);
    bool zstd = export->compression == EXPORT_ZSTD;
    if (buf_printf(out, err,
                   "\nThe database\n\n"
                   "   database/ is an archive in pg_dump's directory format (version 1.%d), read by pg_restore of\n"
                   "   PostgreSQL %d or newer. It was dumped from PostgreSQL %s.\n\n",
                   toc->minor, zstd && needs < PG_RESTORE_ZSTD ? PG_RESTORE_ZSTD : needs, facts->server_version) < 0)
        return -1;
    if (zstd && needs < PG_RESTORE_ZSTD &&
        buf_printf(out, err,
                   "   For pg_restore of PostgreSQL %d to %d decompress it first:\n\n"
                   "       zstd -d --rm database/*.dat.zst\n\n",
                   needs, PG_RESTORE_ZSTD - 1) < 0)
        return -1;
    if (write_roles(uses, out, err) < 0)
        return -1;
    if (buf_printf(out, err, "   Then, with a name of your choice for NEWDB:\n\n       createdb --template=template0") <
            0 ||
        write_locale(facts, out, err) < 0)
        return -1;
    return buf_printf(out, err,
                      " NEWDB\n"
                      "       pg_restore --jobs=4 --dbname=NEWDB database\n"
                      "       psql --dbname=NEWDB --command=ANALYZE\n\n"
                      "   Any error matters but one: pg_restore of PostgreSQL 17 or newer reports an unrecognized\n"
                      "   parameter \"transaction_timeout\" to older servers.\n");
}

static int write_files(const Export *export, Buf *out, Error *err)
{
    if (buf_printf(out, err, "\nThe files\n\n") < 0)
        return -1;
    for (size_t i = 0; i < export->manifest->n_filesets; i++) {
        const ManifestFileset *fileset = &export->manifest->filesets[i];
        if (buf_printf(out, err, "   files/%s%s%s\n", fileset->name, fileset->root ? " was " : "",
                       fileset->root ? fileset->root : "") < 0)
            return -1;
    }
    return buf_printf(out, err,
                      "\n   Copy each to its place, for example:\n\n"
                      "       cp -a files/%s/. TARGET/       or: tar -C files/%s -c . | tar -C TARGET -xp\n",
                      export->manifest->filesets[0].name, export->manifest->filesets[0].name);
}

int export_readme(const Export *export, const Toc *toc, const RoleUses *uses, Buf *out, Error *err)
{
    const Manifest *manifest = export->manifest;
    if (buf_printf(out, err,
                   "Backup %s of %s, made on host %s, finished %s.\n"
                   "kura is not needed to use it.\n\n"
                   "Look first whether everything is as it was written; in this directory:\n\n"
                   "       sha256sum --quiet -c SHA256SUMS\n\n"
                   "pg_restore does not notice when a data file is cut off, so do not leave this out.\n",
                   manifest->id, manifest->app, manifest->host, manifest->finished) < 0)
        return -1;
    if (toc != NULL && write_database(export, toc, uses, out, err) < 0)
        return -1;
    if (manifest->n_filesets > 0 && write_files(export, out, err) < 0)
        return -1;
    return buf_printf(out, err,
                      "\nmanifest.json tells what the backup holds: tables with their rows, roles, settings.\n");
}
