#include "html.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/words.h"

typedef enum Place { PLACE_TEXT, PLACE_LINES, PLACE_ATTRIBUTE } Place;

static void put(Html *h, const char *text, size_t len)
{
    if (!h->failed && buf_append(h->out, text, len, h->err) < 0)
        h->failed = true;
}

static void put_str(Html *h, const char *text)
{
    put(h, text, strlen(text));
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* A character that must not be seen as it is: told from a backslash that really is there by its look. */
static size_t put_hidden(Html *h, const char *text, Place place)
{
    char room[32];
    Buf shown = BUF_INIT(sizeof room - 1);
    size_t len = text_escape_one(&shown, text);
    snprintf(room, sizeof room, "%s", buf_str(&shown));
    buf_done(&shown);
    if (place != PLACE_ATTRIBUTE)
        put_str(h, "<span class=hidden-char>");
    put_str(h, room);
    if (place != PLACE_ATTRIBUTE)
        put_str(h, "</span>");
    return len;
}

static size_t put_one(Html *h, const char *text, Place place)
{
    const char *named = entity(*text);
    size_t len = text_plain(text);
    if (named) {
        put_str(h, named);
        return 1;
    }
    if (len == 0 && place == PLACE_LINES && (*text == '\n' || *text == '\t'))
        len = 1;
    if (len == 0)
        return put_hidden(h, text, place);
    put(h, text, len);
    return len;
}

static void put_value(Html *h, const char *value, Place place)
{
    if (value == NULL)
        return;
    while (*value && !h->failed)
        value += put_one(h, value, place);
}

/* How long the placeholder is that markup begins with; 0 when it begins with none. */
static size_t placeholder(const char *markup, Place *ret)
{
    static const char *const marks[] = {[PLACE_TEXT] = "{}", [PLACE_LINES] = "{|}", [PLACE_ATTRIBUTE] = "{=}"};
    for (int i = PLACE_TEXT; i <= PLACE_ATTRIBUTE; i++) {
        if (strncmp(markup, marks[i], strlen(marks[i])) == 0) {
            *ret = (Place)i;
            return strlen(marks[i]);
        }
    }
    return 0;
}

void html_fill(Html *h, const char *markup, const char *const *values, size_t n)
{
    size_t used = 0;
    while (*markup) {
        Place place;
        size_t literal = strcspn(markup, "{"), len;
        put(h, markup, literal);
        markup += literal;
        if (*markup == 0)
            break;
        len = placeholder(markup, &place);
        if (len == 0) {
            put(h, markup++, 1);
            continue;
        }
        assert(used < n);
        put_value(h, values[++used], place);
        markup += len;
    }
    assert(used == n);
}

static char *slot(Html *h)
{
    return h->slots[h->slot++ % HTML_SLOTS];
}

const char *html_bytes(Html *h, uint64_t bytes)
{
    return text_bytes(bytes, slot(h));
}

const char *html_count(Html *h, uint64_t count)
{
    return text_count(count, slot(h));
}

const char *html_seconds(Html *h, double seconds)
{
    return text_seconds(seconds, slot(h));
}

const char *html_age(Html *h, double seconds)
{
    return text_age(seconds, slot(h));
}

const char *html_copy(Html *h, const char *text)
{
    char *copy = slot(h);
    snprintf(copy, HTML_SLOT_SIZE, "%s", text);
    return copy;
}

const char *html_number(Html *h, double number)
{
    char *text = slot(h);
    snprintf(text, HTML_SLOT_SIZE, "%.3f", number);
    size_t len = strlen(text);
    while (text[len - 1] == '0')
        text[--len] = 0;
    if (text[len - 1] == '.')
        text[len - 1] = 0;
    return text;
}

const char *html_counted(Html *h, uint64_t count, const char *format)
{
    char *text = slot(h), number[TEXT_SIZE];
    snprintf(text, HTML_SLOT_SIZE, format, text_count(count, number));
    return text;
}

const char *html_words(Html *h, const char *format, ...)
{
    char *text = slot(h);
    va_list args;
    va_start(args, format);
    vsnprintf(text, HTML_SLOT_SIZE, format, args);
    va_end(args);
    return text;
}

static const char *moment_text(Html *h, time_t moment, const char *format)
{
    char *text = slot(h);
    struct tm tm;
    gmtime_r(&moment, &tm);
    if (strftime(text, HTML_SLOT_SIZE, format, &tm) == 0)
        text[0] = 0;
    return text;
}

const char *html_short_day(Html *h, time_t moment)
{
    return moment_text(h, moment, _("%-d %b %Y"));
}

const char *html_day(Html *h, time_t moment)
{
    return moment_text(h, moment, _("%-d %B %Y"));
}

const char *html_minute(Html *h, time_t moment)
{
    return moment_text(h, moment, _("%-d %B %Y, %H:%M UTC"));
}

const char *html_month(Html *h, time_t moment)
{
    return moment_text(h, moment, _("%B %Y"));
}

const char *html_date(Html *h, time_t moment)
{
    return moment_text(h, moment, "%Y-%m-%d");
}

const char *html_stamp(Html *h, time_t moment)
{
    return moment_text(h, moment, "%Y-%m-%dT%H:%M:%SZ");
}

void html_time(Html *h, const char *utc)
{
    html(h, "<time datetime=\"{=}\">{}</time>", utc, html_minute(h, clock_parse_utc(utc)));
}

int html_end(const Html *h)
{
    return h->failed ? -1 : 0;
}
