/* What the server says, as an Error: "message (detail; context)", its SQLSTATE, its hint. */
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "pg_priv.h"

/* Adds " (text" or "; text", only the first line. Whether the parenthesis is open afterwards. */
static bool add_part(Error *err, const char *text, bool open)
{
    if (text == NULL || text[0] == 0)
        return open;
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, "%s%.*s", open ? "; " : " (", (int)strcspn(text, "\n"),
             text);
    return true;
}

static bool is_fatal(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

int conn_server_error(PgConn *conn, const PGresult *result, Error *err)
{
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (primary == NULL)
        return conn_lost_error(conn, err);
    bool fatal = is_fatal(result);
    if (fatal)
        conn->lost = true;
    if (err == NULL)
        return -1;
    error_set(err, fatal ? ERR_CONNECTION : ERR_SERVER, "%s", primary);
    bool open = add_part(err, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), false);
    if (add_part(err, PQresultErrorField(result, PG_DIAG_CONTEXT), open)) {
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ")");
    }
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state ? state : "");
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    if (hint)
        error_hint(err, "%s", hint);
    return -1;
}

int conn_lost_error(PgConn *conn, Error *err)
{
    conn->lost = true;
    _cleanup_free_ char *text = xstrdup(PQerrorMessage(conn->pg));
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--)
        text[len - 1] = 0;
    for (char *at = text; (at = strpbrk(at, "\n\t")) != NULL;)
        *at = ' ';
    return text[0] ? error_set(err, ERR_CONNECTION, "the connection to %s is lost: %s", conn->where, text)
                   : error_set(err, ERR_CONNECTION, "the connection to %s is lost", conn->where);
}
