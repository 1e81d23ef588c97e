#include "kura/retention.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"

enum { SPAN_TEXT_SIZE = 24 };

static const struct {
    const char *format; /* of strftime */
    const char *stays, *goes;
} spans[RETAIN_SPANS] = {
    [RETAIN_HOURLY] = {"%Y-%m-%dT%H", N_("hourly %s"), N_("newer one of hourly %s")},
    [RETAIN_DAILY] = {"%Y-%m-%d", N_("daily %s"), N_("newer one of daily %s")},
    [RETAIN_WEEKLY] = {"%G-W%V", N_("weekly %s"), N_("newer one of weekly %s")},
    [RETAIN_MONTHLY] = {"%Y-%m", N_("monthly %s"), N_("newer one of monthly %s")},
    [RETAIN_YEARLY] = {"%Y", N_("yearly %s"), N_("newer one of yearly %s")},
};

/* The backups of one application that the rules count, the newest first. */
typedef struct Judge {
    const RetentionPolicy *policy;
    const RetentionItem *items;
    RetentionVerdict *verdicts;
    size_t *order;
    size_t n;
} Judge;

void retention_tell(RetentionReasons *reasons, const char *format, const char *of)
{
    strvec_pushf(&reasons->codes, format, of);
    strvec_pushf(&reasons->texts, words_get(format), of);
}

void retention_reasons_done(RetentionReasons *reasons)
{
    strvec_done(&reasons->codes);
    strvec_done(&reasons->texts);
}

bool retention_is_given(const RetentionPolicy *policy)
{
    bool given = policy->last > 0 || policy->within > 0 || (policy->tags != NULL && policy->tags->n > 0);
    for (int span = 0; span < RETAIN_SPANS; span++)
        given = given || policy->spans[span] > 0;
    return given;
}

static void span_text(RetentionSpan span, time_t moment, char ret[SPAN_TEXT_SIZE])
{
    struct tm tm;
    gmtime_r(&moment, &tm);
    if (strftime(ret, SPAN_TEXT_SIZE, spans[span].format, &tm) == 0)
        ret[0] = 0;
}

static RetentionVerdict *verdict_of(const Judge *judge, size_t rank)
{
    return &judge->verdicts[judge->order[rank]];
}

static const RetentionItem *item_of(const Judge *judge, size_t rank)
{
    return &judge->items[judge->order[rank]];
}

static void keep(RetentionVerdict *verdict, bool by_policy, const char *reason, const char *of)
{
    verdict->stays = true;
    verdict->by_policy |= by_policy;
    retention_tell(&verdict->reasons, reason, of);
}

static void keep_span(const Judge *judge, RetentionSpan span)
{
    char last[SPAN_TEXT_SIZE] = "", text[SPAN_TEXT_SIZE];
    unsigned left = judge->policy->spans[span];
    for (size_t i = 0; i < judge->n && left > 0; i++) {
        span_text(span, item_of(judge, i)->moment, text);
        if (strcmp(text, last) == 0)
            continue;
        strcpy(last, text);
        left--;
        keep(verdict_of(judge, i), true, spans[span].stays, text);
    }
}

/* Counted from the newest backup, not from now: a site whose backups have stopped keeps what it has. */
static void keep_within(const Judge *judge)
{
    for (size_t i = 0; i < judge->n && judge->policy->within > 0; i++)
        if (difftime(item_of(judge, 0)->moment, item_of(judge, i)->moment) <= judge->policy->within)
            keep(verdict_of(judge, i), true, N_("within"), NULL);
}

static void keep_tags(const Judge *judge)
{
    const StrVec *tags = judge->policy->tags;
    for (size_t i = 0; tags != NULL && i < judge->n; i++)
        for (size_t j = 0; j < tags->n; j++)
            if (strvec_contains(item_of(judge, i)->tags, tags->v[j]))
                keep(verdict_of(judge, i), true, N_("tag %s"), tags->v[j]);
}

/* What no policy and no person takes away. */
static void protect(const Judge *judge)
{
    bool good = false, rehearsed = false;
    for (size_t i = 0; i < judge->n; i++) {
        const RetentionItem *item = item_of(judge, i);
        if (item->pinned)
            keep(verdict_of(judge, i), false, N_("pinned"), NULL);
        if (item->good && !good)
            keep(verdict_of(judge, i), false, N_("last good"), NULL);
        if (item->rehearsed && !rehearsed)
            keep(verdict_of(judge, i), false, N_("last rehearsed"), NULL);
        good |= item->good;
        rehearsed |= item->rehearsed;
    }
}

/* The shortest span for which a newer backup is kept instead says it best. */
static void tell_why_not(const Judge *judge, size_t rank)
{
    RetentionReasons *reasons = &verdict_of(judge, rank)->reasons;
    for (int span = 0; span < RETAIN_SPANS; span++) {
        char text[SPAN_TEXT_SIZE];
        span_text((RetentionSpan)span, item_of(judge, rank)->moment, text);
        _cleanup_free_ char *kept = xasprintf(spans[span].stays, text);
        for (size_t i = 0; i < rank && judge->policy->spans[span] > 0; i++) {
            if (!strvec_contains(&verdict_of(judge, i)->reasons.codes, kept))
                continue;
            retention_tell(reasons, spans[span].goes, text);
            return;
        }
    }
    retention_tell(reasons, N_("older than what is kept"), NULL);
}

/* The rules of the policy do not see what a person removes: another backup takes its place. */
static void judge_app(const Judge *all)
{
    Judge judge = *all;
    judge.n = 0;
    judge.order = xcalloc(all->n, sizeof *judge.order);
    for (size_t i = 0; i < all->n; i++)
        if (!item_of(all, i)->removed)
            judge.order[judge.n++] = all->order[i];
    for (size_t i = 0; i < judge.n && i < judge.policy->last; i++)
        keep(verdict_of(&judge, i), true, N_("last"), NULL);
    for (int span = 0; span < RETAIN_SPANS; span++)
        keep_span(&judge, (RetentionSpan)span);
    keep_within(&judge);
    keep_tags(&judge);
    protect(all);
    for (size_t i = 0; i < judge.n; i++)
        if (!verdict_of(&judge, i)->stays)
            tell_why_not(&judge, i);
    free(judge.order);
    for (size_t i = 0; i < all->n; i++)
        if (item_of(all, i)->removed && !verdict_of(all, i)->stays)
            retention_tell(&verdict_of(all, i)->reasons, N_("to be removed"), NULL);
}

static int compare_items(const void *a, const void *b, void *ctx)
{
    const RetentionItem *items = ctx, *left = &items[*(const size_t *)a], *right = &items[*(const size_t *)b];
    int app = strcmp(left->app, right->app);
    if (app != 0)
        return app;
    if (left->moment != right->moment)
        return left->moment < right->moment ? 1 : -1;
    return strcmp(right->id, left->id);
}

static bool is_ahead(const RetentionItem *item, time_t now)
{
    return item->moment > now && difftime(item->moment, now) > RETENTION_AHEAD_MAX;
}

void retention_judge(const RetentionPolicy *policy, const RetentionItem *items, size_t n, time_t now,
                     RetentionVerdict *ret)
{
    _cleanup_free_ size_t *order = xcalloc(n + 1, sizeof *order);
    size_t counted = 0;
    memset(ret, 0, n * sizeof *ret);
    for (size_t i = 0; i < n; i++) {
        ret[i].ahead = is_ahead(&items[i], now) && !items[i].removed;
        if (ret[i].ahead)
            keep(&ret[i], false, N_("in the future"), NULL);
        else
            order[counted++] = i;
    }
    qsort_r(order, counted, sizeof *order, compare_items, (void *)items);
    for (size_t first = 0, next; first < counted; first = next) {
        next = first + 1;
        while (next < counted && strcmp(items[order[next]].app, items[order[first]].app) == 0)
            next++;
        judge_app(&(Judge){policy, items, ret, order + first, next - first});
    }
}

void retention_done(RetentionVerdict *verdicts, size_t n)
{
    for (size_t i = 0; i < n && verdicts != NULL; i++)
        retention_reasons_done(&verdicts[i].reasons);
}
