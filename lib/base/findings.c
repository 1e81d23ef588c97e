#include "kura/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "kura/mem.h"
#include "kura/words.h"

void findings_add(Findings *findings, Severity severity, const char *code, const char *hint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = xvasprintf(words_get(format), args);
    va_end(args);
    pthread_mutex_lock(&findings->mutex);
    xgrow(&findings->v, &findings->cap, findings->n);
    findings->v[findings->n++] =
        (Finding){.severity = severity, .code = xstrdup(code), .message = message, .hint = xstrdup_null(words_get(hint))};
    pthread_mutex_unlock(&findings->mutex);
}

size_t findings_count(const Findings *findings, Severity at_least)
{
    size_t count = 0;
    for (size_t i = 0; i < findings->n; i++)
        count += findings->v[i].severity >= at_least;
    return count;
}

void findings_done(Findings *findings)
{
    if (findings == NULL)
        return;
    for (size_t i = 0; i < findings->n; i++) {
        free(findings->v[i].code);
        free(findings->v[i].message);
        free(findings->v[i].hint);
    }
    free(findings->v);
    findings->v = NULL;
    findings->n = findings->cap = 0;
}
