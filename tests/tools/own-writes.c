/* own-writes WRITE-CONNINFO READ-CONNINFO COUNT: does what an upload to Misskey does with replicas: inserts a row on
 * the one server, then reads it from the other. Prints how often it was not there. Its table own_writes is made if need
 * be. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static PGconn *writer, *reader;

static void stop(const char *what, PGconn *conn)
{
    fprintf(stderr, "own-writes: %s: %s", what, PQerrorMessage(conn));
    exit(1);
}

static PGconn *open_server(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        stop("connecting", conn);
    return conn;
}

static int rows_of(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    int rows = PQntuples(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        stop(sql, conn);
    PQclear(result);
    return rows;
}

/* The table must be there before the first row is looked for. */
static void wait_for_table(void)
{
    for (int i = 0; i < 3000; i++) {
        if (rows_of(reader, "SELECT FROM pg_class WHERE relname = 'own_writes'") > 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    stop("the table does not arrive", reader);
}

static void insert(char id[20])
{
    PGresult *result = PQexec(writer, "INSERT INTO own_writes DEFAULT VALUES RETURNING id");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        stop("inserting", writer);
    snprintf(id, 20, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int count = atoi(argv[3]), stale = 0;
    writer = open_server(argv[1]);
    reader = open_server(argv[2]);
    rows_of(writer, "SET client_min_messages = warning; "
                    "CREATE TABLE IF NOT EXISTS own_writes (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)");
    wait_for_table();
    for (int i = 0; i < count; i++) {
        char id[20], sql[100];
        insert(id);
        snprintf(sql, sizeof sql, "SELECT FROM own_writes WHERE id = %s", id);
        stale += rows_of(reader, sql) == 0;
    }
    printf("%d of %d stale\n", stale, count);
    PQfinish(writer);
    PQfinish(reader);
    return 0;
}
