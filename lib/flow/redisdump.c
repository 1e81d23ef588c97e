#include "redisdump.h"

#include <string.h>

#include "kura/fileset.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/redis.h"

/* A server and the file that its dump becomes. */
typedef struct Source {
    const AppServer *server;
    char *where, *file;
    char *run_id; /* what the server itself says it is; NULL: nothing yet */
    bool taken;
} Source;

typedef struct Sources {
    Source *v;
    size_t n;
} Sources;

typedef struct Target {
    FilesetWriter *writer;
    Progress *progress;
} Target;

static char *file_of(const AppServer *server)
{
    char *file = xasprintf("dump-%s.rdb", server->role ? server->role : "redis");
    for (char *c = file; *c; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *c) == NULL)
            *c = '-';
    return file;
}

static bool lists(const Sources *sources, const char *where, const char *file)
{
    for (size_t i = 0; i < sources->n; i++)
        if (strcmp(sources->v[i].where, where) == 0 || strcmp(sources->v[i].file, file) == 0)
            return true;
    return false;
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const Source *)a)->file, ((const Source *)b)->file);
}

/* Each server once, in the order of their files. */
static void list_sources(const BackupOptions *options, Sources *ret)
{
    ret->v = xcalloc(options->n_redis, sizeof *ret->v);
    for (size_t i = 0; i < options->n_redis; i++) {
        const AppServer *server = &options->redis[i];
        _cleanup_free_ char *where = redis_where(server), *file = file_of(server);
        if (!lists(ret, where, file))
            ret->v[ret->n++] = (Source){.server = server, .where = steal(where), .file = steal(file)};
    }
    if (ret->n == 1) {
        free(ret->v[0].file);
        ret->v[0].file = xstrdup("dump.rdb");
    }
    qsort(ret->v, ret->n, sizeof *ret->v, by_file);
}

static void sources_done(Sources *sources)
{
    for (size_t i = 0; i < sources->n; i++) {
        free(sources->v[i].where);
        free(sources->v[i].file);
        free(sources->v[i].run_id);
    }
    free(sources->v);
}

/* One server may have several addresses. Who may not ask it who it is gets its dump all the same. */
static int was_dumped(Sources *sources, Source *source, RedisConn *conn, bool *ret, Error *err)
{
    char *info = NULL;
    *ret = false;
    int rc = redis_text(conn, (const char *[]){"INFO", "server", NULL}, &info, err);
    if (rc < 0 && err->code == ERR_SERVER) {
        error_clear(err);
        return 0;
    }
    if (rc == 0 && info)
        source->run_id = redis_info_value(info, "run_id");
    for (Source *other = sources->v; rc == 0 && other < source; other++)
        *ret = *ret || (source->run_id && other->run_id && strcmp(source->run_id, other->run_id) == 0);
    free(info);
    return rc;
}

static int store(void *ctx, const void *data, size_t len, Error *err)
{
    Target *target = ctx;
    progress_add(target->progress, len, 0);
    return fileset_writer_data(target->writer, data, len, err);
}

/* *ret_fatal: it was the repository that failed. */
static int dump_one(Target *target, const Source *source, RedisConn *conn, RedisDump *ret, bool *ret_fatal, Error *err)
{
    *ret_fatal = true;
    if (fileset_writer_begin(target->writer, source->file, err) < 0)
        return -1;
    if (redis_dump(conn, store, target, ret, ret_fatal, err) < 0) {
        if (!*ret_fatal)
            fileset_writer_abandon(target->writer);
        return -1;
    }
    progress_add(target->progress, 0, 1);
    *ret_fatal = true;
    return fileset_writer_end(target->writer, err);
}

static void tell_no_checksum(const Source *source, Findings *findings)
{
    findings_add(findings, FINDING_NOTE, "redis-no-checksum",
                 "Its configuration says \"rdbchecksum no\"; with yes, damage on the way is seen.",
                 "the dump of %s has no checksum", source->where);
}

static int take(Sources *sources, Source *source, Target *target, Findings *findings, bool *ret_fatal, Error *err)
{
    RedisConn *conn;
    RedisDump dump;
    bool known;
    *ret_fatal = false;
    progress_item(target->progress, source->file);
    if (redis_connect(source->server, &conn, err) < 0)
        return -1;
    int rc = was_dumped(sources, source, conn, &known, err);
    if (rc == 0 && !known) {
        rc = dump_one(target, source, conn, &dump, ret_fatal, err);
        source->taken = rc == 0;
        if (rc == 0 && !dump.checksum)
            tell_no_checksum(source, findings);
    }
    redis_close(conn);
    return rc;
}

static int take_or_warn(Sources *sources, Source *source, Target *target, Findings *findings, Error *err)
{
    Error why = ERROR_INIT;
    bool fatal;
    if (take(sources, source, target, findings, &fatal, &why) == 0)
        return 0;
    if (fatal || why.code == ERR_INTERRUPTED) {
        *err = why;
        return error_wrap(err, "dump of %s", source->where);
    }
    findings_add(findings, FINDING_WARNING, "redis-not-dumped",
                 why.hint[0] ? why.hint
                             : "The rest of the backup is complete; only the queues of this server are not "
                               "in it. Start it, or leave out --redis.",
                 "no dump of Redis in this backup: %s", why.message);
    return 0;
}

static char *describe_root(const Sources *sources)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < sources->n; i++)
        if (sources->v[i].taken)
            buf_printf(&text, NULL, "%s%s", text.len ? " " : "", sources->v[i].where);
    return xstrdup(buf_str(&text));
}

int redis_backup(Repo *repo, Uploader *uploader, const BackupOptions *options, Manifest *manifest, Findings *findings,
                 Progress *progress, Error *err)
{
    Sources sources = {0};
    ManifestFileset fileset = {0};
    if (options->n_redis == 0)
        return 0;
    progress_phase(progress, REDIS_FILESET, 0);
    Target target = {.writer = fileset_writer_new(repo, uploader), .progress = progress};
    list_sources(options, &sources);
    int rc = 0;
    for (size_t i = 0; i < sources.n && rc == 0; i++)
        rc = take_or_warn(&sources, &sources.v[i], &target, findings, err);
    if (rc == 0)
        rc = fileset_writer_finish(target.writer, &fileset, err);
    if (rc == 0 && fileset.files > 0) {
        fileset.name = xstrdup(REDIS_FILESET);
        fileset.root = describe_root(&sources);
        manifest->filesets[manifest->n_filesets++] = fileset;
    }
    fileset_writer_free(target.writer);
    sources_done(&sources);
    return rc;
}

/* By its root: people may call a directory of theirs "redis". */
void redis_tell_place(const ManifestFileset *fileset, const char *dir, Findings *findings)
{
    if (strcmp(fileset->name, REDIS_FILESET) != 0 || fileset->root == NULL ||
        (strncmp(fileset->root, "redis", 5) != 0 && strncmp(fileset->root, "unix://", 7) != 0))
        return;
    findings_add(
        findings, FINDING_NOTE, "redis-in-place",
        "Stop Redis first, because it writes a dump of its own when it ends. Then put the file into its "
        "directory as dump.rdb, owned by the user it runs as, and start it; where \"appendonly\" is yes, set it "
        "to no for that start, or Redis reads its append-only file instead.",
        "the dump of Redis is in \"%s\" and not in use yet: it holds queues, caches and timelines, no posts", dir);
}
