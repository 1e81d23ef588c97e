#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "complete.h"
#include "finish.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "night.h"
#include "redact.h"
#include "ticker.h"

/* A file that kura opens must not get the number of a standard stream that its caller had closed: messages would end up
 * in it. The placeholders refuse what a program does with these streams. */
static void occupy_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
            _exit(1);
}

/* Large buffers go back to the system at once. glibc would raise this limit by itself, after which freed segments stay
 * in the heaps of the threads that filled them: memory would grow with the number of threads, not with what is in use.
 */
static void bound_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

static const char *environment(const char *name)
{
    return getenv(name);
}

static int configure(Options *options, Config *config, Findings *findings, Error *err)
{
    if (options_environment(options, environment, err) < 0)
        return -1;
    const char *path = options_text(options, OPT_CONFIG);
    /* init writes one that is not there */
    bool optional = path == NULL || (options->command->id == CMD_INIT && options_given(options, OPT_APP_DIR));
    if (config_load(path ? path : CONFIG_DEFAULT_PATH, optional, config, findings, err) < 0)
        return -1;
    /* these look at each application under its own section, or at one for several commands */
    CommandId command = options->command->id;
    bool each = command == CMD_STATUS || command == CMD_INSTALL_TIMER || command == CMD_GUARD;
    return each ? 0 : config_apply(config, options, err);
}

static LogLevel log_level(const Options *options)
{
    if (options_flag(options, OPT_VERBOSE))
        return LOG_DEBUG;
    return options_flag(options, OPT_QUIET) ? LOG_WARNING : LOG_INFO;
}

static bool wants_progress(const Options *options, const Screen *screen)
{
    return !screen->journal && !options_flag(options, OPT_QUIET) && !options_flag(options, OPT_NO_PROGRESS);
}

static int run(Session *session, Screen *screen, Error *err)
{
    Ticker *ticker = wants_progress(session->options, screen) ? ticker_start(&session->progress, screen) : NULL;
    int rc = command_run(session, err);
    ticker_stop(ticker);
    return rc;
}

static int run_session(Options *options, Screen *screen, mode_t mask, int argc, const char *const argv[])
{
    Error err = ERROR_INIT;
    Session session;
    Config config = {0};
    session_init(&session, options, &config, stdout);
    session.umask = mask;
    /* help must be had also where the configuration is broken */
    bool bare = options->command->id == CMD_HELP || options->command->id == CMD_VERSION;
    int rc = bare ? 0 : configure(options, &config, &session.findings, &err);
    if (rc == 0) {
        log_set_sink(screen_log, screen, log_level(options));
        _cleanup_free_ char *command_line = redact_command_line(argc, argv);
        log_debug("command line: %s", command_line);
        rc = night_begin(&session, &err);
        if (rc == 0)
            rc = run(&session, screen, &err);
    }
    if (!bare)
        night_end(&session, rc, &err);
    int status = session_finish(&session, screen, rc, &err);
    log_set_sink(NULL, NULL, LOG_ERROR);
    session_done(&session);
    config_done(&config);
    return status;
}

int main(int argc, char *argv[])
{
    occupy_standard_streams(); /* first: the next line opens a descriptor already */
    stop_install();
    words_init(KURA_LOCALEDIR);
    bound_memory();
    mode_t mask = umask(077);
    const char *const *words = (const char *const *)argv;
    if (argc > 2 && strcmp(argv[1], COMPLETE_COMMAND) == 0) {
        complete_write(words + 2, (size_t)argc - 2, stdout);
        return 0;
    }
    setvbuf(stdout, NULL, _IOFBF, 64 * 1024);
    setvbuf(stderr, NULL, _IOFBF, 8 * 1024); /* screen.c flushes whole lines */

    Error err = ERROR_INIT;
    Options options;
    Screen screen;
    int status, rc = options_parse(argc, words, &options, &err);
    screen_init(&screen, stderr, rc < 0 ? options_want_json(argc, words) : options_flag(&options, OPT_JSON));
    if (rc < 0) {
        status = usage_finish(&screen, stdout, &err);
    } else {
        status = run_session(&options, &screen, mask, argc, words);
        options_done(&options);
    }
    status = close_output(&screen, stdout, status);
    screen_done(&screen);
    return status;
}
