#include <archive.h>
#include <libpq-fe.h>
#include <zstd.h>

#include "commands.h"

int command_version(Session *session, Error *err)
{
    int pq = PQlibVersion();
    _cleanup_free_ char *libpq = xasprintf("%d.%d", pq / 10000, pq % 10000);
    if (session->json) {
        session_set(session, "version", json_string(KURA_VERSION));
        session_set(session, "repository_format", json_integer(REPO_FORMAT_VERSION));
        session_set(session, "libraries",
                    json_pack("{s:s, s:s, s:s, s:s}", "libpq", libpq, "zstd", ZSTD_versionString(), "libarchive",
                              archive_version_string(), "jansson", JANSSON_VERSION));
        return 0;
    }
    fprintf(session->out, "kura %s\n", KURA_VERSION);
    if (options_flag(session->options, OPT_VERBOSE))
        fprintf(session->out, "repository format %d\nlibpq %s\nzstd %s\n%s\njansson %s\n", REPO_FORMAT_VERSION, libpq,
                ZSTD_versionString(), archive_version_string(), JANSSON_VERSION);
    return 0;
}
