#include "kura/priority.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kura/mem.h"

enum { LEVEL_DEFAULT = 4, LEVEL_MAX = 7, NICE_MAX = 19 };

static const struct {
    const char *name;
    int class;
} classes[] = {
    {"idle", IOPRIO_CLASS_IDLE},
    {"best-effort", IOPRIO_CLASS_BE},
    {"realtime", IOPRIO_CLASS_RT},
};

int priority_nice(int nice, Error *err)
{
    if (nice < 1 || nice > NICE_MAX)
        return error_set(err, ERR_USAGE, "--nice %d: a whole number from 1 to %d is needed", nice, NICE_MAX);
    if (getpriority(PRIO_PROCESS, 0) < nice && setpriority(PRIO_PROCESS, 0, nice) < 0)
        return error_set(err, ERR_FAILED, "the system does not give the process priority %d", nice);
    return 0;
}

static int not_one(const char *text, Error *err)
{
    error_set(err, ERR_USAGE, "\"%s\" is no priority for the disk", text);
    return error_hint(err, "Give idle, best-effort or realtime, the latter two with a level such as best-effort:7.");
}

int priority_ionice(const char *text, Error *err)
{
    size_t len = strcspn(text, ":");
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (strlen(classes[i].name) != len || memcmp(classes[i].name, text, len) != 0)
            continue;
        int level = LEVEL_DEFAULT;
        if (text[len]) {
            if (classes[i].class == IOPRIO_CLASS_IDLE || text[len + 1] < '0' || text[len + 1] > '0' + LEVEL_MAX ||
                text[len + 2])
                return not_one(text, err);
            level = text[len + 1] - '0';
        }
        if (classes[i].class == IOPRIO_CLASS_IDLE)
            level = 0;
        if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(classes[i].class, level)) == 0)
            return 0;
        return error_errno(err, errno, "the system does not give the priority \"%s\" for the disk", text);
    }
    return not_one(text, err);
}
