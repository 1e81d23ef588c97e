#include "notices.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "path.h"

/* Counts one more of this kind; whether it is among those that are named. */
static bool count(Notices *notices, Severity severity, const char *code)
{
    bool named = true;
    pthread_mutex_lock(&notices->mutex);
    for (size_t i = 0; i < NOTICES_KINDS; i++) {
        if (notices->kinds[i].code && strcmp(notices->kinds[i].code, code) != 0)
            continue;
        notices->kinds[i].code = code;
        notices->kinds[i].severity = severity;
        named = ++notices->kinds[i].count <= NOTICES_NAMED;
        break;
    }
    pthread_mutex_unlock(&notices->mutex);
    return named;
}

void notices_add(Notices *notices, Severity severity, const char *code, const char *hint, const char *path,
                 const char *what, const char *reason)
{
    if (!count(notices, severity, code))
        return;
    _cleanup_free_ char *name = path_display(path);
    findings_add(notices->findings, severity, code, hint, "\"%s\" %s%s%s", name, words_get(what), reason ? ": " : "",
                 reason ? words_get(reason) : "");
}

void notices_finish(Notices *notices)
{
    for (size_t i = 0; i < NOTICES_KINDS && notices->kinds[i].code; i++)
        if (notices->kinds[i].count > NOTICES_NAMED)
            findings_add(notices->findings, notices->kinds[i].severity, notices->kinds[i].code, NULL,
                         "%" PRIu64 " more findings of this kind (%s) are not listed",
                         notices->kinds[i].count - NOTICES_NAMED, notices->kinds[i].code);
}
