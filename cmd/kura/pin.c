#include "kura/pin.h"

#include <string.h>

#include "commands.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "screen.h"

static void tell(Session *session, const char *id, const char *reason, bool pinned)
{
    if (!session->json) {
        fprintf(session->out, pinned ? _("%s is pinned\n") : _("%s is not pinned any more\n"), id);
        return;
    }
    session_set(session, "backup", json_text(id));
    session_set(session, "pinned", json_boolean(pinned));
    if (pinned)
        session_set(session, "reason", json_text(reason));
}

int command_pin(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *reason = options_text(options, OPT_REASON);
    _cleanup_free_ char *id = NULL;
    if (session_open_repo_for(session, REPO_WRITE, err) < 0 ||
        manifest_resolve(session->repo, options->args.v[0], options_text(options, OPT_APP), &id, err) < 0 ||
        pin_put(session->repo, id, reason, err) < 0)
        return -1;
    tell(session, id, reason, true);
    return 0;
}

/* A pin may be of a backup that is gone: what is named is looked for among the pins. */
static int find_pin(Session *session, const char *name, char **ret, Error *err)
{
    _cleanup_(strvec_done) StrVec pinned = {0};
    const char *found = NULL;
    if (pin_list(session->repo, &pinned, err) < 0)
        return -1;
    for (size_t i = 0; i < pinned.n; i++) {
        if (strncmp(pinned.v[i], name, strlen(name)) != 0)
            continue;
        if (found != NULL)
            return error_set(err, ERR_USAGE, "\"%s\" is ambiguous: several pinned backups begin with it", name);
        found = pinned.v[i];
    }
    if (found == NULL) {
        error_set(err, ERR_NOT_FOUND, "no backup \"%s\" is pinned in the repository \"%s\"", name,
                  store_name(session->store));
        return error_hint(err, "\"kura list\" shows which are.");
    }
    *ret = xstrdup(found);
    return 0;
}

int command_unpin(Session *session, Error *err)
{
    bool was;
    _cleanup_free_ char *id = NULL;
    if (session_open_repo(session, err) < 0 || find_pin(session, session->options->args.v[0], &id, err) < 0 ||
        pin_remove(session->repo, id, &was, err) < 0)
        return -1;
    tell(session, id, NULL, false);
    return 0;
}
