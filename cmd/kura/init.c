#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "init_app.h"
#include "kura/clock.h"
#include "kura/secret.h"
#include "kura/words.h"
#include "screen.h"
#include "site.h"
#include "table.h"
#include "text.h"
#include "unlock.h"

enum { IDENTITY_TEXT_MAX = 4096 };

/* Whom the repository will be encrypted for. */
typedef struct NewKeys {
    AgeIdentities *identity; /* of the key pair that is made; NULL: none */
    AgeRecipient *recipients;
    size_t n;
} NewKeys;

static void newkeys_done(NewKeys *keys)
{
    age_identities_free(keys->identity);
    free(keys->recipients);
}

static int check_use(const Options *options, Error *err)
{
    const char *identity = options_text(options, OPT_IDENTITY_OUT);
    bool recipients = options_list(options, OPT_RECIPIENT)->n > 0;
    if (!options_flag(options, OPT_ENCRYPT)) {
        if (identity == NULL && !recipients && !options_given(options, OPT_KEY_FILE))
            return 0;
        error_set(err, ERR_USAGE, "keys are named for a repository that is not to be encrypted");
        return error_hint(err, "Give --encrypt, or leave --identity-out, --recipient and --key-file out.");
    }
    if (identity == NULL && !recipients) {
        error_set(err, ERR_USAGE, "--encrypt needs to know whom for");
        return error_hint(err, "Give --identity-out with the file that a new identity shall be written to, or "
                               "--recipient with a public key whose identity you have.");
    }
    return 0;
}

static int gather_keys(const Options *options, NewKeys *ret, Error *err)
{
    const StrVec *texts = options_list(options, OPT_RECIPIENT);
    ret->recipients = xcalloc(texts->n + 1, sizeof *ret->recipients);
    for (size_t i = 0; i < texts->n; i++)
        if (age_recipient_parse(texts->v[i], &ret->recipients[ret->n++], err) < 0)
            return error_wrap(err, "recipient %zu", i + 1);
    if (options_given(options, OPT_IDENTITY_OUT)) {
        ret->identity = age_identities_new();
        age_identities_recipient(ret->identity, 0, &ret->recipients[ret->n++]);
    }
    return 0;
}

/* What age-keygen writes, and what it is for. */
static int format_identity(const Session *session, const AgeIdentities *identity, Buf *out, Error *err)
{
    char created[32], recipient[AGE_RECIPIENT_SIZE];
    AgeRecipient public;
    _cleanup_free_ char *name = text_escaped(store_name(session->store));
    clock_format_utc(time(NULL), created, sizeof created);
    age_identities_recipient(identity, 0, &public);
    age_recipient_format(&public, recipient);
    if (buf_reserve(out, IDENTITY_TEXT_MAX, err) < 0 ||
        buf_printf(out, err, "# created: %s\n# public key: %s\n# decrypts the kura repository %.2000s\n", created,
                   recipient, name) < 0 ||
        age_identities_format(identity, 0, out, err) < 0)
        return -1;
    return buf_append_str(out, "\n", err);
}

static int write_identity(const Session *session, const AgeIdentities *identity, const char *path, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(IDENTITY_TEXT_MAX);
    if (format_identity(session, identity, &text, err) < 0 || secret_file_create(path, text.data, text.len, err) < 0)
        return error_wrap(err, "writing the identity");
    return 0;
}

/* The identity is on the disk before anything needs it. Without a repository it would only mislead. */
static int create_encrypted(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *path = options_text(options, OPT_IDENTITY_OUT);
    _cleanup_(newkeys_done) NewKeys keys = {0};
    if (gather_keys(options, &keys, err) < 0 ||
        (keys.identity && write_identity(session, keys.identity, path, err) < 0))
        return -1;
    if (repo_create_encrypted(session->store, NULL, keys.recipients, keys.n, options_text(options, OPT_KEY_FILE),
                              err) == 0)
        return 0;
    if (keys.identity)
        unlink(path);
    return -1;
}

static json_t *json_of_repository(const Session *session)
{
    json_t *repository = json_pack("{s:o, s:o, s:i, s:s}", "id", json_text(repo_id(session->repo)), "location",
                                   json_text(store_name(session->store)), "format", REPO_FORMAT_VERSION, "cipher",
                                   repo_is_encrypted(session->repo) ? "age" : "none");
    if (!repo_is_encrypted(session->repo))
        return repository;
    json_object_set_new(repository, "recipients", json_of_recipients(session->repo));
    json_object_set_new(repository, "key_file", json_text(repo_key_file(session->repo)));
    json_object_set_new(repository, "identity_file", json_text(options_text(session->options, OPT_IDENTITY_OUT)));
    return repository;
}

static void print_keys(const Session *session)
{
    size_t n;
    const char *identity = options_text(session->options, OPT_IDENTITY_OUT);
    const AgeRecipient *recipients = repo_recipients(session->repo, &n);
    _cleanup_free_ char *key_file = xasprintf(_("%s stays on this host, for backups"), repo_key_file(session->repo));
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    for (size_t i = 0; i < n; i++) {
        char text[AGE_RECIPIENT_SIZE];
        age_recipient_format(&recipients[i], text);
        table_row(table, _("encrypted for"), text);
    }
    table_row(table, _("key file"), key_file);
    if (identity != NULL)
        table_row(table, _("identity"), identity);
    table_print(table, session->out, 2);
    if (identity != NULL)
        fputs(_("\nMove the identity away from this host now, and keep a copy of it in another place.\n"
                "Without it nothing can be restored; with it every backup can be read.\n"),
              session->out);
}

static void tell_repository(Session *session)
{
    if (session->json) {
        session_set(session, "repository", json_of_repository(session));
        return;
    }
    _cleanup_free_ char *name = text_escaped(store_name(session->store));
    fprintf(session->out, _("repository %s created, id %s\n"), name, repo_id(session->repo));
    if (options_flag(session->options, OPT_ENCRYPT))
        print_keys(session);
}

static void tell_known_repository(Session *session)
{
    if (session->json) {
        session_set(session, "repository", json_of_repository(session));
        return;
    }
    _cleanup_free_ char *name = text_escaped(store_name(session->store));
    fprintf(session->out, _("\nrepository %s is there already, id %s\n"), name, repo_id(session->repo));
}

static void tell_new_repository(Session *session)
{
    if (!session->json)
        fputc('\n', session->out);
    tell_repository(session);
}

static int create(Session *session, Error *err)
{
    bool encrypt = options_flag(session->options, OPT_ENCRYPT);
    if (session->store == NULL && session_open_store(session, true, err) < 0)
        return -1;
    if ((encrypt ? create_encrypted(session, err) : repo_create(session->store, NULL, err)) < 0)
        return -1;
    return session_unlock(session, encrypt ? REPO_WRITE : REPO_LOOK, err);
}

/* A second application goes into the repository of the first. */
static int find_or_create(Session *session, bool *ret_created, Error *err)
{
    Error why = ERROR_INIT;
    *ret_created = false;
    if (session_open_store(session, true, err) < 0)
        return -1;
    if (!options_flag(session->options, OPT_ENCRYPT) && session_unlock(session, REPO_LOOK, &why) == 0)
        return 0;
    if (why.code != ERR_NO_REPOSITORY && !options_flag(session->options, OPT_ENCRYPT)) {
        *err = why;
        return -1;
    }
    *ret_created = true;
    return create(session, err);
}

static int init_for_app(Session *session, Error *err)
{
    AppSite *site;
    bool created = false;
    if (session_site(session, &site, err) < 0)
        return -1;
    if (options_given(session->options, OPT_REPO) && find_or_create(session, &created, err) < 0)
        return -1;
    return init_app(session, created ? tell_new_repository : tell_known_repository, err);
}

int command_init(Session *session, Error *err)
{
    if (check_use(session->options, err) < 0)
        return -1;
    if (options_given(session->options, OPT_APP_DIR) || options_given(session->options, OPT_PROFILE))
        return init_for_app(session, err);
    if (create(session, err) < 0)
        return -1;
    tell_repository(session);
    return 0;
}
