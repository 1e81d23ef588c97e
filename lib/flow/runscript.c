#include "runscript.h"

#include <poll.h>
#include <string.h>

#include "kura/catalog.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"

/* Between two tries the site works on: half a second, doubled up to eight. */
enum { TRIES = 8, FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 8000 };

static int pause_ms(int milliseconds, Error *err)
{
    struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
    poll(&fd, 1, milliseconds);
    return stop_check(err);
}

/* *ret_failed: the statement that failed. */
static int run_once(PgConn *conn, const StrVec *statements, const char **ret_failed, Error *err)
{
    int rc = pg_exec(conn, "BEGIN", err);
    *ret_failed = "BEGIN";
    for (size_t i = 0; i < statements->n && rc == 0; i++) {
        *ret_failed = statements->v[i];
        rc = pg_exec(conn, statements->v[i], err);
    }
    if (rc == 0) {
        *ret_failed = "COMMIT";
        rc = pg_exec(conn, "COMMIT", err);
    }
    if (rc < 0) {
        stop_hold();
        pg_exec(conn, "ROLLBACK", NULL);
        stop_release();
    }
    return rc;
}

static bool is_worth_another_try(const Error *err)
{
    return strcmp(err->sqlstate, "55P03") == 0 || strcmp(err->sqlstate, "40P01") == 0;
}

/* "public.note" of "ALTER TABLE public.note OWNER TO x"; NULL when it is about no relation. To be freed. */
static char *relation_of(const char *statement)
{
    static const char *const words[] = {"ALTER TABLE ", "ALTER VIEW ", "ALTER MATERIALIZED VIEW ", "ALTER SEQUENCE ",
                                        "ALTER FOREIGN TABLE "};
    const char *end = statement;
    for (const char *found = strstr(statement, " OWNER TO "); found; found = strstr(found + 1, " OWNER TO "))
        end = found;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t len = strlen(words[i]);
        if (strncmp(statement, words[i], len) == 0 && end > statement + len)
            return xstrndup(statement + len, (size_t)(end - statement) - len);
    }
    return NULL;
}

static void tell_wait(PgConn *conn, const char *statement, const Error *cause, StrVec *waited)
{
    _cleanup_free_ char *relation = relation_of(statement), *holder = NULL;
    if (relation)
        catalog_lock_holder(conn, relation, &holder, NULL);
    strvec_pushf(waited, "%s: %s", statement, holder ? holder : cause->message);
    log_info("no lock for %s: %s", statement, holder ? holder : cause->message);
}

static int run_transaction(PgConn *conn, const StrVec *statements, StrVec *waited, size_t *retries, Error *err)
{
    int wait = FIRST_PAUSE_MS;
    for (int tried = 1;; tried++) {
        const char *failed;
        if (run_once(conn, statements, &failed, err) == 0)
            return 0;
        if (!is_worth_another_try(err))
            return error_wrap(err, "%.500s", failed);
        tell_wait(conn, failed, err, waited);
        if (tried == TRIES) {
            error_set(err, ERR_FAILED, "no lock in %d tries for %.1500s", TRIES, waited->v[waited->n - 1]);
            return error_hint(err,
                              "Nothing of this transaction was changed. End the session that holds the lock (SELECT "
                              "pg_terminate_backend(PROCESS);), wait for it, or allow more with "
                              "--lock-timeout.");
        }
        ++*retries;
        if (pause_ms(wait, err) < 0)
            return -1;
        wait = wait * 2 > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : wait * 2;
    }
}

int runscript(PgConn *conn, const OwnStatements *script, StrVec *waited, size_t *ret_retries, size_t *ret_committed,
              Error *err)
{
    *ret_retries = *ret_committed = 0;
    for (size_t i = 0; i < script->n; i++) {
        if (stop_check(err) < 0 || run_transaction(conn, &script->v[i], waited, ret_retries, err) < 0) {
            if (i > 0)
                error_wrap(err, "transaction %zu of %zu, those before it are committed", i + 1, script->n);
            return -1;
        }
        ++*ret_committed;
    }
    return 0;
}
