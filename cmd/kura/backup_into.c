/* Why not one pass that feeds all: a repository names blobs by a key of its own, so that indexes and manifest are made
 * for each, and what one of them already has must be read for another that was away for a night. A copy does all that;
 * it reads no more than what was new. */
#include "backup_into.h"

#include "kura/copy.h"
#include "kura/words.h"
#include "other.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"
#include "view.h"

/* One repository of several. */
typedef struct Place {
    const char *name; /* as the options have it */
    Other other;      /* of all but the first, which is the session's */
    Repo *repo;       /* NULL: it could not be opened */
    char *id;         /* of the backup in it; NULL: it has none */
    bool copied;
    Error why; /* it has none */
} Place;

typedef struct Places {
    Session *session;
    const FileArgs *files;
    Place *v;
    size_t n;
    Manifest *manifest; /* of the first that has it */
    Place *source;      /* .. */
} Places;

static int open_place(Places *places, Place *place, Error *err)
{
    Session *session = places->session;
    bool first = place == places->v;
    int rc = first ? session_open_repo_for(session, REPO_WRITE, err)
                   : other_open(session, place->name, REPO_WRITE, &place->other, err);
    if (rc == 0)
        place->repo = first ? session->repo : place->other.repo;
    return rc;
}

static int make_copy(Places *places, Place *place, Error *err)
{
    Session *session = places->session;
    _cleanup_(strvec_done) StrVec ids = {0};
    _cleanup_(copy_report_done) CopyReport report = {0};
    _cleanup_free_ char *cache = session_cache_dir(session->options);
    strvec_push(&ids, places->source->id);
    /* Whoever names a place for backups wants them there, encrypted or not. */
    const CopyOptions options = {.ids = &ids, .cache_dir = cache, .decrypt = true};
    if (copy_run(places->source->repo, place->repo, &options, &report, &session->findings, &session->progress, err) < 0)
        return -1;
    if (report.n_backups != 1 || report.backups[0].state == COPY_DAMAGED)
        return error_set(err, ERR_CORRUPT, "the backup in \"%s\" cannot be read in full", places->source->name);
    place->id = xstrdup(report.backups[0].target_id);
    place->copied = true;
    return 0;
}

static int make_backup(Places *places, Place *place, Error *err)
{
    Manifest *manifest;
    if (backup_into(places->session, places->files, place->repo, &manifest, err) < 0)
        return -1;
    place->id = xstrdup(manifest->id);
    if (places->manifest) {
        manifest_free(manifest);
        return 0;
    }
    places->manifest = manifest;
    places->source = place;
    return 0;
}

/* A copy would bring passwords and keys where they do not belong, or lack them where they do. */
static bool would_be_alike(const Places *places, const Place *place)
{
    for (size_t i = 0; i < places->files->n; i++)
        if (site_file_belongs(places->session, &places->files->v[i], places->source->repo) !=
            site_file_belongs(places->session, &places->files->v[i], place->repo))
            return false;
    return true;
}

static int fill_place(Places *places, Place *place, Error *err)
{
    if (open_place(places, place, err) < 0)
        return -1;
    bool copy = places->source && repo_can_read(places->source->repo) && would_be_alike(places, place);
    return copy ? make_copy(places, place, err) : make_backup(places, place, err);
}

/* Errors that another repository would not cure, and a backup of the application that is under way already. */
static bool is_final(const Places *places, const Error *why)
{
    return why->code == ERR_INTERRUPTED ||
           (places->source == NULL && (why->code == ERR_LOCKED || why->code == ERR_TOOL));
}

static int fill_all(Places *places, Error *err)
{
    for (size_t i = 0; i < places->n; i++) {
        Place *place = &places->v[i];
        if (fill_place(places, place, &place->why) == 0)
            continue;
        if (is_final(places, &place->why)) {
            *err = place->why;
            return -1;
        }
    }
    if (places->source)
        return 0;
    *err = places->v[0].why;
    return error_wrap(err, "none of the repositories got the backup; \"%s\"", places->v[0].name);
}

/* ---- what is told ---- */

static void tell_missing(const Places *places)
{
    for (size_t i = 0; i < places->n; i++) {
        const Place *place = &places->v[i];
        if (place->id)
            continue;
        _cleanup_free_ char *from = text_shell(places->source->name), *to = text_shell(place->name);
        _cleanup_free_ char *hint =
            xasprintf(_("%s%sThen \"kura copy %s --repo %s --to %s\" brings it there."), place->why.hint,
                      place->why.hint[0] ? " " : "", places->source->id, from, to);
        findings_add(&places->session->findings, FINDING_ERROR, "repository-without-backup", hint,
                     "the backup is in the repository \"%s\" but not in \"%s\": %s", places->source->name, place->name,
                     place->why.message);
    }
}

static json_t *json_of_places(const Places *places)
{
    json_t *array = json_array();
    for (size_t i = 0; i < places->n; i++) {
        const Place *place = &places->v[i];
        json_array_append_new(array, json_pack("{s:o, s:o, s:b}", "repository", json_text(place->name), "backup",
                                               json_text(place->id), "copied", place->copied));
    }
    return array;
}

static void print_places(FILE *out, const Places *places)
{
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    for (size_t i = 0; i < places->n; i++) {
        const Place *place = &places->v[i];
        if (place->id == NULL)
            continue;
        _cleanup_free_ char *text =
            xasprintf(place->copied ? _("%s, a copy: %s") : _("%s: %s"), place->name, place->id);
        table_row(table, _("in"), text);
    }
    table_print(table, out, 2);
}

static void tell(const Places *places)
{
    Session *session = places->session;
    tell_missing(places);
    if (session->json) {
        session_set(session, "backup", json_of_backup(places->manifest));
        session_set(session, "repositories", json_of_places(places));
        return;
    }
    print_backup(session->out, places->manifest);
    print_places(session->out, places);
}

int backup_into_all(Session *session, const FileArgs *files, Error *err)
{
    const StrVec *names = options_list(session->options, OPT_REPO);
    Places places = {.session = session, .files = files, .v = xcalloc(names->n, sizeof *places.v), .n = names->n};
    for (size_t i = 0; i < names->n; i++)
        places.v[i] = (Place){.name = names->v[i], .why = ERROR_INIT};
    int rc = fill_all(&places, err);
    if (rc == 0)
        tell(&places);
    for (size_t i = 0; i < places.n; i++) {
        other_close(&places.v[i].other);
        free(places.v[i].id);
    }
    manifest_free(places.manifest);
    free(places.v);
    return rc;
}
