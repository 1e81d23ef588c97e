#include "page.h"

#include <stdio.h>

enum { NIGHTS_MAX = 100, DEPTH_MAX = 64, NAME_SIZE = 32 };

static char *checked(int rc, Buf *page, const Error *err)
{
    if (rc < 0)
        fail_msg("%s", err->message);
    char *text = xstrdup(buf_str(page));
    buf_done(page);
    assert_well_formed(text);
    assert_self_contained(text);
    return text;
}

char *page_of_rehearsal(Rehearsal *rehearsal, int nights)
{
    Error err = ERROR_INIT;
    Buf page = BUF_INIT(REPORT_MAX);
    const Rehearsal *earlier[NIGHTS_MAX] = {0};
    for (int i = 0; i < nights; i++)
        earlier[i] = ordinary(i);
    int rc = report_rehearsal_html(rehearsal, earlier, (size_t)nights, &page, &err);
    for (int i = 0; i < nights; i++)
        rehearsal_free((Rehearsal *)earlier[i]);
    rehearsal_free(rehearsal);
    return checked(rc, &page, &err);
}

char *page_of_repository(RepositoryReport *report)
{
    Error err = ERROR_INIT;
    Buf page = BUF_INIT(REPORT_MAX);
    int rc = report_repository_html(report, &page, &err);
    report_done(report);
    return checked(rc, &page, &err);
}

size_t times(const char *page, const char *part)
{
    size_t n = 0;
    while ((page = strstr(page, part)) != NULL) {
        n++;
        page += strlen(part);
    }
    return n;
}

void assert_in(const char *page, const char *part)
{
    if (strstr(page, part) == NULL)
        fail_msg("not in the page: %s", part);
}

void assert_not_in(const char *page, const char *part)
{
    const char *at = strstr(page, part);
    if (at)
        fail_msg("in the page: %.200s", at);
}

/* Without an end tag of their own. */
static bool is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0 || strcmp(name, "!doctype") == 0;
}

static bool is_known(const char *name)
{
    static const char *const known[] = {
        "!doctype", "html",    "head",       "meta",    "link",  "title", "style", "body", "header", "main",
        "footer",   "section", "div",        "p",       "span",  "b",     "i",     "bdi",  "abbr",   "code",
        "pre",      "time",    "h1",         "h2",      "h3",    "dl",    "dt",    "dd",   "ul",     "li",
        "details",  "summary", "table",      "caption", "thead", "tbody", "tfoot", "tr",   "th",     "td",
        "figure",   "svg",     "figcaption", "strong",  "line",  "text",  "rect",  "path", "circle", "polyline"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

/* The end of a tag: a '>' in a quoted value is none. */
static const char *end_of_tag(const char *at)
{
    bool quoted = false;
    for (; *at && (quoted || *at != '>'); at++)
        quoted ^= *at == '"';
    assert_int_equal(*at, '>');
    return at;
}

void assert_well_formed(const char *page)
{
    char open[DEPTH_MAX][NAME_SIZE];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at; at = strchr(at, '<')) {
        bool closes = at[1] == '/';
        char name[NAME_SIZE];
        const char *from = at + 1 + closes, *end = end_of_tag(at);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(from, " />\n"), from);
        if (!is_known(name))
            fail_msg("a tag that no page has: %.60s", at);
        if (closes && (depth == 0 || strcmp(open[depth - 1], name) != 0))
            fail_msg("</%s> closes <%s>: %.200s", name, depth ? open[depth - 1] : "", at);
        if (closes)
            depth--;
        else if (!is_void(name) && end[-1] != '/')
            strcpy(open[depth++], name);
        assert_in_range(depth, 0, DEPTH_MAX - 1);
        at = strcmp(name, "style") == 0 && !closes ? strstr(end, "</style>") : end;
    }
    assert_int_equal(depth, 0);
}

static void assert_ids_unique(const char *page)
{
    for (const char *at = strstr(page, " id="); at; at = strstr(at + 1, " id=")) {
        _cleanup_free_ char *id = xstrndup(at, 4 + strcspn(at + 4, " >"));
        const char *again = strstr(at + 1, id);
        for (; again; again = strstr(again + 1, id))
            if (again[strlen(id)] == ' ' || again[strlen(id)] == '>')
                fail_msg("twice:%s", id);
    }
}

void assert_self_contained(const char *page)
{
    static const char *const unwanted[] = {
        "<script", "src=", "@import", "url(", "http:", "https:", "javascript:", "\x1b", "\xff", "\u202e"};
    const char *body = strstr(page, "<body>");
    assert_non_null(body);
    assert_int_equal(strncmp(page, "<!doctype html>\n<html lang=en>", 30), 0);
    for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++)
        assert_not_in(page, unwanted[i]);
    assert_int_equal(times(page, "href="), 1); /* of the icon that is none */
    assert_in(page, "<link rel=icon href=\"data:,\">");
    assert_int_equal(times(page, "<h1>"), 1);
    assert_int_equal(times(page, "<main"), 1);
    assert_ids_unique(body);
}
