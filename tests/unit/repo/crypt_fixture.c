#include "crypt_fixture.h"

#include "../../store/tempdir.h"

Repo *reader;
AgeIdentities *owner, *stranger;
char *key_file;
static char *dir;

AgeRecipient recipient_of(const AgeIdentities *identities)
{
    AgeRecipient recipient;
    age_identities_recipient(identities, 0, &recipient);
    return recipient;
}

Repo *open_as(RepoUse use, const AgeIdentities *identities, const char *path)
{
    Repo *opened = NULL;
    RepoAccess access = {.use = use, .identities = identities, .key_file = path};
    if (repo_open_with(store, &access, &opened, &err) < 0)
        fail_msg("%s", err.message);
    return opened;
}

void assert_locked_out(RepoUse use, const AgeIdentities *identities, const char *path, const char *part)
{
    Repo *opened = NULL;
    RepoAccess access = {.use = use, .identities = identities, .key_file = path};
    assert_int_equal(repo_open_with(store, &access, &opened, &err), -1);
    assert_null(opened);
    assert_int_equal(err.code, ERR_KEY);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
    assert_string_not_equal(err.hint, "");
}

int crypt_set_up(void **state)
{
    fixture_set_up(state);
    repo_close(repo);
    assert_int_equal(store_delete(store, "kura.json", &err), 0);
    dir = tempdir_new();
    key_file = xasprintf("%s/host.key", dir);
    owner = age_identities_new();
    stranger = age_identities_new();
    AgeRecipient recipient = recipient_of(owner);
    if (repo_create_encrypted(store, NULL, &recipient, 1, key_file, &err) < 0)
        fail_msg("%s", err.message);
    repo = open_as(REPO_WRITE, NULL, key_file);
    reader = open_as(REPO_READ, owner, "/nonexistent/key");
    forget_requests();
    return 0;
}

int crypt_tear_down(void **state)
{
    repo_close(reader);
    int rc = fixture_tear_down(state);
    age_identities_free(owner);
    age_identities_free(stranger);
    tempdir_remove(dir);
    free(dir);
    free(key_file);
    return rc;
}

void get_object(const char *key, Buf *out)
{
    buf_clear(out);
    if (store_get(store, key, 0, UINT64_MAX, out, &err) < 0)
        fail_msg("%s", err.message);
}

void put_bytes(const char *key, const void *data, size_t len)
{
    assert_int_equal(store_put(store, key, data, len, false, &err), 0);
}

static int remember(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    (void)e;
    strvec_push(ctx, key);
    return 0;
}

char *only_object(const char *prefix)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    assert_int_equal(store_list(store, prefix, remember, &keys, &err), 0);
    assert_int_equal(keys.n, 1);
    return xstrdup(keys.v[0]);
}

void set_header(const char *member, json_t *value)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(1 << 20);
    get_object("kura.json", &text);
    json_t *header = json_loads(buf_str(&text), 0, NULL);
    assert_non_null(header);
    json_object_set_new(header, member, value);
    char *changed = json_dumps(header, 0);
    put_object("kura.json", changed);
    free(changed);
    json_decref(header);
}
