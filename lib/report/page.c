#include "page.h"

#include <stdio.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "report_style.h"

Tone tone_of(Verdict verdict)
{
    static const Tone tones[] = {
        [VERDICT_PASSED] = TONE_GOOD, [VERDICT_FINDINGS] = TONE_LOOK, [VERDICT_FAILED] = TONE_BAD};
    return tones[verdict];
}

static const char *tone_class(Tone tone)
{
    static const char *const names[] = {"good", "look", "bad", "quiet"};
    return names[tone];
}

/* The language of the words, as HTML names it: the one that is found, not the one that was wished for. */
static const char *language(void)
{
    /* TRANSLATORS: the tag of your language by RFC 5646, such as "ja" */
    return _("en");
}

void page_begin(Html *h, const char *title)
{
    html(h,
         "<!doctype html>\n<html lang={=}>\n<head>\n<meta charset=utf-8>\n"
         "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=color-scheme content=\"light dark\">\n"
         "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
         "img-src data:\">\n"
         "<meta name=generator content=\"kura {=}\">\n<link rel=icon href=\"data:,\">\n<title>{}</title>\n<style>\n",
         language(), KURA_VERSION, title);
    if (!h->failed && buf_append_str(h->out, report_style, h->err) < 0)
        h->failed = true;
    html(h, "</style>\n</head>\n<body>\n");
}

void page_end(Html *h)
{
    html(h, "</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n",
         html_words(h,
                    _("Made by kura %s. This page is one file: it asks nobody for anything, and can be kept as it is."),
                    KURA_VERSION));
}

/* A storehouse: roof, walls, door. */
static void mark(Html *h)
{
    html(h, "<svg class=mark viewBox=\"0 0 24 24\" aria-hidden=true><path d=\"M2.5 10L12 3.5L21.5 10M5 9v11h14V9M9.5 "
            "20v-6.5h5V20\"/></svg>");
}

void banner_begin(Html *h, Tone tone, const char *kind, const char *app, const char *verdict)
{
    html(h, "<header class=\"banner {=}\"><div class=wide>\n<p class=eyebrow>", tone_class(tone));
    mark(h);
    html(h, "<span>{}</span> <bdi>{}</bdi></p>\n<div class=verdict>", kind, app);
    icon(h, tone);
    html(h, "<h1>{}</h1></div>\n", verdict);
}

void banner_end(Html *h)
{
    html(h, "</div></header>\n<main class=wide>\n");
}

void section_begin(Html *h, const char *id, const char *title)
{
    html(h, "<section aria-labelledby={=}><h2 id={=}>{}</h2>\n", id, id, title);
}

void section_end(Html *h)
{
    html(h, "</section>\n");
}

void icon(Html *h, Tone tone)
{
    static const char *const shapes[] = {
        [TONE_GOOD] = "M6.5 12.5l3.8 3.8L17.5 8.5",
        [TONE_LOOK] = "M12 6.5v7M12 17.2v.1",
        [TONE_BAD] = "M7.8 7.8l8.4 8.4M16.2 7.8l-8.4 8.4",
        [TONE_QUIET] = "M7.5 12h9",
    };
    html(h,
         "<svg class=\"icon {=}\" viewBox=\"0 0 24 24\" aria-hidden=true><circle cx=12 cy=12 r=11 /><path d=\"{=}\"/>"
         "</svg>",
         tone_class(tone), shapes[tone]);
}

void badge(Html *h, Tone tone, const char *word)
{
    html(h, "<span class=\"badge {=}\">", tone_class(tone));
    icon(h, tone);
    html(h, "{}</span>", word);
}

void figure_begin(Html *h, const char *label, const char *value)
{
    html(h, "<div><dt>{}</dt><dd><b>{}</b> <span>", label, value);
}

void figure_end(Html *h)
{
    html(h, "</span></dd></div>\n");
}

void table_begin(Html *h, const char *id, const char *class, const char *caption)
{
    html(h,
         "<div class=scroll role=region tabindex=0 aria-labelledby={=}><table class=\"{=}\"><caption "
         "id={=}><span>{}</span>"
         "</caption>\n",
         id, class, id, caption);
}

void table_end(Html *h)
{
    html(h, "</table></div>\n");
}

static void rows(Html *h, const ListTable *table, size_t from, size_t until)
{
    html(h, "<thead><tr>");
    table->head(h, table->ctx);
    html(h, "</tr></thead><tbody>\n");
    for (size_t i = from; i < until; i++) {
        html(h, "<tr>");
        table->row(h, table->ctx, i);
        html(h, "</tr>\n");
    }
    html(h, "</tbody>");
}

static void folded(Html *h, const ListTable *table)
{
    char id[64];
    size_t until = table->n < LIST_FOLDED ? table->n : LIST_FOLDED;
    snprintf(id, sizeof id, "%s-more", table->id);
    _cleanup_free_ char *caption = xasprintf(_("%s, continued"), table->caption);
    html(h, "<details><summary>{}</summary>\n",
         html_words(h, _("%s more %s"), html_count(h, until - LIST_SHOWN), table->noun));
    table_begin(h, id, "list", caption);
    rows(h, table, LIST_SHOWN, until);
    table_end(h);
    if (table->n > until)
        html(h, "<p class=aside>{}</p>",
             html_words(h, _("And %s %s that are not shown."), html_count(h, table->n - until), table->noun));
    html(h, "</details>\n");
}

void list_table(Html *h, const ListTable *table)
{
    size_t shown = table->n < LIST_SHOWN ? table->n : LIST_SHOWN;
    table_begin(h, table->id, "list", table->caption);
    rows(h, table, 0, shown);
    if (table->foot) {
        html(h, "<tfoot><tr>");
        table->foot(h, table->ctx);
        html(h, "</tr></tfoot>");
    }
    table_end(h);
    if (table->n > shown)
        folded(h, table);
}
