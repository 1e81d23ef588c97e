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
    return ladder_climb(&ret->ladder, ret->from, ret->to, &ret->climb, err);
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
    fprintf(out,
            _("At each: stop the services, install the release, run its migrations (all of them), start and look; "
              "then\n  kura move ladder %s --to %s --rung %s\n"),
            way->ladder.name, way->climb.top, way->climb.v[0].version);
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
