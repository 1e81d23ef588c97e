/* What would make the next backup or restore fail. Each check adds findings: a note is something that is as it should
 * be. A check that another one has made pointless says nothing. */
#include <string.h>
#include <time.h>

#include "commands.h"
#include "kura/clock.h"
#include "kura/words.h"
#include "screen.h"
#include "text.h"
#include "unlock.h"

typedef struct Doctor {
    Session *session;
    Findings *findings;
    bool reached;     /* the storage answers */
    bool inside;      /* the keys that are there open locks */
    Manifest *newest; /* NULL: there is none, or it cannot be read */
} Doctor;

#define note(doctor, code, ...) findings_add((doctor)->findings, FINDING_NOTE, code, NULL, __VA_ARGS__)

/* Makes a finding of an error; only an interruption ends the doctor. */
static int tell(Doctor *doctor, const char *code, const Error *why, Error *err)
{
    if (why->code == ERR_INTERRUPTED) {
        *err = *why;
        return -1;
    }
    findings_add(doctor->findings, FINDING_ERROR, code, why->hint[0] ? why->hint : NULL, "%s", why->message);
    return 0;
}

static int check_storage(Doctor *doctor, Error *err)
{
    Error why = ERROR_INIT;
    doctor->reached = store_probe(doctor->session->store, doctor->findings, &why) == 0;
    return doctor->reached ? 0 : tell(doctor, "storage", &why, err);
}

/* ---- the repository ---- */

static void tell_key_file(Doctor *doctor)
{
    const Repo *repo = doctor->session->repo;
    _cleanup_free_ char *path = text_escaped(repo_key_file(repo) ? repo_key_file(repo) : "");
    switch (repo_pinning(repo)) {
    case REPO_PINNED_SAME:
        note(doctor, "key-file", "the key file \"%s\" lets this host make backups", path);
        break;
    case REPO_PINNED_NONE:
        findings_add(doctor->findings, FINDING_NOTE, "key-file",
                     "That is right for a host that only restores. \"kura key pin\" with an identity makes one.",
                     "this host has no key file of the repository: it can make no backups");
        break;
    case REPO_PINNED_OTHER:
        findings_add(doctor->findings, FINDING_ERROR, "recipients-changed",
                     "Look at them with \"kura key list\"; \"kura key pin\" accepts them.",
                     "the repository has other recipients than those this host trusts: it will make no backups");
        break;
    }
}

/* Opens it once more, for what needs keys. Without any there is nothing to complain of. */
static int open_inside(Doctor *doctor, Error *err)
{
    Session *session = doctor->session;
    Error why = ERROR_INIT;
    Repo *repo;
    const RepoAccess access = {
        .use = REPO_READ, .identities = session->identities, .key_file = options_text(session->options, OPT_KEY_FILE)};
    bool keyless = session->identities == NULL && repo_is_encrypted(session->repo) &&
                   repo_pinning(session->repo) == REPO_PINNED_NONE;
    if (keyless) {
        findings_add(doctor->findings, FINDING_NOTE, "no-key", "Give --identity to look at them too.",
                     "newest backup and locks are not looked at, for this host has no key to them");
        return 0;
    }
    if (repo_open_with(session->store, &access, &repo, &why) < 0)
        return tell(doctor, "repository", &why, err);
    repo_close(session->repo);
    session->repo = repo;
    doctor->inside = true;
    return 0;
}

static int check_repository(Doctor *doctor, Error *err)
{
    Session *session = doctor->session;
    Error why = ERROR_INIT;
    size_t recipients;
    if (!doctor->reached)
        return 0;
    if (session_unlock(session, REPO_LOOK, &why) < 0) {
        if (why.code != ERR_NO_REPOSITORY)
            return tell(doctor, "repository", &why, err);
        findings_add(doctor->findings, FINDING_NOTE, "no-repository", why.hint[0] ? why.hint : NULL, "%s", why.message);
        return 0;
    }
    if (!repo_is_encrypted(session->repo)) {
        note(doctor, "repository", "repository %s, format %d, not encrypted", repo_id(session->repo),
             REPO_FORMAT_VERSION);
    } else {
        repo_recipients(session->repo, &recipients);
        note(doctor, "repository",
             ngettext("repository %s, format %d, encrypted for %zu recipient",
                      "repository %s, format %d, encrypted for %zu recipients", recipients),
             repo_id(session->repo), REPO_FORMAT_VERSION, recipients);
        tell_key_file(doctor);
    }
    return open_inside(doctor, err);
}

/* ---- what is in it ---- */

/* "20261122T031500Z-.." as a moment; ids are checked when they are listed. */
static time_t moment_of(const char *id)
{
    char text[32];
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6, id + 9, id + 11, id + 13);
    return clock_parse_utc(text);
}

enum { FUTURE = 600 /* seconds */ };

static int check_newest(Doctor *doctor, const char *id, Error *err)
{
    Error why = ERROR_INIT;
    if (moment_of(id) > time(NULL) + FUTURE)
        findings_add(doctor->findings, FINDING_WARNING, "clock",
                     "Set the clock. Backups are ordered by time, and \"latest\" would go on to mean this one.",
                     "the newest backup is of the future: the clock of this host is wrong, or that of the one that "
                     "made it was");
    if (manifest_load(doctor->session->repo, id, &doctor->newest, &why) == 0 || why.code == ERR_KEY)
        return 0;
    return tell(doctor, "backup-unreadable", &why, err);
}

static int check_backups(Doctor *doctor, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(strvec_done) StrVec ids = {0};
    if (doctor->session->repo == NULL)
        return 0;
    if (manifest_list(doctor->session->repo, &ids, &why) < 0)
        return tell(doctor, "backups", &why, err);
    if (ids.n == 0) {
        note(doctor, "backups", "there are no backups yet");
        return 0;
    }
    note(doctor, "backups", ngettext("%zu backup, the newest is %s", "%zu backups, the newest is %s", ids.n), ids.n,
         ids.v[ids.n - 1]);
    return check_newest(doctor, ids.v[ids.n - 1], err);
}

static int check_locks(Doctor *doctor, Error *err)
{
    Error why = ERROR_INIT;
    if (!doctor->inside)
        return 0;
    size_t before = doctor->findings->n;
    if (repo_lock_survey(doctor->session->repo, doctor->findings, &why) < 0)
        return tell(doctor, "locks", &why, err);
    if (doctor->findings->n == before)
        note(doctor, "locks", "nobody has locked it");
    return 0;
}

/* ---- space ---- */

enum { FEW_OBJECTS = 10000 };

static void tell_space(Doctor *doctor, uint64_t bytes, uint64_t objects)
{
    char free_text[TEXT_SIZE], new_text[TEXT_SIZE], count[TEXT_SIZE];
    const Manifest *newest = doctor->newest;
    text_bytes(bytes, free_text);
    if (newest != NULL && bytes / 2 < newest->stored_new)
        findings_add(doctor->findings, FINDING_WARNING, "space",
                     "Make room, or remove old backups: the next backup may not find enough.",
                     "%s are free, and the newest backup took %s", free_text, text_bytes(newest->stored_new, new_text));
    else if (newest != NULL)
        note(doctor, "space", "%s are free; the newest backup took %s", free_text,
             text_bytes(newest->stored_new, new_text));
    else
        note(doctor, "space", "%s are free", free_text);
    if (objects < FEW_OBJECTS)
        findings_add(
            doctor->findings, FINDING_WARNING, "inodes",
            "A backup of a large site writes thousands of files. Move the repository to a file system with more "
            "inodes.",
            "only %s more files can be made on the file system", text_count(objects, count));
}

static int check_space(Doctor *doctor, Error *err)
{
    Error why = ERROR_INIT;
    uint64_t bytes, objects;
    if (!doctor->reached)
        return 0;
    if (store_space(doctor->session->store, &bytes, &objects, &why) < 0)
        return why.code == ERR_NOT_FOUND ? 0 : tell(doctor, "space", &why, err);
    if (bytes != UINT64_MAX)
        tell_space(doctor, bytes, objects);
    return 0;
}

/* ---- the whole ---- */

static const struct {
    const char *title;
    int (*run)(Doctor *doctor, Error *err);
} checks[] = {
    {"storage", check_storage}, {"repository", check_repository}, {"backups", check_backups},
    {"locks", check_locks},     {"space", check_space},
};

/* A note with a hint is worth a thought. */
static const char *label_of(const Finding *finding)
{
    if (finding->severity == FINDING_NOTE)
        return finding->hint ? "note" : "ok";
    return finding->severity == FINDING_WARNING ? "warning" : "error";
}

static void print_findings(FILE *out, const char *title, const Findings *findings, size_t from)
{
    for (size_t i = from; i < findings->n; i++) {
        const Finding *finding = &findings->v[i];
        _cleanup_free_ char *message = text_escaped(finding->message);
        _cleanup_free_ char *hint = text_escaped(finding->hint ? finding->hint : "");
        fprintf(out, "%-10s  %-7s  %s\n", i == from ? title : "", label_of(finding), message);
        if (hint[0])
            fprintf(out, "%-21s%s\n", "", hint);
    }
}

static int run_checks(Doctor *doctor, Error *err)
{
    Session *session = doctor->session;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        size_t before = session->findings.n;
        int rc = checks[i].run(doctor, err);
        if (!session->json)
            print_findings(session->out, checks[i].title, &session->findings, before);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static json_t *json_of_doctor(const Doctor *doctor)
{
    const Session *session = doctor->session;
    json_t *repository = session->repo ? json_pack("{s:o, s:s}", "id", json_text(repo_id(session->repo)), "cipher",
                                                   repo_is_encrypted(session->repo) ? "age" : "none")
                                       : json_null();
    return json_pack("{s:o, s:b, s:o}", "location", json_text(store_name(session->store)), "reached", doctor->reached,
                     "repository", repository);
}

int command_doctor(Session *session, Error *err)
{
    Doctor doctor = {.session = session, .findings = &session->findings};
    if (session_open_store(session, false, err) < 0)
        return -1;
    session->findings_told = !session->json;
    int rc = run_checks(&doctor, err);
    if (rc == 0 && session->json)
        session_set(session, "doctor", json_of_doctor(&doctor));
    manifest_free(doctor.newest);
    return rc;
}
