#include "rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kura/buf.h"
#include "kura/mem.h"

enum { RULES_MAX = 64, WORDS_MAX = 8, LINE_BYTES = 1024 };

typedef enum When { WHEN_ALWAYS, WHEN_FIRST, WHEN_NTH, WHEN_EVERY, WHEN_ONCE } When;

typedef struct Rule {
    char methods[64];
    char target[512];
    When when;
    long count; /* of WHEN_FIRST, WHEN_NTH, WHEN_EVERY */
    long seen;
    StrVec known; /* of WHEN_ONCE: what was seen */
    Fault fault;
} Rule;

struct Rules {
    pthread_mutex_t mutex;
    const char *path;
    struct stat read; /* the file as it was read */
    Rule rule[RULES_MAX];
    size_t n;
};

static const struct {
    const char *word;
    FaultKind kind;
    const char *arguments;
} faults[] = {
#define FAULT(word, kind, arguments) {word, kind, arguments},
    FAULTS
#undef FAULT
};

Rules *rules_new(const char *path)
{
    Rules *rules = xcalloc(1, sizeof *rules);
    pthread_mutex_init(&rules->mutex, NULL);
    rules->path = path;
    return rules;
}

static bool parse_number(const char *text, long *ret)
{
    char *end;
    errno = 0;
    *ret = text ? strtol(text, &end, 10) : 0;
    return text && *text && *end == '\0' && errno == 0;
}

static bool copy(char *out, size_t size, const char *text)
{
    return text && snprintf(out, size, "%s", text) < (int)size;
}

static bool parse_when(char *text, Rule *rule)
{
    static const char *const words[] = {"always", "first", "nth", "every", "once"};
    char *count = strchr(text, ':');
    if (count)
        *count++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        rule->when = (When)i;
        bool counted = i != WHEN_ALWAYS && i != WHEN_ONCE;
        return counted ? parse_number(count, &rule->count) && rule->count > 0 : count == NULL;
    }
    return false;
}

static bool parse_fault(char **words, Fault *fault)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(faults) && strcmp(words[0], faults[i].word) != 0)
        i++;
    if (i == ARRAY_SIZE(faults))
        return false;
    fault->kind = faults[i].kind;
    fault->word = faults[i].word;
    words++;
    for (const char *argument = faults[i].arguments; *argument; argument++) {
        bool good = *argument == 'n'   ? parse_number(*words, &fault->number)
                    : *argument == 't' ? copy(fault->text, sizeof fault->text, *words)
                                       : *words == NULL || parse_number(*words, &fault->seconds);
        if (!good)
            return false;
        words += *words != NULL;
    }
    return *words == NULL;
}

static bool parse_rule(char *line, Rule *rule)
{
    char *words[WORDS_MAX + 1] = {NULL}, *rest = NULL;
    size_t n = 0;
    for (char *word = strtok_r(line, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
        if (n == WORDS_MAX)
            return false;
        words[n++] = word;
    }
    return n >= 4 && copy(rule->methods, sizeof rule->methods, words[0]) &&
           copy(rule->target, sizeof rule->target, words[1]) && parse_when(words[2], rule) &&
           parse_fault(words + 3, &rule->fault);
}

static void clear(Rules *rules)
{
    for (size_t i = 0; i < rules->n; i++)
        strvec_done(&rules->rule[i].known);
    memset(rules->rule, 0, sizeof rules->rule);
    rules->n = 0;
}

static int parse_file(Rules *rules, FILE *file, Error *err)
{
    char line[LINE_BYTES];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
            continue;
        if (rules->n == RULES_MAX || !parse_rule(line, &rules->rule[rules->n++]))
            return error_set(err, ERR_FAILED, "\"%s\", line %u is no rule", rules->path, number);
    }
    return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int read_again(Rules *rules, Error *err)
{
    struct stat now = {0};
    if (stat(rules->path, &now) < 0 && errno != ENOENT)
        return error_errno(err, errno, "reading \"%s\"", rules->path);
    if (same_file(&now, &rules->read))
        return 0;
    clear(rules);
    rules->read = now;
    FILE *file = fopen(rules->path, "r");
    if (file == NULL)
        return errno == ENOENT ? 0 : error_errno(err, errno, "reading \"%s\"", rules->path);
    int status = parse_file(rules, file, err);
    fclose(file);
    return status;
}

static bool method_fits(const char *methods, const char *method)
{
    size_t len = strlen(method);
    for (const char *p = methods; *p; p += strcspn(p, "|"), p += *p == '|') {
        if (strcmp(p, "*") == 0 || (strcspn(p, "|") == len && memcmp(p, method, len) == 0))
            return true;
    }
    return false;
}

static bool is_new(Rule *rule, const char *method, const char *target)
{
    _cleanup_free_ char *request = xasprintf("%s %s", method, target);
    if (strvec_contains(&rule->known, request))
        return false;
    strvec_push(&rule->known, request);
    return true;
}

static bool fires(Rule *rule, const char *method, const char *target)
{
    if (!method_fits(rule->methods, method) || fnmatch(rule->target, target, 0) != 0)
        return false;
    rule->seen++;
    switch (rule->when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_FIRST:
        return rule->seen <= rule->count;
    case WHEN_NTH:
        return rule->seen == rule->count;
    case WHEN_EVERY:
        return rule->seen % rule->count == 0;
    case WHEN_ONCE:
        return is_new(rule, method, target);
    }
    return false;
}

int rules_apply(Rules *rules, const char *method, const char *target, Fault *ret, Error *err)
{
    *ret = (Fault){.word = "-"};
    pthread_mutex_lock(&rules->mutex);
    int status = read_again(rules, err);
    for (size_t i = 0; status == 0 && i < rules->n; i++) {
        if (fires(&rules->rule[i], method, target)) {
            *ret = rules->rule[i].fault;
            break;
        }
    }
    pthread_mutex_unlock(&rules->mutex);
    return status;
}
