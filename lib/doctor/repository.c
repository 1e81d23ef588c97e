/* The storage, the repository in it, and what is in that. */
#include <string.h>
#include <time.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/text.h"
#include "kura/words.h"

#define note(scene, code, ...) findings_add((scene)->findings, FINDING_NOTE, code, NULL, __VA_ARGS__)

static bool has_storage(DoctorScene *scene)
{
    if (scene->store == NULL)
        doctor_skip(scene, "no repository is named");
    else if (!scene->reached)
        doctor_skip(scene, "the storage cannot be used");
    return scene->reached;
}

int check_storage(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    if (scene->store == NULL)
        return doctor_skip(scene, "no repository is named");
    scene->reached = store_probe(scene->store, scene->findings, &why) == 0;
    return scene->reached ? 0 : doctor_report_error(scene, "storage", &why, err);
}

/* ---- the repository ---- */

static void tell_key_file(DoctorScene *scene)
{
    const Repo *repo = scene->repo;
    _cleanup_free_ char *path = text_escaped(repo_key_file(repo) ? repo_key_file(repo) : "");
    switch (repo_pinning(repo)) {
    case REPO_PINNED_SAME:
        note(scene, "key-file", "the key file \"%s\" lets this host make backups", path);
        break;
    case REPO_PINNED_NONE:
        findings_add(scene->findings, FINDING_NOTE, "key-file",
                     "That is right for a host that only restores. \"kura key pin\" with an identity makes one.",
                     "this host has no key file of the repository: it can make no backups");
        break;
    case REPO_PINNED_OTHER:
        findings_add(scene->findings, FINDING_ERROR, "recipients-changed",
                     "Look at them with \"kura key list\"; \"kura key pin\" accepts them.",
                     "the repository has other recipients than those this host trusts: it will make no backups");
        break;
    }
}

/* Opens it once more, for what needs keys. Without any there is nothing to complain of. */
static int open_inside(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    Repo *repo;
    if (!scene->has_identity && repo_is_encrypted(scene->repo) && repo_pinning(scene->repo) == REPO_PINNED_NONE) {
        findings_add(scene->findings, FINDING_NOTE, "no-key", "Give --identity to look at them too.",
                     "newest backup and locks are not looked at, for this host has no key to them");
        return 0;
    }
    if (scene->open_repo(scene->ctx, REPO_READ, &repo, &why) < 0)
        return doctor_report_error(scene, "repository", &why, err);
    repo_close(scene->repo);
    scene->repo = repo;
    scene->inside = true;
    return 0;
}

int check_repository(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    size_t recipients;
    if (!has_storage(scene))
        return 0;
    if (scene->open_repo(scene->ctx, REPO_LOOK, &scene->repo, &why) < 0) {
        if (why.code != ERR_NO_REPOSITORY)
            return doctor_report_error(scene, "repository", &why, err);
        findings_add(scene->findings, FINDING_NOTE, "no-repository", why.hint[0] ? why.hint : NULL, "%s", why.message);
        return 0;
    }
    if (!repo_is_encrypted(scene->repo)) {
        note(scene, "repository", "repository %s, format %d, not encrypted", repo_id(scene->repo), REPO_FORMAT_VERSION);
    } else {
        repo_recipients(scene->repo, &recipients);
        note(scene, "repository",
             ngettext("repository %s, format %d, encrypted for %zu recipient",
                      "repository %s, format %d, encrypted for %zu recipients", recipients),
             repo_id(scene->repo), REPO_FORMAT_VERSION, recipients);
        tell_key_file(scene);
    }
    return open_inside(scene, err);
}

/* ---- what is in it ---- */

enum { FUTURE = 600 /* seconds */ };

static int check_newest(DoctorScene *scene, const char *id, Error *err)
{
    Error why = ERROR_INIT;
    if (manifest_id_moment(id) > time(NULL) + FUTURE)
        findings_add(scene->findings, FINDING_WARNING, "clock",
                     "Set the clock. Backups are ordered by time, and \"latest\" would go on to mean this one.",
                     "the newest backup is of the future: the clock of this host is wrong, or that of the one that "
                     "made it was");
    if (manifest_load(scene->repo, id, &scene->newest, &why) == 0 || why.code == ERR_KEY)
        return 0;
    return doctor_report_error(scene, "backup-unreadable", &why, err);
}

int check_backups(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(strvec_done) StrVec ids = {0};
    if (!doctor_has_repo(scene))
        return 0;
    if (manifest_list(scene->repo, &ids, &why) < 0)
        return doctor_report_error(scene, "backups", &why, err);
    if (ids.n == 0) {
        note(scene, "backups", "there are no backups yet");
        return 0;
    }
    note(scene, "backups", ngettext("%zu backup, the newest is %s", "%zu backups, the newest is %s", ids.n), ids.n,
         ids.v[ids.n - 1]);
    return check_newest(scene, ids.v[ids.n - 1], err);
}

int check_locks(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    if (!doctor_has_repo(scene))
        return 0;
    if (!scene->inside)
        return doctor_skip(scene, "this host has no key to the locks");
    size_t before = scene->findings->n;
    if (repo_lock_survey(scene->repo, scene->findings, &why) < 0)
        return doctor_report_error(scene, "locks", &why, err);
    if (scene->findings->n == before)
        note(scene, "locks", "nobody has locked it");
    return 0;
}

/* ---- space ---- */

enum { FEW_OBJECTS = 10000 };

static void tell_space(DoctorScene *scene, uint64_t bytes, uint64_t objects)
{
    char free_text[TEXT_SIZE], new_text[TEXT_SIZE], count[TEXT_SIZE];
    const Manifest *newest = scene->newest;
    text_bytes(bytes, free_text);
    if (newest != NULL && bytes / 2 < newest->stored_new)
        findings_add(scene->findings, FINDING_WARNING, "space",
                     "Make room, or remove old backups: the next backup may not find enough.",
                     "%s are free, and the newest backup took %s", free_text, text_bytes(newest->stored_new, new_text));
    else if (newest != NULL)
        note(scene, "space", "%s are free; the newest backup took %s", free_text,
             text_bytes(newest->stored_new, new_text));
    else
        note(scene, "space", "%s are free", free_text);
    if (objects < FEW_OBJECTS)
        findings_add(
            scene->findings, FINDING_WARNING, "inodes",
            "A backup of a large site writes thousands of files. Move the repository to a file system with more "
            "inodes.",
            "only %s more files can be made on the file system", text_count(objects, count));
}

int check_store_space(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    uint64_t bytes, objects;
    if (!has_storage(scene))
        return 0;
    if (store_space(scene->store, &bytes, &objects, &why) < 0)
        return why.code == ERR_NOT_FOUND ? doctor_skip(scene, "the directory does not exist yet")
                                         : doctor_report_error(scene, "space", &why, err);
    if (bytes == UINT64_MAX)
        return doctor_skip(scene, "the storage does not tell how much room it has");
    tell_space(scene, bytes, objects);
    return 0;
}
