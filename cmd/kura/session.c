#include "session.h"

#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "kura/words.h"
#include "site.h"
#include "unlock.h"

enum { MAP_FILE_MAX = 1024 * 1024 };

void session_init(Session *session, const Options *options, const Config *config, FILE *out)
{
    *session = (Session){
        .options = options,
        .config = config,
        .json = options_flag(options, OPT_JSON),
        .out = out,
        .findings = FINDINGS_INIT,
        .progress = PROGRESS_INIT,
        .document = json_object(),
        .status = -1,
        .nagios = -1,
    };
}

void session_done(Session *session)
{
    session_site_done(session);
    repo_close(session->repo);
    age_identities_free(session->identities);
    store_close(session->store);
    findings_done(&session->findings);
    run_record_done(&session->run);
    json_decref(session->document);
}

void session_set(Session *session, const char *member, json_t *value)
{
    json_object_set_new(session->document, member, value);
}

char *session_state_dir(const Session *session)
{
    const char *given = options_text(session->options, OPT_STATE_DIR);
    return given ? xstrdup(given) : runstate_default_dir();
}

const char *session_location(const Session *session, Error *err)
{
    const OptionValue *repositories = &session->options->values[OPT_REPO];
    const char *location = options_text(session->options, OPT_REPO);
    if (repositories->source == SOURCE_COMMAND_LINE && repositories->list.n > 1 &&
        session->options->command->id != CMD_BACKUP) {
        error_set(err, ERR_USAGE, "option --repo is given more than once");
        error_hint(err, "Only a backup goes into several repositories.");
        return NULL;
    }
    if (location != NULL)
        return location;
    error_set(err, ERR_USAGE, "no repository is named");
    _cleanup_free_ char *names = config_names(session->config, IN_REPOSITORY);
    if (names != NULL)
        error_hint(err, "Give --repo with a directory or s3://BUCKET/PREFIX, or with one of these: %s.", names);
    else
        error_hint(err, "Give --repo, set KURA_REPO, or write a [repository NAME] section into %s.",
                   CONFIG_DEFAULT_PATH);
    return NULL;
}

/* A monitor waits a minute at most, and the answer that a repository cannot be reached is one too. */
static const StoreTimes impatient = {.connect = 5000, .stall = 10000, .total = 15000, .retry = 20000};

StoreOptions session_store_options(const Options *options)
{
    return (StoreOptions){
        .s3_endpoint = options_text(options, OPT_S3_ENDPOINT),
        .s3_region = options_text(options, OPT_S3_REGION),
        .s3_profile = options_text(options, OPT_S3_PROFILE),
        .s3_ca = options_text(options, OPT_S3_CA),
        .s3_access_key = options_text(options, OPT_S3_ACCESS_KEY),
        .s3_secret_key = options_text(options, OPT_S3_SECRET_KEY),
        .s3_session_token = options_text(options, OPT_S3_SESSION_TOKEN),
        .s3_path_style = options_choice(options, OPT_S3_PATH_STYLE, S3_PATH_STYLE_AUTO),
        .s3_allow_http = options_flag(options, OPT_S3_ALLOW_HTTP),
        .s3_checksum = options_flag(options, OPT_S3_CHECKSUM),
        .limit_upload = (uint64_t)options_number(options, OPT_LIMIT_UPLOAD, 0),
        .times = options->command->id == CMD_STATUS ? &impatient : NULL,
    };
}

int session_open_store(Session *session, bool create, Error *err)
{
    const char *location = session_location(session, err);
    if (location == NULL)
        return -1;
    StoreOptions options = session_store_options(session->options);
    return store_open(location, &options, create, &session->store, err);
}

int session_open_repo(Session *session, Error *err)
{
    if (session_open_repo_for(session, REPO_READ, err) < 0)
        return -1;
    if (repo_is_encrypted(session->repo) && repo_pinning(session->repo) == REPO_PINNED_OTHER)
        findings_add(
            &session->findings, FINDING_WARNING, "recipients-changed",
            "Look at them with \"kura key list\"; \"kura key pin\" accepts them. Until then this host makes no "
            "backups.",
            "the repository has other recipients than those this host trusts");
    return 0;
}

int session_open_repo_for(Session *session, RepoUse use, Error *err)
{
    return session_open_store(session, false, err) < 0 ? -1 : session_unlock(session, use, err);
}

int session_resolve(const Session *session, StrVec *ret, Error *err)
{
    const StrVec *names = &session->options->args;
    const char *app = session_app(session);
    for (size_t i = 0; i < names->n; i++) {
        _cleanup_free_ char *id = NULL;
        if (manifest_resolve(session->repo, names->v[i], app, &id, err) < 0)
            return -1;
        if (!strvec_contains(ret, id))
            strvec_push(ret, id);
    }
    return 0;
}

int session_load_backup(Session *session, const char *name, Manifest **ret, Error *err)
{
    _cleanup_free_ char *id = NULL;
    if (session_open_repo(session, err) < 0 ||
        manifest_resolve(session->repo, name, session_app(session), &id, err) < 0)
        return -1;
    return manifest_load(session->repo, id, ret, err);
}

/* By the rules of the XDG base directories: a relative path counts as none. To be freed. */
static char *default_cache_dir(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/')
        return xasprintf("%s/kura", xdg);
    return home && home[0] == '/' ? xasprintf("%s/.cache/kura", home) : xstrdup("/var/cache/kura");
}

char *session_cache_dir(const Options *options)
{
    if (options_flag(options, OPT_NO_CACHE))
        return NULL;
    const char *given = options_text(options, OPT_CACHE_DIR);
    return given ? xstrdup(given) : default_cache_dir();
}

bool is_archive(const char *name)
{
    struct stat st;
    return strchr(name, '/') != NULL || stat(name, &st) == 0;
}

static int add_map_file(RoleMap *map, const char *path, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(MAP_FILE_MAX);
    if (file_read(path, &text, NULL, err) < 0)
        return error_wrap(err, "role map");
    return rolemap_add_text(map, buf_str(&text), text.len, path, err);
}

int session_rolemap(const Session *session, RoleMap **ret, Error *err)
{
    _cleanup_(rolemap_free_cleanup) RoleMap *map = rolemap_new();
    const StrVec *rules = options_list(session->options, OPT_MAP);
    const char *path = options_text(session->options, OPT_MAP_FILE);
    for (size_t i = 0; i < rules->n; i++)
        if (rolemap_add(map, rules->v[i], err) < 0)
            return -1;
    if (path != NULL && add_map_file(map, path, err) < 0)
        return -1;
    *ret = steal(map);
    return 0;
}

int session_paths(const Session *session, FilesetPaths **ret, Error *err)
{
    const StrVec *texts = options_list(session->options, OPT_PATH);
    *ret = NULL;
    return texts->n ? fileset_paths_new(texts, ret, err) : 0;
}

static int bad_files(const char *text, const char *why, Error *err)
{
    error_set(err, ERR_USAGE, "--files \"%s\": %s", text, why);
    return error_hint(err, "Write NAME=DIR, the name in lower-case letters, digits, underscores and hyphens.");
}

static int add_files(const char *text, FileArgs *args, Error *err)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    if (len == 0 || text[len] != '=')
        return bad_files(text, _("the name of the fileset is missing or malformed"), err);
    if (text[len + 1] == 0)
        return bad_files(text, _("the directory is missing"), err);
    for (size_t i = 0; i < args->n; i++)
        if (strlen(args->v[i].name) == len && strncmp(args->v[i].name, text, len) == 0)
            return bad_files(text, _("there is another fileset of this name"), err);
    args->v[args->n++] = (FileArg){.name = xstrndup(text, len), .dir = text + len + 1};
    return 0;
}

int file_args_parse(const StrVec *list, FileArgs *ret, Error *err)
{
    *ret = (FileArgs){.v = xcalloc(list->n + 1, sizeof *ret->v)};
    for (size_t i = 0; i < list->n; i++) {
        if (add_files(list->v[i], ret, err) < 0) {
            file_args_done(ret);
            return -1;
        }
    }
    return 0;
}

void file_args_done(FileArgs *args)
{
    for (size_t i = 0; i < args->n; i++)
        free(args->v[i].name);
    free(args->v);
    *args = (FileArgs){0};
}
