/* The releases that an upgrade passes; at each of them a backup and a rehearsal. */
#include <string.h>

#include "child.h"
#include "kura/ladder.h"
#include "kura/words.h"
#include "move.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "wayback.h"

typedef struct Way {
    Ladder ladder;
    LadderClimb climb;
    const char *from, *to;
} Way;

static void way_done(Way *way)
{
    ladder_climb_done(&way->climb);
    ladder_done(&way->ladder);
}

/* Whether what runs is newer than all that kura knows: then there is nothing to pass, as far as it knows. */
static int is_beyond(Session *session, const Ladder *ladder, const char *from, bool *ret, Error *err)
{
    int order;
    const char *last = ladder->v[ladder->n - 1].version;
    if (version_compare(from, last, &order, err) < 0)
        return -1;
    *ret = order > 0;
    _cleanup_free_ char *hint = xasprintf(_("Newer ones can be described in %s/%s.yaml."), LADDER_DIR, ladder->name);
    if (*ret)
        findings_add(&session->findings, FINDING_NOTE, "ladder-end", hint,
                     "the last release of %s that kura knows of is %s", ladder->title, last);
    return 0;
}

static void tell_fork(Session *session, const Ladder *ladder)
{
    if (session->site && session->site->fork)
        findings_add(&session->findings, FINDING_NOTE, "ladder-of-another", NULL,
                     "the releases are those of %s; what %s needs, its own notes tell", ladder->title,
                     session->site->fork);
}

static int find_way(Session *session, const char *profile, Way *ret, Error *err)
{
    const Options *options = session->options;
    AppSite *site;
    if (session_site(session, &site, err) < 0)
        return -1;
    const char *name = profile ? profile : site ? site->name : NULL;
    if (name == NULL) {
        error_set(err, ERR_USAGE, "no application is named");
        return error_hint(err, "Write \"kura move ladder mastodon\", or give --app-dir.");
    }
    if (ladder_read(NULL, name, &ret->ladder, err) < 0)
        return -1;
    const char *from = options_text(options, OPT_FROM_VERSION), *to = options_text(options, OPT_TO_VERSION);
    const char *rung = options_text(options, OPT_RUNG);
    ret->from = rung ? rung : from ? from : site ? site->version : NULL;
    ret->to = to ? to : ret->ladder.v[ret->ladder.n - 1].version;
    if (ret->from == NULL) {
        error_set(err, ERR_USAGE, "it is not known which version runs now");
        return error_hint(err, "Give --from with the version, or --app-dir with the directory of its code.");
    }
    bool beyond = false;
    tell_fork(session, &ret->ladder);
    if (to == NULL && is_beyond(session, &ret->ladder, ret->from, &beyond, err) < 0)
        return -1;
    if (!beyond)
        return ladder_climb(&ret->ladder, ret->from, ret->to, &ret->climb, err);
    ret->climb.top = xstrdup(ret->from);
    return 0;
}

/* ---- what there is to see ---- */

static json_t *json_of_rung(const LadderRung *rung)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "version", json_text(rung->version), "postgresql",
                     json_text(rung->postgresql), "ruby", json_text(rung->ruby), "node", json_text(rung->node), "note",
                     json_text(rung->note));
}

static json_t *json_of_way(const Way *way)
{
    json_t *rungs = json_array();
    for (size_t i = 0; i < way->climb.n; i++)
        json_array_append_new(rungs, json_of_rung(&way->climb.v[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "profile", json_text(way->ladder.name), "title",
                     json_text(way->ladder.title), "from", json_text(way->from), "to", json_text(way->climb.top),
                     "required", way->ladder.required, "postgresql", json_text(way->climb.postgresql), "rungs", rungs);
}

static void print_rungs(FILE *out, const Way *way)
{
    _cleanup_free_ char *titles = xasprintf("%s|PostgreSQL|Ruby|Node|%s", _("release"), _("what its notes say"));
    _cleanup_(table_free_cleanup) Table *table = table_new(titles);
    for (size_t i = 0; i < way->climb.n; i++) {
        const LadderRung *rung = &way->climb.v[i];
        _cleanup_free_ char *server = rung->postgresql ? xasprintf(_("%s or newer"), rung->postgresql) : xstrdup("");
        table_row(table, rung->version, server, words_get(rung->ruby), words_get(rung->node), words_get(rung->note));
    }
    table_print(table, out, 2);
}

static void print_way(FILE *out, const Way *way)
{
    if (way->climb.n == 0) {
        fprintf(out, _("%s %s is there already\n"), way->ladder.title, way->climb.top);
        return;
    }
    if (way->ladder.required)
        fprintf(out,
                ngettext("%s from %s to %s: %zu release to pass, in this order\n",
                         "%s from %s to %s: %zu releases to pass, in this order\n", way->climb.n),
                way->ladder.title, way->from, way->climb.top, way->climb.n);
    else
        fprintf(out, _("%s from %s to %s: none need be passed; needs changed here\n"), way->ladder.title, way->from,
                way->climb.top);
    print_rungs(out, way);
    if (way->climb.postgresql)
        fprintf(out, _("PostgreSQL %s or newer is needed by the end, as far as release notes tell\n"),
                way->climb.postgresql);
    const char *how = way->ladder.required
                          ? N_("At each: stop the services, install the release, run its migrations (all "
                               "of them), start and look; then\n  kura move ladder %s --to %s --rung %s\n")
                          : N_("Stop the services, install the release, run its migrations (all of them), "
                               "start and look; then\n  kura move ladder %s --to %s --rung %s\n");
    fprintf(out, words_get(how), way->ladder.name, way->climb.top,
            way->ladder.required ? way->climb.v[0].version : way->climb.top);
}

/* ---- a rung ---- */

static void print_rung(const Session *session, const Way *way, const RunRecord *backup, const RunRecord *rehearsal)
{
    FILE *out = session->out;
    _cleanup_free_ char *restore = wayback_line(session, backup->backup, false);
    fprintf(out, _("rung %s: backup %s; rehearsal: %s\n"), way->from, backup->backup, words_get(rehearsal->verdict));
    if (way->climb.n == 0)
        fputs(_("that was the last one\n"), out);
    else
        fprintf(out, _("next comes %s %s\n"), way->ladder.title, way->climb.v[0].version);
    fprintf(out, _("the way back: the code of %s, and\n  %s\n"), way->from, restore);
}

static int stand_on_rung(Session *session, const Way *way, Error *err)
{
    _cleanup_(run_record_done) RunRecord backup = {0}, rehearsal = {0};
    _cleanup_free_ char *tag = xasprintf("rung-%s", way->from);
    if (child_run(session, CMD_BACKUP, NULL, tag, "backup", &backup, err) < 0)
        return error_wrap(err, "backing up at rung %s", way->from);
    if (child_run(session, CMD_REHEARSE, backup.backup, NULL, "rehearsal", &rehearsal, err) < 0)
        return error_wrap(err, "rehearsing at rung %s", way->from);
    if (session->json)
        session_set(session, "rung", json_text(way->from));
    else
        print_rung(session, way, &backup, &rehearsal);
    return 0;
}

int move_ladder(Session *session, const char *profile, Error *err)
{
    _cleanup_(way_done) Way way = {0};
    if (find_way(session, profile, &way, err) < 0)
        return -1;
    if (options_given(session->options, OPT_RUNG) && stand_on_rung(session, &way, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "ladder", json_of_way(&way));
    else if (!options_given(session->options, OPT_RUNG))
        print_way(session->out, &way);
    return 0;
}
