#include "unlock.h"

#include <sys/prctl.h>

#include "kura/secret.h"

enum { IDENTITY_FILE_MAX = 64 * 1024 };

/* Keys, and rows on their way, must not end up in a file that a crash leaves behind, nor be read by a debugger of the
 * same user. */
static void forbid_core_dumps(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

static int read_identities(const char *path, AgeIdentities **ret, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(IDENTITY_FILE_MAX);
    forbid_core_dumps();
    if (secret_file_read(path, &text, err) < 0 || age_identities_parse(buf_str(&text), text.len, ret, err) < 0) {
        error_wrap(err, "identity \"%s\"", path);
        err->code = ERR_KEY; /* also when there is no such file: what is missing is the key */
        return -1;
    }
    return 0;
}

int unlock_repo(const Options *options, Store *store, RepoUse use, AgeIdentities **identities, Repo **ret, Error *err)
{
    const char *path = options_text(options, OPT_IDENTITY);
    if (path != NULL && *identities == NULL && read_identities(path, identities, err) < 0)
        return -1;
    RepoAccess access = {
        .use = use,
        .identities = *identities,
        .key_file = options_text(options, OPT_KEY_FILE),
    };
    if (repo_open_with(store, &access, ret, err) < 0)
        return -1;
    repo_set_lock_wait(*ret, options_number(options, OPT_LOCK_WAIT, 0));
    if (repo_is_encrypted(*ret) || store_is_remote(store))
        forbid_core_dumps();
    return 0;
}

int session_unlock(Session *session, RepoUse use, Error *err)
{
    return unlock_repo(session->options, session->store, use, &session->identities, &session->repo, err);
}

json_t *json_of_recipients(const Repo *repo)
{
    size_t n;
    const AgeRecipient *recipients = repo_recipients(repo, &n);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        char text[AGE_RECIPIENT_SIZE];
        age_recipient_format(&recipients[i], text);
        json_array_append_new(array, json_string(text));
    }
    return array;
}
