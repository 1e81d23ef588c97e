#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "verify_priv.h"

enum { NAMES_MAX = 1000, SHOWN_BACKUPS = 3, SHOWN_AFFECTED = 10, OTHER_FINDINGS_MAX = 100 };

/* A bad sector is a damage of what lies on it; other errors of the system, of the network or of rights are not. With an
 * identity that fits the repository, an object that it cannot decrypt is not what was stored. */
bool verify_is_damage(const Verify *verify, const Error *why)
{
    if (why->code == ERR_KEY)
        return repo_can_read(verify->repo);
    return error_is_unreadable(why) || why->code == ERR_NOT_FOUND || why->sys_errno == EIO;
}

void verify_damage_locked(Verify *verify, size_t blob, const char *code, const Error *why)
{
    VerifyReport *report = verify->report;
    BlobRecord *record = &verify->blobs.v[blob];
    if (record->state & BLOB_BAD)
        return;
    record->state |= BLOB_BAD;
    if (strcmp(code, "blob-missing") == 0)
        report->missing++;
    else
        report->damaged++;
    if (report->n_damages < VERIFY_DAMAGES_MAX)
        report->damages[report->n_damages++] = (VerifyDamage){.blob = blob,
                                                              .code = code,
                                                              .message = xstrdup(why->message),
                                                              .hint = why->hint[0] ? xstrdup(why->hint) : NULL};
}

void verify_damage(Verify *verify, size_t blob, const char *code, const Error *why)
{
    pthread_mutex_lock(&verify->mutex);
    verify_damage_locked(verify, blob, code, why);
    pthread_mutex_unlock(&verify->mutex);
}

void verify_damage_done(VerifyDamage *damage)
{
    free(damage->message);
    free(damage->hint);
    free(damage->indexes);
    strvec_done(&damage->backups.kept);
    strvec_done(&damage->affected.kept);
}

VerifyDamage *verify_damage_of(Verify *verify, size_t blob)
{
    for (size_t i = 0; i < verify->report->n_damages; i++)
        if (verify->report->damages[i].blob == blob)
            return &verify->report->damages[i];
    return NULL;
}

void verify_name(VerifyNames *names, const char *format, ...)
{
    if (names->more)
        return;
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *name = xvasprintf(words_get(format), args);
    va_end(args);
    if (strvec_contains(&names->kept, name))
        return;
    if (names->kept.n == NAMES_MAX)
        names->more = true;
    else
        strvec_push(&names->kept, name);
}

void verify_finding(Verify *verify, const char *code, const char *hint, const char *format, ...)
{
    if (++verify->n_other > OTHER_FINDINGS_MAX)
        return;
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *message = xvasprintf(words_get(format), args);
    va_end(args);
    findings_add(verify->findings, FINDING_ERROR, code, hint, "%s", message);
}

/* "a, b and 3 more" */
static char *join(const VerifyNames *names, size_t shown)
{
    Buf text = BUF_INIT(1024 * 1024);
    size_t n = names->kept.n;
    for (size_t i = 0; i < n && i < shown; i++)
        buf_printf(&text, NULL, "%s%s", i ? ", " : "", names->kept.v[i]);
    if (n > shown)
        buf_printf(&text, NULL, names->more ? _(" and at least %zu more") : _(" and %zu more"),
                   n - shown + names->more);
    char *joined = xstrdup(buf_str(&text));
    buf_done(&text);
    return joined;
}

static void report_damage(Verify *verify, const VerifyDamage *damage)
{
    _cleanup_free_ char *affected = join(&damage->affected, SHOWN_AFFECTED);
    _cleanup_free_ char *backups = join(&damage->backups, SHOWN_BACKUPS);
    if (damage->affected.kept.n == 0)
        findings_add(verify->findings, FINDING_ERROR, damage->code, damage->hint, "%s; no file or table is affected",
                     damage->message);
    else
        findings_add(
            verify->findings, FINDING_ERROR, damage->code, damage->hint,
            ngettext("%s; affected: %s; in backup %s", "%s; affected: %s; in backups %s", damage->backups.kept.n),
            damage->message, affected, backups);
}

void verify_report_damages(Verify *verify)
{
    const VerifyReport *report = verify->report;
    for (size_t i = 0; i < report->n_damages; i++)
        report_damage(verify, &report->damages[i]);
    uint64_t all = report->missing + report->damaged;
    if (all > report->n_damages)
        findings_add(verify->findings, FINDING_ERROR, "blobs-more", NULL, "%ju more blobs are missing or damaged",
                     (uintmax_t)(all - report->n_damages));
    if (verify->n_other > OTHER_FINDINGS_MAX)
        findings_add(verify->findings, FINDING_ERROR, "findings-more", NULL,
                     "%zu more findings about tables, indexes and backups", verify->n_other - OTHER_FINDINGS_MAX);
}
