/* Which pg_dump and pg_restore to run. */
#include "kura/pgtools.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/proc.h"
#include "kura/stop.h"
#include "kura/words.h"

enum { OUTPUT_MAX = 64 * 1024 };

typedef struct Found {
    PgTools *v;
    size_t n, cap;
} Found;

static void found_done(Found *found)
{
    for (size_t i = 0; i < found->n; i++)
        pgtools_done(&found->v[i]);
    free(found->v);
}

/* What a program prints, its last newline cut off; NULL when it cannot be run. */
static char *run_quietly(const char *program, const char *argument)
{
    const char *argv[] = {program, argument, NULL};
    Buf out = BUF_INIT(OUTPUT_MAX);
    Error err = ERROR_INIT;
    char *text = NULL;
    if (proc_run(&(ProcSpec){.argv = argv}, &out, &err) < 0)
        log_debug("%s %s: %s", program, argument, err.message);
    else
        text = xstrndup(buf_str(&out), strcspn(buf_str(&out), "\n"));
    buf_done(&out);
    return text;
}

/* "pg_dump (PostgreSQL) 15.18 (Debian ..)" -> "15.18"; NULL when it is not of that form. */
static char *parse_version(const char *text)
{
    static const char mark[] = "(PostgreSQL) ";
    const char *at = strstr(text, mark);
    if (at == NULL)
        return NULL;
    at += strlen(mark);
    size_t len = strcspn(at, " ");
    return len > 0 && at[0] >= '1' && at[0] <= '9' ? xstrndup(at, len) : NULL;
}

static void look_in(Found *found, const char *dir)
{
    PgTools tools = {
        .bindir = xstrdup(dir), .pg_dump = xasprintf("%s/pg_dump", dir), .pg_restore = xasprintf("%s/pg_restore", dir)};
    if (access(tools.pg_dump, X_OK) == 0 && access(tools.pg_restore, X_OK) == 0) {
        _cleanup_free_ char *text = run_quietly(tools.pg_dump, "--version");
        tools.version = text ? parse_version(text) : NULL;
    }
    if (tools.version == NULL) {
        pgtools_done(&tools);
        return;
    }
    tools.major = (int)strtol(tools.version, NULL, 10);
    xgrow(&found->v, &found->cap, found->n);
    found->v[found->n++] = tools;
}

static void look_in_debian(Found *found)
{
    glob_t matches;
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &matches) == 0)
        for (size_t i = 0; i < matches.gl_pathc; i++)
            look_in(found, matches.gl_pathv[i]);
    globfree(&matches);
}

static void look_in_path(Found *found)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        size_t len = strcspn(at, ":");
        _cleanup_free_ char *dir = xstrndup(at, len);
        if (dir[0] == '/')
            look_in(found, dir);
        at += len + (at[len] == ':');
    }
}

/* The first place with the lowest major that will do. */
static PgTools *choose(Found *found, int at_least)
{
    PgTools *best = NULL;
    for (size_t i = 0; i < found->n; i++)
        if (found->v[i].major >= at_least && (best == NULL || found->v[i].major < best->major))
            best = &found->v[i];
    return best;
}

/* Further places are asked only when the first has not just the right one: each costs a process. */
static void look_everywhere(Found *found, int wanted)
{
    look_in_debian(found);
    PgTools *best = choose(found, wanted);
    if (best && best->major == wanted)
        return;
    _cleanup_free_ char *dir = run_quietly("pg_config", "--bindir");
    if (dir && dir[0] == '/')
        look_in(found, dir);
    look_in_path(found);
}

static int not_found(const Found *found, const char *bindir_option, int at_least, Error *err)
{
    Buf list = BUF_INIT(4096);
    for (size_t i = 0; i < found->n; i++)
        buf_printf(&list, NULL, "%s%s in %s", i ? ", " : "", found->v[i].version, found->v[i].bindir);
    error_set(err, ERR_TOOL, "no pg_dump and pg_restore of version %d or later in %s (found: %s)", at_least,
              bindir_option ? bindir_option : _("/usr/lib/postgresql, pg_config --bindir or PATH"),
              list.len ? buf_str(&list) : _("none"));
    buf_done(&list);
    return error_hint(err, "Install postgresql-client-%d, or name the directory of its programs with --pg-bindir.",
                      at_least);
}

int pgtools_find(const char *bindir_option, int at_least, PgTools *ret, Error *err)
{
    _cleanup_(found_done) Found found = {0};
    if (bindir_option)
        look_in(&found, bindir_option);
    else
        look_everywhere(&found, at_least);
    PgTools *best = choose(&found, at_least);
    if (best == NULL)
        return stop_check(err) < 0 ? -1 : not_found(&found, bindir_option, at_least, err);
    *ret = *best;
    *best = (PgTools){0};
    return 0;
}

void pgtools_done(PgTools *tools)
{
    if (tools == NULL)
        return;
    free(tools->bindir);
    free(tools->pg_dump);
    free(tools->pg_restore);
    free(tools->version);
    *tools = (PgTools){0};
}
