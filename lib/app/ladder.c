/* Descriptions of ladders: reading them, and the way up. */
#include "kura/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin_ladders.h"
#include "file.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/words.h"
#include "settings.h"
#include "version.h"

enum { RUNGS_MAX = 1000 };

void ladder_done(Ladder *ladder)
{
    if (ladder == NULL)
        return;
    for (size_t i = 0; i < ladder->n; i++) {
        free(ladder->v[i].version);
        free(ladder->v[i].postgresql);
        free(ladder->v[i].ruby);
        free(ladder->v[i].node);
        free(ladder->v[i].note);
    }
    free(ladder->v);
    free(ladder->name);
    free(ladder->title);
    *ladder = (Ladder){0};
}

/* ---- reading ---- */

static char *value_of(const Settings *settings, const char *key)
{
    const AppSetting *setting = settings_get(settings, key);
    return setting ? xstrdup_null(setting->value) : NULL;
}

static char *rung_value(const Settings *settings, size_t i, const char *member)
{
    char key[64];
    snprintf(key, sizeof key, "rungs[%zu].%s", i, member);
    return value_of(settings, key);
}

static int wrong(const char *file, const char *what, Error *err)
{
    return error_set(err, ERR_CORRUPT, "%s: %s", file, words_get(what));
}

static int take_rung(const char *file, const Settings *settings, Ladder *ladder, Error *err)
{
    LadderRung *rung = &ladder->v[ladder->n];
    *rung = (LadderRung){
        .version = rung_value(settings, ladder->n, "version"),
        .postgresql = rung_value(settings, ladder->n, "postgresql"),
        .ruby = rung_value(settings, ladder->n, "ruby"),
        .node = rung_value(settings, ladder->n, "node"),
        .note = rung_value(settings, ladder->n, "note"),
    };
    ladder->n++;
    Version version, last, server;
    if (rung->version == NULL)
        return wrong(file, "a rung has no version", err);
    if (version_parse(rung->version, &version, err) < 0 ||
        (rung->postgresql && version_parse(rung->postgresql, &server, err) < 0))
        return error_wrap(err, "%s", file);
    if (ladder->n < 2)
        return 0;
    if (version_parse(rung[-1].version, &last, err) < 0)
        return -1;
    return version_order(&last, &version, ladder->line) < 0 ? 0 : wrong(file, "rungs are not in ascending order", err);
}

static int take_ladder(const char *file, const Settings *settings, Ladder *ladder, Error *err)
{
    _cleanup_free_ char *line = value_of(settings, "line"), *required = value_of(settings, "required");
    ladder->title = value_of(settings, "title");
    ladder->line = line ? (unsigned)strtoul(line, NULL, 10) : 0;
    ladder->required = required && strcmp(required, "true") == 0;
    if (ladder->title == NULL || ladder->line < 1 || ladder->line > VERSION_NUMBERS)
        return wrong(file, "title or line is missing, or line is not 1 to 4", err);
    ladder->v = xcalloc(RUNGS_MAX, sizeof *ladder->v);
    char key[64];
    for (size_t i = 0; snprintf(key, sizeof key, "rungs[%zu]", i) && settings_have_below(settings, key); i++) {
        if (i == RUNGS_MAX)
            return wrong(file, "there are too many rungs", err);
        if (take_rung(file, settings, ladder, err) < 0)
            return -1;
    }
    return ladder->n ? 0 : wrong(file, "there are no rungs", err);
}

int ladder_parse(const char *file, const char *text, size_t len, Ladder *ret, Error *err)
{
    Findings findings = FINDINGS_INIT;
    Settings settings = {0};
    SettingsInput input = {.file = file, .prefix = "", .text = text, .len = len, .findings = &findings};
    *ret = (Ladder){0};
    int rc = yaml_settings(&input, &settings, err);
    if (rc == 0)
        rc = take_ladder(file, &settings, ret, err);
    if (rc < 0)
        ladder_done(ret);
    settings_done(&settings);
    findings_done(&findings);
    return rc;
}

static int read_builtin(const char *name, const char *file, Ladder *ret, Error *err)
{
    _cleanup_(buf_done) Buf names = BUF_INIT(4096);
    for (size_t i = 0; i < ARRAY_SIZE(builtin_ladders); i++) {
        const char *text = builtin_ladders[i].text;
        if (strcmp(builtin_ladders[i].name, name) == 0)
            return ladder_parse(file, text, strlen(text), ret, err);
        buf_printf(&names, NULL, "%s%s", i ? ", " : "", builtin_ladders[i].name);
    }
    error_set(err, ERR_NOT_FOUND, "no ladder of releases is known for \"%s\"", name);
    return error_hint(err, "There are ladders for %s, and those in %s.", buf_str(&names), LADDER_DIR);
}

int ladder_read(const char *dir, const char *name, Ladder *ret, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(0);
    _cleanup_free_ char *file = xasprintf("%s.yaml", name);
    Error why = {.code = ERR_NOT_FOUND};
    bool is_name = *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
    int rc = is_name ? app_file_read(dir ? dir : LADDER_DIR, file, &text, &why) : -1;
    if (rc < 0 && why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    rc = rc == 0 ? ladder_parse(file, buf_str(&text), text.len, ret, err) : read_builtin(name, file, ret, err);
    if (rc < 0)
        return -1;
    ret->name = xstrdup(name);
    return 0;
}

/* ---- the way up ---- */

int ladder_find(const Ladder *ladder, const char *version, size_t *ret, Error *err)
{
    Version wanted, rung;
    if (version_parse(version, &wanted, err) < 0)
        return -1;
    for (size_t i = 0; i < ladder->n; i++) {
        if (version_parse(ladder->v[i].version, &rung, err) < 0)
            return -1;
        if (version_order(&rung, &wanted, ladder->line) != 0)
            continue;
        *ret = i;
        return 0;
    }
    error_set(err, ERR_USAGE, "%s %s is of no line of releases that kura knows", ladder->title, version);
    return error_hint(err, "Known are %s to %s. Newer ones can be described in %s/%s.yaml.", ladder->v[0].version,
                      ladder->v[ladder->n - 1].version, LADDER_DIR, ladder->name ? ladder->name : "NAME");
}

/* The release asked for; where only the line is ("4.3"), the last known of it. */
static int choose_top(const LadderRung *rung, const char *from, const char *to, unsigned line, char **ret, Error *err)
{
    Version asked;
    int order;
    if (version_parse(to, &asked, err) < 0)
        return -1;
    const char *top = asked.n > line ? to + (*to == 'v') : rung->version;
    if (version_compare(from, top, &order, err) < 0)
        return -1;
    if (order > 0) {
        error_set(err, ERR_USAGE, "the way from %s to %s leads down", from, top);
        return error_hint(err, "Migrations lead up only. The way back is a backup from before: kura restore --swap.");
    }
    *ret = xstrdup(top);
    return 0;
}

static int oldest_server(LadderClimb *climb, Error *err)
{
    for (size_t i = 0; i < climb->n; i++) {
        int order = 1;
        const char *needed = climb->v[i].postgresql;
        if (needed && climb->postgresql && version_compare(needed, climb->postgresql, &order, err) < 0)
            return -1;
        if (needed && order > 0)
            climb->postgresql = needed;
    }
    return 0;
}

int ladder_climb(const Ladder *ladder, const char *from, const char *to, LadderClimb *ret, Error *err)
{
    size_t first, last;
    int order;
    *ret = (LadderClimb){0};
    if (ladder_find(ladder, from, &first, err) < 0 || ladder_find(ladder, to, &last, err) < 0 ||
        choose_top(&ladder->v[last], from, to, ladder->line, &ret->top, err) < 0)
        return -1;
    ret->v = xcalloc(last - first + 1, sizeof *ret->v);
    for (size_t i = first + 1; i <= last; i++)
        ret->v[ret->n++] = ladder->v[i];
    if (version_compare(from, ret->top, &order, err) == 0 && first == last && order < 0)
        ret->v[ret->n++] = ladder->v[last];
    if (ret->n)
        ret->v[ret->n - 1].version = ret->top;
    return oldest_server(ret, err);
}

void ladder_climb_done(LadderClimb *climb)
{
    if (climb == NULL)
        return;
    free(climb->v);
    free(climb->top);
    *climb = (LadderClimb){0};
}
