#include "commands.h"
#include "screen.h"
#include "text.h"

int command_init(Session *session, Error *err)
{
    if (session_open_store(session, true, err) < 0 || repo_create(session->store, NULL, err) < 0 ||
        repo_open(session->store, &session->repo, err) < 0)
        return -1;
    if (session->json) {
        session_set(session, "repository",
                    json_pack("{s:o, s:o, s:i}", "id", json_text(repo_id(session->repo)), "location",
                              json_text(store_name(session->store)), "format", REPO_FORMAT_VERSION));
        return 0;
    }
    _cleanup_free_ char *name = text_escaped(store_name(session->store));
    fprintf(session->out, "repository %s created, id %s\n", name, repo_id(session->repo));
    return 0;
}
