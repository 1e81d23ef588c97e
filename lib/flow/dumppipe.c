#include "dumppipe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"

enum { READ_SIZE = 64 * 1024, IDLE_MS = 50 };
#define TOC_RAW_MAX (2ull * 1024 * 1024 * 1024)

static void on_line(void *ctx, const char *line)
{
    log_debug("%s", line);
}

int dumppipe_open(PgConn *conn, const char *dbname, const PgTools *tools, const StrVec *extra, Proc **ret, Error *err)
{
    _cleanup_free_ char *conninfo = NULL, *password = NULL;
    pg_child_conninfo(conn, dbname, &conninfo, &password);
    _cleanup_(strvec_done) StrVec argv = {0};
    strvec_push(&argv, tools->pg_dump);
    strvec_push(&argv, "--format=custom");
    strvec_push(&argv, "--compress=0");
    strvec_push(&argv, "--no-password");
    strvec_pushf(&argv, "--dbname=%s", conninfo);
    for (size_t i = 0; extra && i < extra->n; i++)
        strvec_push(&argv, extra->v[i]);
    const char *env[] = {"LC_ALL=C", password, NULL};
    ProcSpec spec = {.argv = (const char *const *)argv.v,
                     .env = env,
                     .pipe_stdout = true,
                     .user = pg_child_user(conn),
                     .on_stderr = on_line};
    return proc_start(&spec, ret, err);
}

static int ended_early(Proc *dump, Error *err)
{
    int status;
    if (proc_wait(dump, &status, err) < 0)
        return -1;
    return error_set(err, ERR_TOOL, "pg_dump ended with status %d before its table of contents was complete: %s",
                     status, proc_stderr_tail(dump));
}

bool dumppipe_lacked_locks(const Proc *dump)
{
    return strstr(proc_stderr_tail(dump), "max_locks_per_transaction") != NULL;
}

/* Waits a moment for more; *ret_n is what was read: -1 nothing came, 0 the end. */
static int read_more(Proc *dump, Buf *raw, ssize_t *ret_n, Error *err)
{
    struct pollfd fds[2] = {{.fd = proc_stdout(dump), .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};
    int ready = poll(fds, 2, IDLE_MS);
    *ret_n = -1;
    if (stop_check(err) < 0)
        return -1;
    if (ready <= 0 || fds[0].revents == 0)
        return 0;
    if (buf_reserve(raw, READ_SIZE, err) < 0)
        return -1;
    *ret_n = read(fds[0].fd, raw->data + raw->len, READ_SIZE);
    if (*ret_n < 0 && errno != EINTR)
        return error_errno(err, errno, "reading from pg_dump");
    raw->len += *ret_n > 0 ? (size_t)*ret_n : 0;
    return 0;
}

/* pg_dump does not flush behind the TOC: its last bytes may come only with the first table's data. So: read on, and try
 * to parse whenever the bytes have doubled or pg_dump pauses. */
int dumppipe_read_toc(Proc *dump, Buf *raw, Buf *rest, Toc **ret, Error *err)
{
    *raw = BUF_INIT(TOC_RAW_MAX);
    for (size_t tried = 0;;) {
        ssize_t n;
        if (read_more(dump, raw, &n, err) < 0)
            return error_wrap(err, "reading the table of contents");
        bool due = n == 0 || (n < 0 && raw->len > tried) || raw->len >= 2 * tried + READ_SIZE;
        if (!due)
            continue;
        tried = raw->len;
        size_t used;
        if (toc_read(raw->data, raw->len, false, &toc_default_limits, &used, ret, err) == 0) {
            *rest = BUF_INIT(raw->len - used);
            int rc = buf_append(rest, raw->data + used, raw->len - used, err);
            raw->len = used;
            return rc;
        }
        if (n == 0)
            return ended_early(dump, err);
        if (err->code != ERR_TRUNCATED)
            return error_wrap(err, "reading the table of contents");
        error_clear(err);
    }
}
