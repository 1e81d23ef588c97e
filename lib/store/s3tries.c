/* Each trait is tried on objects of our own; none is inferred from the server's name. */
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "s3probe.h"
#include "s3retry.h"
#include "s3walk.h"

#define note(probe, code, ...) findings_add((probe)->findings, FINDING_NOTE, code, NULL, __VA_ARGS__)

static void failed(S3Probe *probe, const char *code, const Error *why)
{
    findings_add(probe->findings, FINDING_ERROR, code, why->hint[0] ? why->hint : NULL, "%s", why->message);
}

static char *key_of(const S3Probe *probe, const char *name)
{
    return xasprintf("%s%s", probe->dir, name);
}

static int put(S3Probe *probe, const char *name, const char *text, Error *err)
{
    _cleanup_free_ char *key = key_of(probe, name);
    S3Outcome outcome;
    int rc = s3_put_once(probe->s3, key, text, strlen(text), false, &outcome, err);
    bool there = rc == 0 || outcome.ambiguous || s3retry_ambiguous(&outcome.answer); /* or perhaps there */
    if (there && !strvec_contains(&probe->keys, key))
        strvec_push(&probe->keys, key);
    if (rc == 0)
        memcpy(probe->expiration, outcome.answer.expiration, sizeof probe->expiration);
    return rc;
}

static bool holds(S3Probe *probe, const char *name, uint64_t offset, uint64_t length, const char *text, Error *err)
{
    _cleanup_free_ char *key = key_of(probe, name);
    _cleanup_(buf_done) Buf there = BUF_INIT(1024);
    if (s3_get(&probe->s3->store, key, offset, length, &there, err) < 0)
        return false;
    if (strcmp(buf_str(&there), text) == 0)
        return true;
    error_set(err, ERR_SERVER, "GET \"%s\": the server gives other bytes than those that were stored", key);
    return false;
}

static void try_conditional_put(S3Probe *probe)
{
    _cleanup_free_ char *key = key_of(probe, "a");
    S3Outcome outcome;
    Error why = ERROR_INIT;
    int rc = s3_put_once(probe->s3, key, "replaced", 8, true, &outcome, &why);
    if (rc < 0 && why.code == ERR_EXISTS)
        note(probe, "s3-conditional-put", "the server itself refuses to replace an object that must be new");
    else if (rc < 0 && why.code == ERR_UNSUPPORTED)
        note(probe, "s3-conditional-put",
             "the server knows no conditional PUT: kura looks before it puts, which two runs in the same instant "
             "escape");
    else if (rc < 0)
        failed(probe, "s3-conditional-put", &why);
    else
        findings_add(probe->findings, FINDING_WARNING, "s3-conditional-put",
                     "kura looks before it puts, so that only two runs in the same instant could replace each other's "
                     "objects. Do not run kura init from two hosts at once.",
                     "the server ignores the condition of a conditional PUT and replaces the object");
}

static void try_reading(S3Probe *probe)
{
    Error why = ERROR_INIT;
    if (!holds(probe, "a", 0, UINT64_MAX, "0123456789", &why))
        failed(probe, "s3-get", &why);
    else if (!holds(probe, "a", 3, 4, "3456", &why))
        failed(probe, "s3-range", &why);
    else
        note(probe, "s3-range", "objects and parts of them are read as they were written");
}

static void try_replacing(S3Probe *probe)
{
    Error why = ERROR_INIT;
    if (put(probe, "a", "another text", &why) < 0)
        findings_add(probe->findings, FINDING_WARNING, "s3-overwrite",
                     "A lock cannot be renewed: a run that takes longer than a lock lives is not protected from prune.",
                     "objects cannot be replaced: %s", why.message);
    else if (!holds(probe, "a", 0, UINT64_MAX, "another text", &why))
        findings_add(probe->findings, FINDING_WARNING, "s3-overwrite",
                     "Some cache stands before the storage; locks may be judged by old contents.",
                     "a replaced object is not seen at once: %s", why.message);
    else
        note(probe, "s3-overwrite", "a replaced object is seen at once");
}

static int list_by_pages(S3Probe *probe, const char *prefix, Buf *names, Error *err)
{
    _cleanup_free_ char *token = NULL;
    for (int pages = 0; pages < 10; pages++) {
        _cleanup_(s3page_done) S3Page page = {0};
        S3Outcome outcome;
        if (s3_list_page(probe->s3, prefix, token, "2", &page, &outcome, err) < 0)
            return -1;
        for (size_t i = 0; i < page.n; i++)
            if (buf_printf(names, err, "%s ", strrchr(page.v[i].key, '/') + 1) < 0)
                return -1;
        if (!page.truncated)
            return 0;
        free(token);
        token = steal(page.token);
    }
    return error_set(err, ERR_SERVER, "the list of three objects does not end");
}

static void try_listing(S3Probe *probe)
{
    _cleanup_(buf_done) Buf names = BUF_INIT(4096);
    _cleanup_free_ char *prefix = key_of(probe, "list/");
    Error why = ERROR_INIT;
    if (put(probe, "list/1", "x", &why) < 0 || put(probe, "list/2", "x", &why) < 0 ||
        put(probe, "list/3", "x", &why) < 0)
        failed(probe, "s3-put", &why);
    else if (list_by_pages(probe, prefix, &names, &why) < 0)
        failed(probe, "s3-list", &why);
    else if (strcmp(buf_str(&names), "1 2 3 ") != 0)
        findings_add(probe->findings, FINDING_ERROR, "s3-list",
                     "kura finds backups and locks by listing. Use a server that lists what was just stored, in order.",
                     "the new objects \"1 2 3 \" are listed as \"%s\"", buf_str(&names));
    else
        note(probe, "s3-list", "new objects are listed at once, in order and page by page");
}

static void tell_delete(S3Probe *probe)
{
    if (probe->protected)
        note(probe, "s3-delete",
             "this key may delete objects, and Object Lock keeps them until their retention is over");
    else if (probe->versioned)
        findings_add(
            probe->findings, FINDING_WARNING, "s3-delete",
            "Old versions save you as long as this key may not delete versions (s3:DeleteObjectVersion). Better "
            "give the backup host a key that may only put, get and list, and run prune elsewhere.",
            "this key may delete old backups");
    else
        findings_add(
            probe->findings, FINDING_WARNING, "s3-delete",
            "Who breaks into the backup host can destroy all backups. Give it a key that may only put, get and "
            "list, and run prune from another host with another key; or switch on Object Lock.",
            "this key may delete old backups");
}

void s3probe_delete(S3Probe *probe)
{
    _cleanup_free_ char *key = key_of(probe, "a");
    Store *store = &probe->s3->store;
    Error why = ERROR_INIT;
    uint64_t size;
    if (s3_delete(store, key, &why) < 0) {
        if (why.code == ERR_PERMISSION)
            note(probe, "s3-delete",
                 "this key may not delete: right for backup and restore; prune must run elsewhere, with another key");
        else
            failed(probe, "s3-delete", &why);
        return;
    }
    if (s3_head(store, key, &size, &why) == 0)
        findings_add(probe->findings, FINDING_ERROR, "s3-delete", "prune would free no space here.",
                     "the server says that it deleted an object, and still has it");
    else
        tell_delete(probe);
}

void s3probe_objects(S3Probe *probe)
{
    void (*const tries[])(S3Probe *) = {try_reading, try_conditional_put, try_replacing, try_listing};
    Error why = ERROR_INIT;
    if (put(probe, "a", "0123456789", &why) < 0) {
        failed(probe, "s3-put", &why);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(tries) && stop_check(NULL) == 0; i++)
        tries[i](probe);
}
