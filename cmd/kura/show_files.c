/* The entries of filesets can be millions: they are written one by one, also as JSON. */
#include <string.h>
#include <time.h>

#include "commands.h"
#include "kura/clock.h"
#include "kura/fileset.h"
#include "kura/jsontext.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"

enum { OWNER = 10 }; /* columns of the display */

DEFINE_CLEANUP(IndexReader, index_reader_free)
DEFINE_CLEANUP(FilesetPaths, fileset_paths_free)

static json_t *json_of_path(const char *path)
{
    return path ? jsontext_new(path, strlen(path)) : json_null();
}

static json_t *json_of_entry(const IndexEntry *entry)
{
    char type[2] = {entry->type, 0}, mode[16], moment[32];
    snprintf(mode, sizeof mode, "%04o", entry->mode);
    clock_format_utc((time_t)entry->mtime_sec, moment, sizeof moment);
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:s, s:o, s:o}", "path", json_of_path(entry->path),
                     "type", type, "mode", mode, "user", json_text(entry->user), "group", json_text(entry->group),
                     "uid", (json_int_t)entry->uid, "gid", (json_int_t)entry->gid, "size", (json_int_t)entry->size,
                     "mtime", moment, "target", json_of_path(entry->target), "sha256",
                     json_text(entry->hash[0] ? entry->hash : NULL));
}

static void write_json(FILE *out, json_t *value)
{
    _cleanup_free_ char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    fputs(text, out);
    json_decref(value);
}

static char *owner_text(const char *name, uint32_t id)
{
    return name ? text_escaped(name) : xasprintf("%u", id);
}

static void print_entry(FILE *out, const IndexEntry *entry)
{
    char moment[32], size[TEXT_SIZE];
    clock_format_utc((time_t)entry->mtime_sec, moment, sizeof moment);
    _cleanup_free_ char *path = text_escaped(entry->path);
    _cleanup_free_ char *target = entry->target ? text_escaped(entry->target) : NULL;
    _cleanup_free_ char *user = owner_text(entry->user, entry->uid);
    _cleanup_free_ char *group = owner_text(entry->group, entry->gid);
    fprintf(out, "  %c %04o %s%*s %s%*s %10s  %s  %s%s%s\n", entry->type, entry->mode, user, text_fill(user, OWNER), "",
            group, text_fill(group, OWNER), "", text_bytes(entry->size, size), moment, path, target ? " -> " : "",
            target ? target : "");
}

static int show_fileset(Session *session, const ManifestFileset *fileset, FilesetPaths *paths, Error *err)
{
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new_paths(session->repo, fileset, paths);
    const IndexEntry *entry;
    int rc;
    for (bool first = true; (rc = index_reader_next(reader, &entry, err)) > 0; first = false) {
        if (stop_check(err) < 0)
            return -1;
        if (session->json) {
            fputs(first ? "\n" : ",\n", session->out);
            write_json(session->out, json_of_entry(entry));
        } else {
            print_entry(session->out, entry);
        }
    }
    return rc;
}

static void begin_fileset(Session *session, const ManifestFileset *fileset, bool first)
{
    if (session->json) {
        fputs(first ? "{\"name\": " : ", {\"name\": ", session->out);
        write_json(session->out, json_text(fileset->name));
        fputs(", \"entries\": [", session->out);
        return;
    }
    _cleanup_free_ char *name = text_escaped(fileset->name);
    fprintf(session->out, _("files of %s\n"), name);
}

int show_files(Session *session, const Manifest *manifest, Error *err)
{
    _cleanup_(fileset_paths_free_cleanup) FilesetPaths *paths = NULL;
    int rc = 0;
    if (session_paths(session, &paths, err) < 0)
        return -1;
    if (session->json) {
        session->document_begun = true;
        fputs("{\"filesets\": [", session->out);
    }
    for (size_t i = 0; rc == 0 && i < manifest->n_filesets; i++) {
        begin_fileset(session, &manifest->filesets[i], i == 0);
        rc = show_fileset(session, &manifest->filesets[i], paths, err);
        if (session->json)
            fputs("]}", session->out);
    }
    if (session->json)
        fputs("]", session->out);
    return rc < 0 ? -1 : fileset_paths_check(paths, err);
}
