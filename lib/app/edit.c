/* Edits of a configuration, applied line by line. */
#include <stdlib.h>
#include <string.h>

#include "edit_priv.h"
#include "editvalue.h"
#include "kura/appedit.h"
#include "kura/mem.h"
#include "kura/secret.h"

static void wipe(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void app_edits_done(AppEdits *edits)
{
    if (edits == NULL)
        return;
    for (size_t i = 0; i < edits->n; i++) {
        free(edits->v[i].key);
        free(edits->v[i].place.file);
        wipe(edits->v[i].value);
    }
    free(edits->v);
    *edits = (AppEdits){0};
}

void app_edits_set(AppEdits *edits, const AppSetting *setting, const char *value)
{
    if (setting->place.file == NULL || (value && setting->value && strcmp(setting->value, value) == 0))
        return;
    for (size_t i = 0; i < edits->n; i++)
        if (!edits->v[i].insert && strcmp(edits->v[i].key, setting->key) == 0) { /* what was said last counts */
            wipe(edits->v[i].value);
            edits->v[i].value = xstrdup_null(value);
            return;
        }
    xgrow(&edits->v, &edits->cap, edits->n);
    edits->v[edits->n] = (AppEdit){.key = xstrdup(setting->key), .place = setting->place, .value = xstrdup_null(value)};
    edits->v[edits->n++].place.file = xstrdup(setting->place.file);
}

void app_edits_files(const AppEdits *edits, StrVec *ret)
{
    for (size_t i = 0; i < edits->n; i++)
        if (!strvec_contains(ret, edits->v[i].place.file))
            strvec_push(ret, edits->v[i].place.file);
}

/* ---- lines ---- */

bool line_holds(const Line *line, const AppPlace *place)
{
    return place->file && strcmp(place->file, line->file) == 0 && place->offset >= line->start &&
           place->offset <= line->start + line->len;
}

static int by_offset(const void *a, const void *b)
{
    const AppEdit *const *first = a, *const *second = b;
    return (*first)->place.offset < (*second)->place.offset ? -1 : (*first)->place.offset > (*second)->place.offset;
}

const AppEdit **line_edits(const Line *line, bool insert, size_t *ret_n)
{
    const AppEdit **list = xcalloc(line->edits->n + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < line->edits->n; i++)
        if (line->edits->v[i].insert == insert && line_holds(line, &line->edits->v[i].place))
            list[n++] = &line->edits->v[i];
    qsort(list, n, sizeof *list, by_offset);
    *ret_n = n;
    return list;
}

size_t line_indent(const Line *line)
{
    size_t n = 0;
    while (n < line->len && (line->text[line->start + n] == ' ' || line->text[line->start + n] == '\t'))
        n++;
    return n;
}

static int comment_out(const Line *line, Buf *out, Error *err)
{
    size_t indent = line_indent(line);
    const char *start = line->text + line->start;
    if (buf_append(out, start, indent, err) < 0 || buf_append_str(out, "# ", err) < 0)
        return -1;
    return buf_append(out, start + indent, line->len - indent, err);
}

static int cannot_change(const Line *line, const AppEdit *edit, Error *err)
{
    return error_set(err, ERR_CORRUPT, "\"%s\", line %u: %s cannot be changed where it stands", line->file,
                     edit->place.line, edit->key);
}

/* The line with its values replaced. */
static int edit_line(const Line *line, const AppEdit **edits, size_t n, Buf *out, Error *err)
{
    size_t at = line->start, end = line->start + line->len;
    for (size_t i = 0; i < n; i++) {
        const AppPlace *place = &edits[i]->place;
        if (place->offset < at || place->len > end - place->offset)
            return cannot_change(line, edits[i], err);
        if (buf_append(out, line->text + at, place->offset - at, err) < 0 ||
            value_write(format_of(line->file), line->text + place->offset, place->len, edits[i]->value, out, err) < 0)
            return error_wrap(err, "\"%s\", %s", line->file, edits[i]->key);
        at = place->offset + place->len;
    }
    return buf_append(out, line->text + at, end - at, err);
}

static int write_line(const Line *line, Buf *out, Error *err)
{
    size_t n;
    _cleanup_free_ const AppEdit **edits = line_edits(line, false, &n);
    for (size_t i = 0; i < n; i++) {
        if (edits[i]->value)
            continue;
        if (edits[i]->place.len > line->start + line->len - edits[i]->place.offset)
            return cannot_change(line, edits[i], err); /* the lines after it would come to life */
        return comment_out(line, out, err);
    }
    return edit_line(line, edits, n, out, err);
}

static int write_insert(const Line *line, const AppEdit *edit, Buf *out, Error *err)
{
    if (buf_append(out, line->text + line->start, line_indent(line), err) < 0)
        return -1;
    return value_write_line(format_of(line->file), edit->key, edit->value, out, err);
}

Line line_at(const AppEdits *edits, const char *file, const char *text, size_t len, size_t start)
{
    const char *end = memchr(text + start, '\n', len - start);
    size_t n = end ? (size_t)(end - text) - start : len - start;
    if (n > 0 && text[start + n - 1] == '\r')
        n--;
    return (Line){.text = text, .start = start, .len = n, .edits = edits, .file = file};
}

size_t line_next(const Line *line, size_t len)
{
    size_t at = line->start + line->len;
    if (at < len && line->text[at] == '\r')
        at++;
    return at < len ? at + 1 : len;
}

static int check_places(const AppEdits *edits, const char *file, size_t len, Error *err)
{
    for (size_t i = 0; i < edits->n; i++) {
        const AppPlace *place = &edits->v[i].place;
        if (strcmp(place->file, file) == 0 && (place->offset > len || place->len > len - place->offset))
            return error_set(err, ERR_CORRUPT, "\"%s\" is not as it was when it was read", file);
    }
    return 0;
}

int app_edit_text(const AppEdits *edits, const char *file, const char *text, size_t len, Buf *out, Error *err)
{
    if (check_places(edits, file, len, err) < 0)
        return -1;
    for (size_t at = 0; at < len;) {
        Line line = line_at(edits, file, text, len, at);
        size_t n, next = line_next(&line, len);
        _cleanup_free_ const AppEdit **inserts = line_edits(&line, true, &n);
        if (write_line(&line, out, err) < 0 || buf_append(out, text + at + line.len, next - at - line.len, err) < 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            if ((out->data[out->len - 1] != '\n' && buf_append_str(out, "\n", err) < 0) ||
                write_insert(&line, inserts[i], out, err) < 0 || buf_append_str(out, "\n", err) < 0)
                return -1;
        at = next;
    }
    return 0;
}
