/* What a profile asks of the application's own tables. */
#include <string.h>

#include "doctor_priv.h"
#include "kura/catalog.h"

enum { ANSWER_SECONDS = 20 };

int doctor_ask(PgConn *conn, const char *sql, PGresult **ret, Error *err)
{
    static const char undefined_table[] = "42P01", undefined_column[] = "42703";
    double before = pg_deadline(conn);
    pg_set_deadline(conn, ANSWER_SECONDS);
    int rc = catalog_begin_reading(conn, err);
    if (rc == 0)
        rc = pg_query(conn, sql, 0, NULL, ret, err);
    pg_exec(conn, "ROLLBACK", NULL);
    pg_set_deadline(conn, before);
    if (rc == 0)
        return 1;
    bool absent = strcmp(err->sqlstate, undefined_table) == 0 || strcmp(err->sqlstate, undefined_column) == 0;
    if (absent)
        error_clear(err);
    return absent ? 0 : -1;
}
