#include <string.h>

#include "commands.h"
#include "kura/doctor.h"
#include "kura/words.h"
#include "redisarg.h"
#include "screen.h"
#include "site.h"
#include "statusview.h"
#include "table.h"
#include "text.h"
#include "unlock.h"

enum { LABEL = 7, INDENT = 19 }; /* columns of the display */

/* ---- one check at a time, as it ends ---- */

/* A note with a hint is worth a thought. */
static const char *label_of(const Finding *finding)
{
    if (finding->severity == FINDING_NOTE)
        return finding->hint ? _("note") : _("ok");
    return finding->severity == FINDING_WARNING ? _("warning") : _("error");
}

static void print_findings(FILE *out, const DoctorScene *scene, size_t from)
{
    for (size_t i = from; i < scene->n_of; i++) {
        const Finding *finding = &scene->findings->v[i];
        _cleanup_free_ char *message = text_escaped(finding->message);
        _cleanup_free_ char *hint = text_escaped(finding->hint ? finding->hint : "");
        const char *label = label_of(finding);
        fprintf(out, "%-8s  %s%*s  %s\n", doctor_checks[scene->of[i]].name, label, text_fill(label, LABEL), "",
                message);
        if (hint[0])
            fprintf(out, "%-*s%s\n", INDENT, "", hint);
    }
}

static int run_checks(Session *session, DoctorScene *scene, Error *err)
{
    for (DoctorId id = 0; id < DOCTOR_COUNT; id++) {
        size_t before = scene->n_of;
        int rc = doctor_run(scene, id, err);
        if (!session->json)
            print_findings(session->out, scene, before);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* ---- what was not looked at ---- */

static void add_reasons(const DoctorScene *scene, StrVec *ret)
{
    for (DoctorId id = 0; id < DOCTOR_COUNT; id++)
        if (scene->results[id].outcome == DOCTOR_SKIPPED && !strvec_contains(ret, scene->results[id].reason))
            strvec_push(ret, scene->results[id].reason);
}

static size_t count_outcome(const DoctorScene *scene, DoctorOutcome outcome)
{
    size_t n = 0;
    for (DoctorId id = 0; id < DOCTOR_COUNT; id++)
        n += scene->results[id].outcome == outcome;
    return n;
}

static void print_skipped(FILE *out, const DoctorScene *scene)
{
    _cleanup_(strvec_done) StrVec reasons = {0};
    add_reasons(scene, &reasons);
    if (reasons.n == 0)
        return;
    fprintf(out, _("%zu checks done, %zu without an object:\n"), count_outcome(scene, DOCTOR_RAN),
            count_outcome(scene, DOCTOR_SKIPPED));
    for (size_t i = 0; i < reasons.n; i++) {
        _cleanup_free_ char *reason = text_escaped(reasons.v[i]);
        fprintf(out, "  %s:", reason);
        for (DoctorId id = 0; id < DOCTOR_COUNT; id++)
            if (scene->results[id].outcome == DOCTOR_SKIPPED && strcmp(scene->results[id].reason, reasons.v[i]) == 0)
                fprintf(out, " %s", doctor_checks[id].name);
        fputc('\n', out);
    }
}

/* ---- JSON ---- */

static const char *severity_name(Severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

static json_t *json_of_findings(const DoctorScene *scene)
{
    json_t *array = json_array();
    for (size_t i = 0; i < scene->n_of; i++) {
        const Finding *finding = &scene->findings->v[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", doctor_checks[scene->of[i]].name, "severity",
                                        severity_name(finding->severity), "code", finding->code, "evidence",
                                        json_text(finding->message), "remedy", json_text(finding->hint)));
    }
    return array;
}

static size_t findings_of(const DoctorScene *scene, DoctorId id)
{
    size_t n = 0;
    for (size_t i = 0; i < scene->n_of; i++)
        n += scene->of[i] == id && scene->findings->v[i].severity > FINDING_NOTE;
    return n;
}

static json_t *json_of_checks(const DoctorScene *scene)
{
    static const char *const outcomes[] = {"not run", "ran", "skipped", "failed"};
    json_t *array = json_array();
    for (DoctorId id = 0; id < DOCTOR_COUNT; id++) {
        const DoctorResult *result = &scene->results[id];
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:s, s:o, s:I}", "id", doctor_checks[id].name, "title",
                                        doctor_checks[id].title, "outcome", outcomes[result->outcome], "reason",
                                        json_text(result->reason), "findings", (json_int_t)findings_of(scene, id)));
    }
    return array;
}

static json_t *json_of_doctor(const DoctorScene *scene)
{
    json_t *repository = scene->repo ? json_pack("{s:o, s:s}", "id", json_text(repo_id(scene->repo)), "cipher",
                                                 repo_is_encrypted(scene->repo) ? "age" : "none")
                                     : json_null();
    return json_pack("{s:o, s:b, s:o, s:o, s:o}", "location",
                     scene->store ? json_text(store_name(scene->store)) : json_null(), "reached", scene->reached,
                     "repository", repository, "findings", json_of_findings(scene), "checks", json_of_checks(scene));
}

/* ---- what the checks are ---- */

static int list_checks(Session *session)
{
    _cleanup_(table_free_cleanup) Table *table = table_new(_("id|what it looks at"));
    json_t *array = json_array();
    for (DoctorId id = 0; id < DOCTOR_COUNT; id++) {
        const DoctorCheck *check = &doctor_checks[id];
        table_row(table, check->name, words_get(check->title));
        json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "id", check->name, "severity",
                                               severity_name(check->severity), "title", check->title));
    }
    if (!session->json)
        table_print(table, session->out, 0);
    session_set(session, "checks", array);
    return 0;
}

static int explain(Session *session, const char *name, Error *err)
{
    const DoctorCheck *check = doctor_check_find(name);
    if (check == NULL) {
        error_set(err, ERR_USAGE, "there is no check \"%s\"", name);
        return error_hint(err, "\"kura doctor --list\" lists them.");
    }
    if (!session->json)
        fprintf(session->out, "%s: %s\n\n%s\n", check->name, words_get(check->title), words_get(check->explanation));
    session_set(session, "check",
                json_pack("{s:s, s:s, s:s, s:s}", "id", check->name, "severity", severity_name(check->severity),
                          "title", check->title, "explanation", check->explanation));
    return 0;
}

/* ---- the whole ---- */

static int open_repo(void *ctx, RepoUse use, Repo **ret, Error *err)
{
    Session *session = ctx;
    return unlock_repo(session->options, session->store, use, &session->identities, ret, err);
}

/* Without a repository the site is looked at alone, and the other way round. */
static int open_store(Session *session, Error *err)
{
    bool other = options_given(session->options, OPT_DB) || options_given(session->options, OPT_REDIS) ||
                 options_given(session->options, OPT_APP_DIR);
    if (other && !options_given(session->options, OPT_REPO))
        return 0;
    return session_open_store(session, false, err);
}

/* A configuration of the application that cannot be read is a finding; what can be looked at without it is. */
static int read_site(Session *session, AppSite **ret, Error *err)
{
    Error why = ERROR_INIT;
    if (session_site(session, ret, &why) == 0)
        return 0;
    if (why.code == ERR_USAGE || why.code == ERR_INTERRUPTED) {
        *err = why;
        return -1;
    }
    findings_add(&session->findings, FINDING_ERROR, "application", why.hint[0] ? why.hint : NULL, "%s", why.message);
    *ret = NULL;
    return 0;
}

static int examine(Session *session, AppSite *site, Error *err)
{
    const Options *options = session->options;
    const char *db = options_text(options, OPT_DB);
    _cleanup_(redis_arg_done) RedisArg redis = {0};
    if (site && session_db(session, &db, err) < 0)
        return -1;
    if (redis_arg_read(session, &redis, err) < 0)
        return -1;
    const StandingLimits limits = standing_limits(options);
    const bool limited = limits.backup + limits.rehearsal + limits.verify + limits.read > 0;
    _cleanup_free_ char *state_dir = session_state_dir(session), *cache_dir = session_cache_dir(options);
    DoctorScene scene = {
        .app = session_app(session),
        .site = site,
        .db = db,
        .redis = redis.servers,
        .n_redis = redis.n,
        .store = session->store,
        .open_repo = open_repo,
        .ctx = session,
        .has_identity = options_given(options, OPT_IDENTITY),
        .root = options_text(options, OPT_ROOT),
        .pg_bindir = options_text(options, OPT_PG_BINDIR),
        .location = options_text(options, OPT_REPO),
        .state_dir = state_dir,
        .cache_dir = cache_dir,
        .limits = limited ? &limits : NULL,
        .findings = &session->findings,
    };
    int rc = run_checks(session, &scene, err);
    if (rc == 0 && session->json)
        session_set(session, "doctor", json_of_doctor(&scene));
    else if (rc == 0)
        print_skipped(session->out, &scene);
    doctor_done(&scene);
    return rc;
}

int command_doctor(Session *session, Error *err)
{
    if (options_flag(session->options, OPT_LIST))
        return list_checks(session);
    if (options_given(session->options, OPT_EXPLAIN))
        return explain(session, options_text(session->options, OPT_EXPLAIN), err);
    AppSite *site;
    if (read_site(session, &site, err) < 0 || open_store(session, err) < 0)
        return -1;
    session->findings_told = !session->json;
    return examine(session, site, err);
}
