/* What the configuration of a bucket tells. A key for backups rarely may ask for it; then that is said, and no more. */
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "s3lifecycle.h"
#include "s3probe.h"
#include "s3xml.h"

enum { ANSWER_MAX = 1024 * 1024 };

typedef enum Asked { ASKED_KNOWN, ASKED_NOTHING, ASKED_FORBIDDEN, ASKED_UNKNOWN } Asked;

/* GET ?NAME of the bucket. ASKED_NOTHING: there is no such configuration. */
static Asked ask(S3Probe *probe, const char *name, const char *prefix, Buf *out)
{
    const SigV4Pair params[] = {{name, ""}, {"prefix", prefix}};
    const S3Call call = {
        .method = "GET", .shown = name, .params = params, .n_params = prefix ? 2 : 1, .out = out, .xml = true};
    S3Outcome outcome;
    if (s3_request(probe->s3, &call, &outcome, NULL) == 0)
        return ASKED_KNOWN;
    int status = outcome.answer.status;
    return status == 404 ? ASKED_NOTHING : status == 403 ? ASKED_FORBIDDEN : ASKED_UNKNOWN;
}

static void not_told(S3Probe *probe, const char *code, const char *what, Asked asked)
{
    findings_add(probe->findings, FINDING_NOTE, code, NULL, "%s: %s", what,
                 asked == ASKED_FORBIDDEN ? _("this key may not ask") : _("the server does not tell"));
}

/* The text of one element. */
typedef struct Wanted {
    const char *path;
    char *to;
    size_t size;
} Wanted;

typedef struct Reader {
    const char *root;
    Wanted *wanted;
    size_t n;
} Reader;

static int take_element(void *ctx, const char *path, const char *text, Error *err)
{
    const Reader *reader = ctx;
    size_t len = strlen(reader->root);
    if (strncmp(path, reader->root, len) != 0)
        return error_set(err, ERR_CORRUPT, "the server's answer is about something else");
    for (size_t i = 0; i < reader->n; i++)
        if (strcmp(path + len, reader->wanted[i].path) == 0)
            s3answer_copy(reader->wanted[i].to, reader->wanted[i].size, text, strlen(text));
    return 0;
}

static bool read_texts(const Buf *answer, const char *root, Wanted *wanted, size_t n)
{
    Reader reader = {root, wanted, n};
    return s3xml_parse(answer->data, answer->len, take_element, &reader, NULL) == 0;
}

static void look_at_versioning(S3Probe *probe)
{
    _cleanup_(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);
    char status[20] = "";
    Wanted wanted = {"/Status", status, sizeof status};
    Asked asked = ask(probe, "versioning", NULL, &answer);
    if (asked == ASKED_KNOWN && !read_texts(&answer, "VersioningConfiguration", &wanted, 1))
        asked = ASKED_UNKNOWN;
    probe->versioned = strcmp(status, "Enabled") == 0;
    if (asked != ASKED_KNOWN)
        not_told(probe, "s3-versioning", "versioning", asked);
    else if (probe->versioned)
        findings_add(
            probe->findings, FINDING_NOTE, "s3-versioning",
            "Let a lifecycle rule remove versions that are not current any more; otherwise prune frees no space.",
            "the bucket keeps old versions of what is deleted or replaced");
    else
        findings_add(probe->findings, FINDING_NOTE, "s3-versioning", NULL, "the bucket keeps no old versions");
}

static void look_at_object_lock(S3Probe *probe)
{
    _cleanup_(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);
    char enabled[20] = "", mode[20] = "", days[12] = "", years[12] = "";
    Wanted wanted[] = {{"/ObjectLockEnabled", enabled, sizeof enabled},
                       {"/Rule/DefaultRetention/Mode", mode, sizeof mode},
                       {"/Rule/DefaultRetention/Days", days, sizeof days},
                       {"/Rule/DefaultRetention/Years", years, sizeof years}};
    Asked asked = ask(probe, "object-lock", NULL, &answer);
    if (asked == ASKED_KNOWN && !read_texts(&answer, "ObjectLockConfiguration", wanted, ARRAY_SIZE(wanted)))
        asked = ASKED_UNKNOWN;
    probe->protected = mode[0] != 0;
    if (asked == ASKED_FORBIDDEN || asked == ASKED_UNKNOWN)
        not_told(probe, "s3-object-lock", "Object Lock", asked);
    else if (probe->protected)
        findings_add(probe->findings, FINDING_NOTE, "s3-object-lock",
                     "prune frees space only when the retention is over; this test's objects stay as old versions as "
                     "long.",
                     "Object Lock keeps every object (%s, %s: %s)", mode, years[0] ? _("years") : _("days"),
                     years[0] ? years : days);
    else
        findings_add(probe->findings, FINDING_NOTE, "s3-object-lock", NULL,
                     "Object Lock protects no new objects by itself%s",
                     strcmp(enabled, "Enabled") == 0 ? _(": it is enabled, without a default retention") : "");
}

/* Whether a rule removes incomplete uploads. */
static bool tell_rules(S3Probe *probe, const S3Rules *rules)
{
    bool ends_uploads = false, harmless = true;
    for (size_t i = 0; i < rules->n; i++) {
        const S3Rule *rule = &rules->v[i];
        ends_uploads = ends_uploads || rule->ends_uploads;
        harmless = harmless && rule->expires[0] == 0 && rule->archives[0] == 0;
        if (rule->expires[0])
            findings_add(probe->findings, FINDING_ERROR, "s3-lifecycle",
                         "Take the repository's prefix out of this rule: blobs that many backups share are deleted by "
                         "their age, and the newest backup breaks too. prune is what removes backups.",
                         "lifecycle rule \"%s\" of the bucket deletes objects of this repository %s", rule->id,
                         rule->expires);
        if (rule->archives[0])
            findings_add(
                probe->findings, FINDING_ERROR, "s3-lifecycle",
                "Take the repository's prefix out of this rule, or use a storage class that can be read at once.",
                "lifecycle rule \"%s\" of the bucket moves objects of this repository to %s, where restore "
                "cannot read them",
                rule->id, rule->archives);
    }
    if (harmless)
        findings_add(probe->findings, FINDING_NOTE, "s3-lifecycle", NULL, "no lifecycle rule harms this repository");
    return ends_uploads;
}

static bool look_at_lifecycle(S3Probe *probe)
{
    _cleanup_(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);
    _cleanup_(s3rules_done) S3Rules rules = {0};
    Asked asked = ask(probe, "lifecycle", NULL, &answer);
    if (asked == ASKED_KNOWN && s3rules_parse(answer.data, answer.len, probe->s3->location.prefix, &rules, NULL) < 0)
        asked = ASKED_UNKNOWN;
    probe->knows_lifecycle = asked == ASKED_KNOWN || asked == ASKED_NOTHING;
    if (probe->knows_lifecycle)
        return tell_rules(probe, &rules);
    not_told(probe, "s3-lifecycle", _("lifecycle rules"), asked);
    return false;
}

static int count_upload(void *ctx, const char *path, const char *text, Error *err)
{
    (void)text;
    if (strncmp(path, "ListMultipartUploadsResult", 26) != 0)
        return error_set(err, ERR_CORRUPT, "the server's answer is not about uploads");
    *(size_t *)ctx += strcmp(path, "ListMultipartUploadsResult/Upload") == 0;
    return 0;
}

static void look_at_uploads(S3Probe *probe, bool ended)
{
    _cleanup_(buf_done) Buf answer = BUF_INIT(ANSWER_MAX);
    size_t uploads = 0;
    Asked asked = ask(probe, "uploads", probe->s3->location.prefix, &answer);
    if (asked == ASKED_KNOWN && s3xml_parse(answer.data, answer.len, count_upload, &uploads, NULL) < 0)
        asked = ASKED_UNKNOWN;
    if (asked != ASKED_KNOWN)
        not_told(probe, "s3-uploads", _("incomplete multipart uploads"), asked);
    else if (uploads == 0)
        findings_add(probe->findings, FINDING_NOTE, "s3-uploads", NULL, "there are no incomplete multipart uploads");
    else
        findings_add(
            probe->findings, FINDING_WARNING, "s3-uploads",
            ended ? N_("A lifecycle rule removes them after a while; kura makes none.")
                  : N_("They cost space and are in no list of objects; kura makes none. Abort them with the program "
                       "that made them, or let a lifecycle rule do so (AbortIncompleteMultipartUpload)."),
            "incomplete multipart uploads below the repository's prefix: %zu", uploads);
}

void s3probe_bucket(S3Probe *probe)
{
    look_at_versioning(probe);
    look_at_object_lock(probe);
    look_at_uploads(probe, look_at_lifecycle(probe));
}
