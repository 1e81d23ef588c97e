#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "kura/clock.h"
#include "screen.h"
#include "ticker.h"

static void test_ticker_line(void **state)
{
    ProgressSnapshot snapshot = {.phase = "rows",
                                 .item = "public.note",
                                 .bytes_done = 512 << 20,
                                 .bytes_total = 1024 << 20,
                                 .rows_done = 1234567};
    char *line = ticker_line(&snapshot, 4);
    assert_string_equal(line, "rows  50%  512.0 MiB of 1.0 GiB  1,234,567 rows  128.0 MiB/s  4.0 s left  public.note");
    free(line);
    line = ticker_summary(&snapshot, 4);
    assert_string_equal(line, "rows: 512.0 MiB, 1,234,567 rows in 4.0 s");
    free(line);

    snapshot = (ProgressSnapshot){.phase = "snapshot"};
    line = ticker_line(&snapshot, 100);
    assert_string_equal(line, "snapshot");
    free(line);
    line = ticker_summary(&snapshot, 100);
    assert_string_equal(line, "snapshot: 1 min 40 s");
    free(line);

    /* an estimate that was too low is not shown */
    snapshot = (ProgressSnapshot){.phase = "rows", .bytes_done = 300, .bytes_total = 200};
    line = ticker_line(&snapshot, 0.5);
    assert_string_equal(line, "rows  300 B");
    free(line);
}

static char *text;
static size_t text_len;

static void test_status_makes_room(void **state)
{
    Screen screen;
    FILE *stream = open_memstream(&text, &text_len);
    screen_init(&screen, stream, false);
    screen.terminal = true;
    screen_status(&screen, "rows 1%");
    screen_log(&screen, LOG_WARNING, "a thing\nforged line");
    screen_status(&screen, "rows 2%");
    screen_done(&screen);
    fclose(stream);
    assert_string_equal(text, "rows 1%\r\033[Kwarning: a thing\n    forged line\nrows 2%\r\033[K");
    free(text);
}

static void test_status_is_cut(void **state)
{
    Screen screen;
    char line[200];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    FILE *stream = open_memstream(&text, &text_len);
    screen_init(&screen, stream, false);
    screen.terminal = true;
    screen_status(&screen, line);
    fflush(stream);
    assert_int_equal(text_len, 79); /* no terminal size: 80 columns, the last one free */
    screen_done(&screen);
    fclose(stream);
    free(text);
}

static void test_no_terminal_no_status(void **state)
{
    Screen screen;
    Error err = ERROR_INIT;
    FILE *stream = open_memstream(&text, &text_len);
    screen_init(&screen, stream, false);
    screen_status(&screen, "rows 1%");
    error_set(&err, ERR_FAILED, "it failed");
    error_hint(&err, "Try again.");
    screen_error(&screen, &err);
    screen_done(&screen);
    fclose(stream);
    assert_string_equal(text, "kura: error: it failed\nhint: Try again.\n");
    free(text);
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

/* How often an event of this kind and phase was written so far. */
static size_t count_events(Screen *screen, FILE *stream, const char *event, const char *phase)
{
    size_t n = 0;
    char wanted[128];
    snprintf(wanted, sizeof wanted, "{\"event\":\"%s\",\"phase\":\"%s\"", event, phase);
    pthread_mutex_lock(&screen->mutex);
    fflush(stream);
    for (const char *p = text; p != NULL && (p = strstr(p, wanted)) != NULL; p++)
        n++;
    pthread_mutex_unlock(&screen->mutex);
    return n;
}

/* Each phase is told once with its last counters, however short it was, and the last one when the ticker is stopped. */
static void test_ticker_events(void **state)
{
    Screen screen;
    Progress progress = PROGRESS_INIT;
    FILE *stream = open_memstream(&text, &text_len);
    screen_init(&screen, stream, true);
    Ticker *ticker = ticker_start(&progress, &screen);
    progress_phase(&progress, "rows", 100);
    progress_add(&progress, 100, 5);
    double deadline = clock_monotonic() + 20;
    while (count_events(&screen, stream, "progress", "rows") == 0 && clock_monotonic() < deadline)
        wait_a_little();
    assert_true(clock_monotonic() < deadline);
    progress_add(&progress, 0, 37);
    progress_phase(&progress, "media", 0);
    progress_phase(&progress, "store", 0);
    ticker_stop(ticker);
    progress_phase(&progress, "unwatched", 0);
    assert_int_equal(count_events(&screen, stream, "phase", "rows"), 1);
    assert_int_equal(count_events(&screen, stream, "phase", "media"), 1);
    assert_int_equal(count_events(&screen, stream, "phase", "store"), 1);
    assert_non_null(strstr(text, "\"rows_done\":42"));
    fclose(stream);

    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0];) {
        json_error_t why;
        json_t *event = json_loads(line, 0, &why);
        assert_non_null(event);
        assert_true(json_is_string(json_object_get(event, "time")));
        json_decref(event);
    }
    free(text);
}

static void test_journal(void **state)
{
    Screen screen;
    FILE *stream = open_memstream(&text, &text_len);
    screen_init(&screen, stream, false);
    screen.journal = true;
    screen_log(&screen, LOG_WARNING, "a thing\n<0>forged line");
    screen_log(&screen, LOG_INFO, "fine");
    screen_done(&screen);
    fclose(stream);
    assert_string_equal(text, "<4>warning: a thing\n<4>    <0>forged line\n<6>fine\n");
    free(text);
}

static void test_journal_stream(void **state)
{
    struct stat st;
    char name[64];
    int fd = fileno(tmpfile());
    assert_int_equal(fstat(fd, &st), 0);
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    assert_true(screen_is_journal(name, fd));
    assert_false(screen_is_journal(NULL, fd));
    assert_false(screen_is_journal("1:2", fd));
    assert_false(screen_is_journal(name, -1));
}

int main(void)
{
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticker_line),    cmocka_unit_test(test_status_makes_room),
        cmocka_unit_test(test_status_is_cut),  cmocka_unit_test(test_no_terminal_no_status),
        cmocka_unit_test(test_ticker_events),  cmocka_unit_test(test_journal),
        cmocka_unit_test(test_journal_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
