/* Large objects are read by libpq's own functions, in the byte order of their decimal OIDs: the order of a fileset's
 * index, which pg_dump's stream does not keep (from 17 on it groups them by owner and ACL). */
#include <libpq/libpq-fs.h>
#include <string.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "rows.h"

enum { READ_SIZE = 1024 * 1024 };

static int lo_error(PgConn *conn, const char *oid, const char *doing, Error *err)
{
    const char *message = PQerrorMessage(pg_raw(conn));
    error_set(err, ERR_SERVER, "%s large object %s: %.*s", words_get(doing), oid, (int)strcspn(message, "\n"), message);
    return error_hint(
        err, "Back up as the owner of the large objects, as a role that may read all of them, or as a superuser.");
}

static int copy_one(PgConn *conn, FilesetWriter *writer, const char *oid, char *chunk, Progress *progress, Error *err)
{
    PGconn *raw = pg_raw(conn);
    int fd = lo_open(raw, (Oid)strtoul(oid, NULL, 10), INV_READ);
    if (fd < 0)
        return lo_error(conn, oid, "opening", err);
    if (fileset_writer_begin(writer, oid, err) < 0)
        return -1;
    int n;
    while ((n = lo_read(raw, fd, chunk, READ_SIZE)) > 0) {
        if (stop_check(err) < 0 || fileset_writer_data(writer, chunk, (size_t)n, err) < 0)
            return -1;
        progress_add(progress, (uint64_t)n, 0);
    }
    if (n < 0)
        return lo_error(conn, oid, "reading", err);
    lo_close(raw, fd);
    progress_add(progress, 0, 1);
    return fileset_writer_end(writer, err);
}

static int copy_all(PgConn *conn, FilesetWriter *writer, ManifestDatabase *database, Progress *progress, Error *err)
{
    PGresult *oids;
    if (pg_query(
            conn,
            "SELECT oid FROM pg_catalog.pg_largeobject_metadata ORDER BY oid::pg_catalog.text COLLATE pg_catalog.\"C\"",
            0, NULL, &oids, err) < 0)
        return -1;
    progress_item(progress, "large objects");
    _cleanup_free_ char *chunk = xmalloc(READ_SIZE);
    int rc = 0;
    for (int i = 0; i < PQntuples(oids) && rc == 0; i++)
        rc = copy_one(conn, writer, pg_cell(oids, i, 0), chunk, progress, err);
    PQclear(oids);
    return rc < 0 ? -1 : fileset_writer_finish(writer, &database->large_objects, err);
}

int largeobjects_copy(PgConn *conn, Repo *repo, Uploader *uploader, ManifestDatabase *database, Progress *progress,
                      Error *err)
{
    FilesetWriter *writer = fileset_writer_new(repo, uploader);
    int rc = copy_all(conn, writer, database, progress, err);
    fileset_writer_free(writer);
    if (rc < 0)
        return error_wrap(err, "copying large objects");
    free(database->large_objects.name);
    database->large_objects.name = xstrdup("large-objects");
    if (database->large_objects.root == NULL)
        database->large_objects.root = xstrdup("");
    return 0;
}
