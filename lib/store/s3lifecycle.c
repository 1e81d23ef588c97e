#include "s3lifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "s3answer.h"
#include "s3xml.h"

enum { RULES_MAX = 10000 };

typedef struct Reader {
    const char *prefix;
    S3Rules *rules;
    bool is_document;
    /* Of the rule that is being read: */
    S3Rule rule;
    bool disabled;
    bool elsewhere; /* it is for other objects */
} Reader;

static void copy(char *to, size_t size, const char *from)
{
    s3answer_copy(to, size, from, strlen(from));
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* A rule for what begins with text: none of ours does, or some. */
static bool misses(const char *prefix, const char *text)
{
    size_t a = strlen(prefix), b = strlen(text);
    return strncmp(prefix, text, a < b ? a : b) != 0;
}

static bool is_archive(const char *class)
{
    return strcmp(class, "GLACIER") == 0 || strcmp(class, "DEEP_ARCHIVE") == 0;
}

static int end_rule(Reader *reader, Error *err)
{
    S3Rules *rules = reader->rules;
    if (rules->n == RULES_MAX)
        return error_set(err, ERR_CORRUPT, "the server tells too many lifecycle rules");
    if (!reader->disabled && !reader->elsewhere) {
        xgrow(&rules->v, &rules->cap, rules->n);
        rules->v[rules->n++] = reader->rule;
    }
    reader->rule = (S3Rule){0};
    reader->disabled = reader->elsewhere = false;
    return 0;
}

static int take_element(void *ctx, const char *path, const char *text, Error *err)
{
    static const char start[] = "LifecycleConfiguration";
    Reader *reader = ctx;
    S3Rule *rule = &reader->rule;
    if (strncmp(path, start, sizeof start - 1) != 0)
        return error_set(err, ERR_CORRUPT, "the server's answer is not about lifecycle rules");
    path += sizeof start - 1;
    if (*path == 0)
        reader->is_document = true;
    else if (strcmp(path, "/Rule") == 0)
        return end_rule(reader, err);
    else if (strcmp(path, "/Rule/ID") == 0)
        copy(rule->id, sizeof rule->id, text);
    else if (strcmp(path, "/Rule/Status") == 0)
        reader->disabled = strcmp(text, "Enabled") != 0;
    else if (strncmp(path, "/Rule/Filter", 12) == 0 && (ends_with(path, "/Tag") || ends_with(path, "/Tag/Key")))
        reader->elsewhere = true;
    else if (ends_with(path, "/Prefix"))
        reader->elsewhere = reader->elsewhere || misses(reader->prefix, text);
    else if (strcmp(path, "/Rule/Expiration/Days") == 0)
        snprintf(rule->expires, sizeof rule->expires, _("after %.9s days"), text);
    else if (strcmp(path, "/Rule/Expiration/Date") == 0)
        snprintf(rule->expires, sizeof rule->expires, _("on %.10s"), text);
    else if (strcmp(path, "/Rule/Transition/StorageClass") == 0 && is_archive(text))
        copy(rule->archives, sizeof rule->archives, text);
    else if (strncmp(path, "/Rule/NoncurrentVersionExpiration", 33) == 0)
        rule->old_versions = true;
    else if (strncmp(path, "/Rule/AbortIncompleteMultipartUpload", 36) == 0)
        rule->ends_uploads = true;
    return 0;
}

int s3rules_parse(const void *data, size_t len, const char *prefix, S3Rules *ret, Error *err)
{
    S3Rules rules = {0};
    Reader reader = {.prefix = prefix, .rules = &rules};
    int rc = s3xml_parse(data, len, take_element, &reader, err);
    if (rc == 0 && !reader.is_document)
        rc = error_set(err, ERR_CORRUPT, "the server's answer is not about lifecycle rules");
    if (rc < 0) {
        s3rules_done(&rules);
        return -1;
    }
    *ret = rules;
    return 0;
}

void s3rules_done(S3Rules *rules)
{
    if (rules == NULL)
        return;
    free(rules->v);
    *rules = (S3Rules){0};
}
