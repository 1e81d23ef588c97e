#include "screen.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "text.h"

void screen_init(Screen *screen, FILE *stream, bool json)
{
    *screen = (Screen){.mutex = PTHREAD_MUTEX_INITIALIZER, .stream = stream, .json = json};
    screen->terminal = !json && isatty(fileno(stream));
    screen->journal = !json && screen_is_journal(getenv("JOURNAL_STREAM"), fileno(stream));
}

bool screen_is_journal(const char *journal_stream, int fd)
{
    struct stat st;
    char name[64];
    if (journal_stream == NULL || fstat(fd, &st) < 0)
        return false;
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(name, journal_stream) == 0;
}

void screen_done(Screen *screen)
{
    screen_status(screen, NULL);
    pthread_mutex_destroy(&screen->mutex);
}

static void clear_status(Screen *screen)
{
    if (screen->status)
        fputs("\r\033[K", screen->stream);
    screen->status = false;
}

static size_t columns(const Screen *screen)
{
    struct winsize size;
    if (ioctl(fileno(screen->stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void screen_status(Screen *screen, const char *line)
{
    pthread_mutex_lock(&screen->mutex);
    if (screen->terminal && (line != NULL || screen->status)) {
        clear_status(screen);
        if (line != NULL) {
            _cleanup_free_ char *text = text_escaped(line);
            /* the last column stays free: a full line would make some terminals go to the next */
            fprintf(screen->stream, "%.*s", (int)text_fit(text, columns(screen) - 1), text);
            screen->status = true;
        }
        fflush(screen->stream);
    }
    pthread_mutex_unlock(&screen->mutex);
}

void screen_event(Screen *screen, json_t *event)
{
    char moment[32];
    clock_format_utc(time(NULL), moment, sizeof moment);
    json_object_set_new(event, "time", json_string(moment));
    _cleanup_free_ char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    pthread_mutex_lock(&screen->mutex);
    fprintf(screen->stream, "%s\n", text);
    fflush(screen->stream);
    pthread_mutex_unlock(&screen->mutex);
}

/* How grave a line is, as syslog(3) counts. */
enum { GRAVE_ERROR = 3, GRAVE_WARNING, GRAVE_NOTICE, GRAVE_INFO, GRAVE_DEBUG };

/* In the journal each line is an entry of its own. */
static void print_text(Screen *screen, int gravity, const char *prefix, const char *text)
{
    if (screen->journal)
        fprintf(screen->stream, "<%d>", gravity);
    fputs(prefix, screen->stream);
    for (; *text; text++) {
        putc(*text, screen->stream);
        if (*text == '\n' && screen->journal)
            fprintf(screen->stream, "<%d>", gravity);
    }
    putc('\n', screen->stream);
}

static void print_line(Screen *screen, int gravity, const char *prefix, const char *message, const char *hint)
{
    _cleanup_free_ char *text = text_message(message);
    _cleanup_free_ char *advice = hint && hint[0] ? text_message(hint) : NULL;
    pthread_mutex_lock(&screen->mutex);
    clear_status(screen);
    print_text(screen, gravity, prefix, text);
    if (advice != NULL)
        print_text(screen, gravity, _("hint: "), advice);
    fflush(screen->stream);
    pthread_mutex_unlock(&screen->mutex);
}

void screen_log(void *ctx, LogLevel level, const char *message)
{
    static const char *names[] = {"debug", "info", "warning", "error"};
    static const char *prefixes[] = {"debug: ", "", N_("warning: "), N_("error: ")};
    static const int gravities[] = {GRAVE_DEBUG, GRAVE_INFO, GRAVE_WARNING, GRAVE_ERROR};
    Screen *screen = ctx;
    if (screen->json)
        screen_event(
            screen, json_pack("{s:s, s:s, s:o}", "event", "log", "level", names[level], "message", json_text(message)));
    else
        print_line(screen, gravities[level], words_get(prefixes[level]), message, NULL);
}

static const char *severity_names[] = {"note", "warning", "error"};

json_t *json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    _cleanup_free_ char *valid = text_utf8(text);
    return json_string(valid);
}

json_t *json_texts(const StrVec *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_text(list->v[i]));
    return array;
}

json_t *json_of_error(const Error *err)
{
    json_t *object = json_pack("{s:s, s:o, s:o}", "code", error_code_name(err->code), "message",
                               json_text(err->message), "hint", json_text(err->hint[0] ? err->hint : NULL));
    if (err->sqlstate[0])
        json_object_set_new(object, "sqlstate", json_text(err->sqlstate));
    return object;
}

json_t *json_of_finding(const Finding *finding)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "severity", severity_names[finding->severity], "code",
                     json_text(finding->code), "message", json_text(finding->message), "hint",
                     json_text(finding->hint));
}

void screen_finding(Screen *screen, const Finding *finding)
{
    if (screen->json) {
        json_t *event = json_of_finding(finding);
        json_object_set_new(event, "event", json_string("finding"));
        screen_event(screen, event);
        return;
    }
    static const int gravities[] = {GRAVE_NOTICE, GRAVE_WARNING, GRAVE_ERROR};
    static const char *prefixes[] = {N_("note: "), N_("warning: "), N_("error: ")};
    print_line(screen, gravities[finding->severity], words_get(prefixes[finding->severity]), finding->message,
               finding->hint);
}

void screen_error(Screen *screen, const Error *err)
{
    if (!screen->json)
        print_line(screen, GRAVE_ERROR, _("kura: error: "), err->message, err->hint);
}
