#include "kura/pin.h"

#include <string.h>
#include <time.h>

#include "document_priv.h"
#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "kura/manifest.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "lock_priv.h"
#include "manifest_priv.h"

enum { PIN_MAX = 64 * 1024 };

DEFINE_CLEANUP(RepoLock, repo_unlock)

void pin_done(Pin *pin)
{
    if (pin == NULL)
        return;
    free(pin->backup);
    free(pin->host);
    free(pin->user);
    free(pin->created);
    free(pin->reason);
    *pin = (Pin){0};
}

static json_t *to_json(const Pin *pin)
{
    json_t *json = jsondoc_new("pin");
    json_set_text(json, "backup", pin->backup);
    json_set_text(json, "host", pin->host);
    json_set_text(json, "user", pin->user);
    json_set_text(json, "created", pin->created);
    json_set_text(json, "reason", pin->reason);
    return json;
}

static int read_pin(const JsonNode *root, Pin *ret, Error *err)
{
    if (jnode_text(root, "backup", &ret->backup, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        jnode_text(root, "user", &ret->user, err) < 0 || jnode_text(root, "created", &ret->created, err) < 0 ||
        jnode_text_or_null(root, "reason", &ret->reason, err) < 0)
        return -1;
    if (!manifest_id_valid(ret->backup))
        return jnode_fail(root, err, "pins what is no id of a backup: \"%.100s\"", ret->backup);
    return clock_parse_utc(ret->created) >= 0 ? 0 : jnode_fail(root, err, "has a moment that is none");
}

static int parse(const void *text, size_t len, Pin *ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    _cleanup_(pin_done) Pin pin = {0};
    if (jsondoc_parse(text, len, "pin", &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (read_pin(&root, &pin, err) < 0)
        return -1;
    *ret = pin;
    pin = (Pin){0};
    return 0;
}

static int check(const void *text, size_t len, Error *err)
{
    _cleanup_(pin_done) Pin copy = {0};
    return parse(text, len, &copy, err);
}

static const DocumentKind kind = {
    .what = N_("pin"),
    .prefix = "pins/",
    .sealed = "sealed-pin",
    .max = PIN_MAX,
    .check = check,
};

static int put(Repo *repo, const char *backup, const char *reason, Error *err)
{
    char created[32];
    LockInfo self;
    lockinfo_init_self(&self, &(LockWish){.purpose = "pin"});
    clock_format_utc(time(NULL), created, sizeof created);
    const Pin pin = {
        .backup = (char *)backup, .host = self.host, .user = self.user, .created = created, .reason = (char *)reason};
    _cleanup_(json_unref) json_t *document = to_json(&pin);
    int rc = document_put(repo, &kind, backup, document, true, err);
    lockinfo_done(&self);
    return rc;
}

int pin_put(Repo *repo, const char *backup, const char *reason, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(strvec_done) StrVec ids = {0};
    _cleanup_(repo_unlock_cleanup) RepoLock *lock = NULL;
    if (repo_lock(repo, false, "pin", &lock, err) < 0 || manifest_list(repo, &ids, err) < 0)
        return -1;
    if (!strvec_contains(&ids, backup))
        return error_set(err, ERR_NOT_FOUND, "there is no backup \"%s\" in the repository \"%s\"", backup,
                         store_name(repo_store(repo)));
    if (repo_lock_check(lock, err) < 0)
        return -1;
    if (put(repo, backup, reason, &why) == 0)
        return 0;
    if (why.code == ERR_EXISTS) {
        error_set(err, ERR_EXISTS, "backup %s is pinned already", backup);
        return error_hint(err, "To give it another reason, unpin it first.");
    }
    if (err)
        *err = why;
    return -1;
}

int pin_load(Repo *repo, const char *backup, Pin *ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(kind.max);
    _cleanup_(pin_done) Pin pin = {0};
    if (document_get(repo, &kind, backup, &text, err) < 0)
        return -1;
    if (parse(text.data, text.len, &pin, err) < 0)
        return error_wrap(err, "reading the pin of %s", backup);
    if (strcmp(pin.backup, backup) != 0)
        return error_set(err, ERR_CORRUPT, "the pin of %s is that of another backup, %s", backup, pin.backup);
    *ret = pin;
    pin = (Pin){0};
    return 0;
}

int pin_remove(Repo *repo, const char *backup, bool *ret_was, Error *err)
{
    _cleanup_(strvec_done) StrVec pinned = {0};
    if (pin_list(repo, &pinned, err) < 0)
        return -1;
    *ret_was = strvec_contains(&pinned, backup);
    return *ret_was ? document_delete(repo, &kind, backup, err) : 0;
}

int pin_list(Repo *repo, StrVec *ret, Error *err)
{
    return document_list(repo, &kind, "", ret, err);
}
