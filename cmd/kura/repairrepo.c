#include "kura/repairrepo.h"

#include "commands.h"
#include "kura/text.h"
#include "kura/words.h"
#include "other.h"
#include "screen.h"
#include "table.h"
#include "text.h"

enum { SHOWN_AFFECTED = 3 };

static json_t *json_of_objects(const RepairRepoReport *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->n_objects; i++) {
        const RepairObject *object = &report->objects[i];
        json_t *affected = json_array();
        for (size_t j = 0; j < object->affected.kept.n; j++)
            json_array_append_new(affected, json_text(object->affected.kept.v[j]));
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "object", object->object, "code",
                                               object->code, "cure", repair_cure_name(object->cure), "done",
                                               object->done, "why", object->why ? json_text(object->why) : json_null(),
                                               "affected", affected));
    }
    return array;
}

static json_t *json_of_repair(const RepairRepoReport *report, bool applied)
{
    const VerifyReport *verify = &report->verify;
    return json_pack("{s:b, s:o, s:I, s:I, s:I}", "applied", applied, "objects", json_of_objects(report), "leftovers",
                     (json_int_t)report->leftovers, "missing", (json_int_t)verify->missing, "damaged",
                     (json_int_t)verify->damaged);
}

static const char *cure_text(const RepairObject *object, bool applied)
{
    switch (object->cure) {
    case CURE_CACHE:
        return applied ? _("brought back from the cache of this host") : _("the cache of this host has it");
    case CURE_COPY:
        return applied ? _("brought back from the copy") : _("the copy has it");
    case CURE_FILES:
        return applied ? _("made again of files on this host") : _("can be made again of files on this host");
    case CURE_SET_ASIDE:
        return applied ? _("moved to damaged/") : _("would be moved to damaged/");
    case CURE_NONE:
        break;
    }
    return object->why ? object->why : _("nothing here has it");
}

static void print_affected(FILE *out, const RepairObject *object)
{
    size_t n = object->affected.kept.n, shown = n < SHOWN_AFFECTED ? n : SHOWN_AFFECTED;
    for (size_t i = 0; i < shown; i++) {
        _cleanup_free_ char *name = text_escaped(object->affected.kept.v[i]);
        fprintf(out, "%s%s", i ? ", " : _("  needed for: "), name);
    }
    if (n > shown)
        fprintf(out, _(" and %zu more"), n - shown);
    if (n > 0)
        fputc('\n', out);
}

static void print_repair(FILE *out, const RepairRepoReport *report, bool applied)
{
    size_t back = 0;
    for (size_t i = 0; i < report->n_objects; i++) {
        const RepairObject *object = &report->objects[i];
        back += object->cure != CURE_NONE && object->cure != CURE_SET_ASIDE;
        _cleanup_free_ char *cure = text_escaped(cure_text(object, applied));
        fprintf(out, "%s: %s\n", object->object, cure);
        print_affected(out, object);
    }
    if (report->n_objects == 0)
        fputs(_("nothing is missing or damaged\n"), out);
    else
        fprintf(out, applied ? _("%zu of %zu brought back\n") : _("%zu of %zu can be brought back\n"), back,
                report->n_objects);
    if (report->leftovers > 0)
        fprintf(out, applied ? _("%ju unfinished files removed\n") : _("%ju unfinished files would be removed\n"),
                (uintmax_t)report->leftovers);
    if (!applied && (report->n_objects > 0 || report->leftovers > 0))
        fputs(_("nothing was changed; --apply does it\n"), out);
}

static int run(Session *session, Repo *from, const FileArgs *files, Error *err)
{
    const Options *options = session->options;
    RepairRepoReport report = {0};
    _cleanup_free_ char *cache = session_cache_dir(options);
    _cleanup_free_ struct RepairFiles *dirs = xcalloc(files->n + 1, sizeof *dirs);
    const RepairRepoOptions repair = {.apply = options_flag(options, OPT_APPLY_REPOSITORY),
                                      .from = from,
                                      .app = options_text(options, OPT_APP),
                                      .cache_dir = cache,
                                      .files = dirs,
                                      .n_files = files->n,
                                      .percent = options_number(options, OPT_READ_DATA, 0),
                                      .jobs = (size_t)options_number(options, OPT_JOBS, 0)};
    for (size_t i = 0; i < files->n; i++)
        dirs[i] = (struct RepairFiles){.name = files->v[i].name, .dir = files->v[i].dir};
    if (repair_repository(session->repo, &repair, &report, &session->findings, &session->progress, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "repair", json_of_repair(&report, repair.apply));
    else
        print_repair(session->out, &report, repair.apply);
    repairrepo_report_done(&report);
    return 0;
}

int command_repair_repository(Session *session, Error *err)
{
    const char *from = options_text(session->options, OPT_FROM);
    RepoUse use = options_flag(session->options, OPT_APPLY_REPOSITORY) ? REPO_WRITE : REPO_READ;
    _cleanup_(file_args_done) FileArgs files = {0};
    Other other = {0};
    if (file_args_parse(options_list(session->options, OPT_FILES), &files, err) < 0)
        return -1;
    int rc = session_open_repo_for(session, use, err);
    if (rc == 0 && from != NULL)
        rc = other_open(session, from, REPO_READ, &other, err);
    if (rc == 0)
        rc = run(session, other.repo, &files, err);
    other_close(&other);
    return rc;
}
