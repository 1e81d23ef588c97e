#include "ticker.h"

#include <string.h>

#include "kura/buf.h"
#include "kura/clock.h"
#include "kura/cond.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "text.h"

static const double log_every = 10;
static const double event_every = 1;
enum { LOOK_EVERY_MS = 200 }; /* what a terminal shows five times a second */

struct Ticker {
    Progress *progress;
    Screen *screen;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stop;

    double phase; /* when the phase began that is shown */
    double shown; /* when a log line or event was written last, or the phase began */
};

static void append_part(Buf *out, const char *text)
{
    buf_printf(out, NULL, "%s%s", out->len ? "  " : "", text);
}

/* "12,345 rows"; to be freed. */
static char *counted(const ProgressSnapshot *snapshot)
{
    char count[TEXT_SIZE];
    text_count(snapshot->rows_done, count);
    return xasprintf(strcmp(snapshot->phase, "rows") == 0 ? ngettext("%s row", "%s rows", snapshot->rows_done)
                                                          : ngettext("%s item", "%s items", snapshot->rows_done),
                     count);
}

static void append_amounts(Buf *out, const ProgressSnapshot *snapshot)
{
    char done[TEXT_SIZE], total[TEXT_SIZE];
    /* a total is an estimate: one that was passed says nothing any more */
    if (snapshot->bytes_total > 0 && snapshot->bytes_done <= snapshot->bytes_total) {
        buf_printf(out, NULL, "  %.0f%%", (double)snapshot->bytes_done * 100.0 / (double)snapshot->bytes_total);
        buf_append_str(out, "  ", NULL);
        buf_printf(out, NULL, _("%s of %s"), text_bytes(snapshot->bytes_done, done),
                   text_bytes(snapshot->bytes_total, total));
    } else if (snapshot->bytes_done > 0) {
        append_part(out, text_bytes(snapshot->bytes_done, done));
    }
    if (snapshot->rows_done > 0) {
        _cleanup_free_ char *rows = counted(snapshot);
        append_part(out, rows);
    }
}

char *ticker_line(const ProgressSnapshot *snapshot, double elapsed)
{
    char text[TEXT_SIZE];
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    buf_append_str(&out, words_get(snapshot->phase), NULL);
    append_amounts(&out, snapshot);
    if (elapsed >= 1 && snapshot->bytes_done > 0) {
        append_part(&out, text_bytes((uint64_t)((double)snapshot->bytes_done / elapsed), text));
        buf_append_str(&out, "/s", NULL);
        if (snapshot->bytes_total > snapshot->bytes_done) {
            double left = (double)(snapshot->bytes_total - snapshot->bytes_done);
            buf_append_str(&out, "  ", NULL);
            buf_printf(&out, NULL, _("%s left"), text_seconds(left * elapsed / (double)snapshot->bytes_done, text));
        }
    }
    if (snapshot->item[0])
        append_part(&out, snapshot->item);
    return xstrdup(buf_str(&out));
}

char *ticker_summary(const ProgressSnapshot *snapshot, double elapsed)
{
    char bytes[TEXT_SIZE], seconds[TEXT_SIZE];
    const char *phase = words_get(snapshot->phase);
    _cleanup_free_ char *rows = counted(snapshot);
    text_bytes(snapshot->bytes_done, bytes);
    text_seconds(elapsed, seconds);
    if (snapshot->bytes_done > 0 && snapshot->rows_done > 0)
        return xasprintf(_("%s: %s, %s in %s"), phase, bytes, rows, seconds);
    if (snapshot->bytes_done > 0 || snapshot->rows_done > 0)
        return xasprintf(_("%s: %s in %s"), phase, snapshot->rows_done > 0 ? rows : bytes, seconds);
    return xasprintf("%s: %s", phase, seconds);
}

static json_t *phase_event(const ProgressSnapshot *snapshot, const char *event, double elapsed)
{
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:f}", "event", event, "phase", json_text(snapshot->phase), "item",
                     json_text(snapshot->item), "bytes_done", (json_int_t)snapshot->bytes_done, "bytes_total",
                     (json_int_t)snapshot->bytes_total, "rows_done", (json_int_t)snapshot->rows_done, "seconds",
                     elapsed);
}

static void log_line(Ticker *ticker, char *line)
{
    screen_log(ticker->screen, LOG_INFO, line);
    free(line);
}

/* Called by the thread that ends the phase. */
static void show_end(void *ctx, const ProgressSnapshot *last)
{
    Ticker *ticker = ctx;
    double elapsed = clock_monotonic() - last->started;
    if (ticker->screen->json)
        screen_event(ticker->screen, phase_event(last, "phase", elapsed));
    else if (!ticker->screen->terminal)
        log_line(ticker, ticker_summary(last, elapsed));
}

static void show_progress(Ticker *ticker, const ProgressSnapshot *snapshot)
{
    double now = clock_monotonic(), elapsed = now - snapshot->started;
    if (ticker->screen->terminal) {
        _cleanup_free_ char *line = ticker_line(snapshot, elapsed);
        screen_status(ticker->screen, line);
        return;
    }
    if (now - ticker->shown < (ticker->screen->json ? event_every : log_every))
        return;
    ticker->shown = now;
    if (ticker->screen->json)
        screen_event(ticker->screen, phase_event(snapshot, "progress", elapsed));
    else
        log_line(ticker, ticker_line(snapshot, elapsed));
}

static void look(Ticker *ticker)
{
    ProgressSnapshot snapshot;
    progress_snapshot(ticker->progress, &snapshot);
    if (snapshot.phase[0] == 0) {
        screen_status(ticker->screen, NULL);
        return;
    }
    if (snapshot.started != ticker->phase)
        ticker->phase = ticker->shown = snapshot.started;
    show_progress(ticker, &snapshot);
}

static void *run(void *ctx)
{
    Ticker *ticker = ctx;
    pthread_mutex_lock(&ticker->mutex);
    while (!ticker->stop) {
        cond_wait_for(&ticker->wake, &ticker->mutex, LOOK_EVERY_MS);
        look(ticker);
    }
    pthread_mutex_unlock(&ticker->mutex);
    return NULL;
}

Ticker *ticker_start(Progress *progress, Screen *screen)
{
    Ticker *ticker = xcalloc(1, sizeof *ticker);
    ticker->progress = progress;
    ticker->screen = screen;
    progress->on_end = show_end;
    progress->on_end_ctx = ticker;
    pthread_mutex_init(&ticker->mutex, NULL);
    cond_init(&ticker->wake);
    if (pthread_create(&ticker->thread, NULL, run, ticker) != 0)
        abort(); /* as without memory */
    return ticker;
}

void ticker_stop(Ticker *ticker)
{
    ProgressSnapshot last;
    if (ticker == NULL)
        return;
    pthread_mutex_lock(&ticker->mutex);
    ticker->stop = true;
    pthread_cond_signal(&ticker->wake);
    pthread_mutex_unlock(&ticker->mutex);
    pthread_join(ticker->thread, NULL);
    ticker->progress->on_end = NULL;
    progress_snapshot(ticker->progress, &last);
    if (last.phase[0])
        show_end(ticker, &last);
    screen_status(ticker->screen, NULL);
    pthread_cond_destroy(&ticker->wake);
    pthread_mutex_destroy(&ticker->mutex);
    free(ticker);
}
