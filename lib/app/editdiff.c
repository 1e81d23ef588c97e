/* Edits as people see them before they agree. No line around them is shown: it could hold a secret. */
#include <stdlib.h>
#include <string.h>

#include "edit_priv.h"
#include "editvalue.h"
#include "file.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "wipe.h"

#define BLANK "***"

typedef struct Diff {
    const AppSite *site;
    Buf *out;
    unsigned line, added; /* line before this one; lines that insertions have added until here */
} Diff;

static bool sounds_secret(const char *key)
{
    static const char *const words[] = {"pass", "secret", "token", "key", "salt"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasestr(key, words[i]))
            return true;
    return false;
}

/* Nothing of a secret, and of a URL all but its password, which may also be one of the parameters. */
static int show_value(const char *key, const char *text, size_t len, Buf *out, Error *err)
{
    if (sounds_secret(key))
        return buf_append_str(out, BLANK, err);
    _cleanup_(wipe_text) char *value = xstrndup(text, len);
    char *scheme = strstr(value, "://"), *query = scheme ? strchr(scheme, '?') : NULL;
    bool hidden = query && sounds_secret(query);
    if (hidden)
        query[1] = 0;
    const char *at = scheme ? memrchr(scheme, '@', query ? (size_t)(query - scheme) : strlen(scheme)) : NULL;
    const char *colon = at ? memchr(scheme + 3, ':', (size_t)(at - scheme - 3)) : NULL;
    if ((colon &&
         (buf_append(out, value, (size_t)(colon - value) + 1, err) < 0 || buf_append_str(out, BLANK, err) < 0)) ||
        buf_append_str(out, colon ? at : value, err) < 0)
        return -1;
    return hidden ? buf_append_str(out, BLANK, err) : 0;
}

static int show_new_value(const Line *line, const AppEdit *edit, Buf *out, Error *err)
{
    _cleanup_(secret_buf_done) Buf value = BUF_INIT(APP_FILE_MAX);
    if (value_write(format_of(line->file), line->text + edit->place.offset, edit->place.len, edit->value, &value, err) <
        0)
        return -1;
    return show_value(edit->key, buf_str(&value), value.len, out, err);
}

/* By its place: an alias gives one value to several keys. */
static const AppEdit *edit_at(const Line *line, size_t offset)
{
    for (size_t i = 0; i < line->edits->n; i++) {
        const AppEdit *edit = &line->edits->v[i];
        if (!edit->insert && edit->place.offset == offset && strcmp(edit->place.file, line->file) == 0)
            return edit;
    }
    return NULL;
}

static int by_offset(const void *a, const void *b)
{
    const AppSetting *const *first = a, *const *second = b;
    return (*first)->place.offset < (*second)->place.offset ? -1 : (*first)->place.offset > (*second)->place.offset;
}

/* Whether a value, or the rest of one that began on a line before, stands on this line. */
static bool touches(const Line *line, const AppPlace *place)
{
    return line_holds(line, place) || (place->file && strcmp(place->file, line->file) == 0 &&
                                       place->offset < line->start && place->len > line->start - place->offset);
}

static const AppSetting **settings_of(const Diff *diff, const Line *line, size_t *ret_n)
{
    const AppSetting **list = xcalloc(diff->site->n_settings + 1, sizeof *list);
    *ret_n = 0;
    for (size_t i = 0; i < diff->site->n_settings; i++)
        if (touches(line, &diff->site->settings[i].place))
            list[(*ret_n)++] = &diff->site->settings[i];
    qsort(list, *ret_n, sizeof *list, by_offset);
    return list;
}

/* The line as it was, or as it will be. Other values that stand on it are blanked. */
static int show_line(const Diff *diff, const Line *line, bool new, Error *err)
{
    size_t n, at = line->start, end = line->start + line->len;
    _cleanup_free_ const AppSetting **settings = settings_of(diff, line, &n);
    for (size_t i = 0; i < n; i++) {
        const AppPlace *place = &settings[i]->place;
        size_t from = place->offset > line->start ? place->offset : line->start;
        size_t stop = place->len < end - place->offset ? place->offset + place->len : end;
        const AppEdit *edit = place->offset < line->start ? NULL : edit_at(line, place->offset);
        if (from < at)
            continue;
        if (buf_append(diff->out, line->text + at, from - at, err) < 0)
            return -1;
        int rc = edit == NULL ? buf_append_str(diff->out, BLANK, err)
                 : new && edit->value
                     ? show_new_value(line, edit, diff->out, err)
                     : show_value(edit->key, line->text + place->offset, stop - place->offset, diff->out, err);
        if (rc < 0)
            return -1;
        at = stop;
    }
    return buf_append(diff->out, line->text + at, end - at, err);
}

static int show_change(Diff *diff, Line line, const AppEdit **edits, size_t n, Error *err)
{
    bool comment = false;
    for (size_t i = 0; i < n; i++)
        comment |= edits[i]->value == NULL;
    if (buf_printf(diff->out, err, "@@ -%u +%u @@ %s\n-", diff->line, diff->line + diff->added, edits[0]->key) < 0 ||
        show_line(diff, &line, false, err) < 0 || buf_append_str(diff->out, "\n+", err) < 0)
        return -1;
    size_t indent = comment ? line_indent(&line) : 0;
    if (comment &&
        (buf_append(diff->out, line.text + line.start, indent, err) < 0 || buf_append_str(diff->out, "# ", err) < 0))
        return -1;
    line.start += indent;
    line.len -= indent;
    return show_line(diff, &line, !comment, err) < 0 ? -1 : buf_append_str(diff->out, "\n", err);
}

static int show_insert(Diff *diff, const Line *line, const AppEdit *edit, Error *err)
{
    diff->added++;
    if (buf_printf(diff->out, err, "@@ -%u,0 +%u @@ %s\n+%.*s", diff->line, diff->line + diff->added, edit->key,
                   (int)line_indent(line), line->text + line->start) < 0 ||
        value_write_line(format_of(line->file), edit->key, sounds_secret(edit->key) ? BLANK : edit->value, diff->out,
                         err) < 0)
        return -1;
    return buf_append_str(diff->out, "\n", err);
}

int app_edit_diff(const AppSite *site, const AppEdits *edits, const char *file, const char *text, size_t len, Buf *out,
                  Error *err)
{
    Diff diff = {.site = site, .out = out};
    if (buf_printf(out, err, "--- a/%s\n+++ b/%s\n", file, file) < 0)
        return -1;
    for (size_t at = 0; at < len;) {
        Line line = line_at(edits, file, text, len, at);
        size_t n, n_inserts;
        _cleanup_free_ const AppEdit **changes = line_edits(&line, false, &n);
        _cleanup_free_ const AppEdit **inserts = line_edits(&line, true, &n_inserts);
        diff.line++;
        if (n > 0 && show_change(&diff, line, changes, n, err) < 0)
            return -1;
        for (size_t i = 0; i < n_inserts; i++)
            if (show_insert(&diff, &line, inserts[i], err) < 0)
                return -1;
        at = line_next(&line, len);
    }
    return 0;
}
