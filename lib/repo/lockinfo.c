#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "lock_priv.h"

/* The first line of a small file under /proc, or "". */
static void read_line(const char *path, char *line, size_t size)
{
    line[0] = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fgets(line, (int)size, file) == NULL)
        line[0] = 0;
    line[strcspn(line, "\n")] = 0;
    fclose(file);
}

/* When a process was started, in the kernel's ticks; 0 when that may not be known. It is the 22nd field of the line,
 * the 20th behind the program's name in parentheses, which may hold anything. */
static unsigned long long start_time(int64_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    read_line(path, line, sizeof line);
    const char *field = strrchr(line, ')');
    for (int i = 0; field && i < 20; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field + 1, NULL, 10) : 0;
}

/* Names this boot of this host and this process namespace: containers share host names, and then their process numbers
 * mean nothing to each other. "" where /proc does not tell. */
static char *process_space(void)
{
    char boot[64], space[64];
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (boot[0] == 0 || n <= 0)
        return xstrdup("");
    space[n] = 0;
    return xasprintf("%s/%s/", boot, space);
}

static char *self_process(void)
{
    _cleanup_free_ char *space = process_space();
    return space[0] ? xasprintf("%s%llu", space, start_time(getpid())) : xstrdup("");
}

static char *user_name(void)
{
    struct passwd entry, *found = NULL;
    char scratch[4096];
    if (getpwuid_r(geteuid(), &entry, scratch, sizeof scratch, &found) == 0 && found)
        return xstrdup(found->pw_name);
    return xasprintf("uid %u", geteuid());
}

void lockinfo_init_self(LockInfo *info, bool exclusive, const char *purpose, time_t now, time_t expires)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    *info = (LockInfo){
        .exclusive = exclusive,
        .purpose = xstrdup(purpose),
        .host = xstrdup(host),
        .user = user_name(),
        .pid = getpid(),
        .process = self_process(),
        .created = now,
        .expires = expires,
    };
}

void lockinfo_done(LockInfo *info)
{
    free(info->purpose);
    free(info->host);
    free(info->user);
    free(info->process);
    *info = (LockInfo){0};
}

static void set_moment(json_t *object, const char *key, time_t moment)
{
    char text[32];
    clock_format_utc(moment, text, sizeof text);
    json_set_text(object, key, text);
}

int lockinfo_format(const LockInfo *info, Buf *out, Error *err)
{
    _cleanup_(json_unref) json_t *json = jsondoc_new("lock");
    json_set_bool(json, "exclusive", info->exclusive);
    json_set_text(json, "purpose", info->purpose);
    json_set_text(json, "host", info->host);
    json_set_text(json, "user", info->user);
    json_set_u64(json, "pid", (uint64_t)info->pid);
    json_set_text(json, "process", info->process);
    set_moment(json, "created", info->created);
    set_moment(json, "expires", info->expires);
    return jsondoc_format(json, out, err);
}

static int read_moment(const JsonNode *root, const char *key, time_t *ret, Error *err)
{
    _cleanup_free_ char *text = NULL;
    if (jnode_text(root, key, &text, err) < 0)
        return -1;
    *ret = clock_parse_utc(text);
    return *ret >= 0 ? 0 : jnode_fail(root, err, "has a member \"%s\" that is no moment", key);
}

static int read_lock(const JsonNode *root, LockInfo *ret, Error *err)
{
    if (jnode_bool(root, "exclusive", &ret->exclusive, err) < 0 ||
        jnode_text(root, "purpose", &ret->purpose, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        jnode_text(root, "user", &ret->user, err) < 0 || jnode_int(root, "pid", 1, INT32_MAX, &ret->pid, err) < 0 ||
        jnode_text(root, "process", &ret->process, err) < 0 || read_moment(root, "created", &ret->created, err) < 0)
        return -1;
    return read_moment(root, "expires", &ret->expires, err);
}

int lockinfo_parse(const Buf *text, LockInfo *ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    LockInfo info = {0};
    if (jsondoc_parse(text->data, text->len, "lock", &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (read_lock(&root, &info, err) < 0) {
        lockinfo_done(&info);
        return -1;
    }
    *ret = info;
    return 0;
}

bool lockinfo_holder_gone(const LockInfo *info)
{
    _cleanup_free_ char *space = process_space();
    if (space[0] == 0 || strncmp(info->process, space, strlen(space)) != 0)
        return false;
    if (kill((pid_t)info->pid, 0) < 0 && errno == ESRCH)
        return true;
    /* The number may have gone to another process since. */
    unsigned long long now = start_time(info->pid), then = strtoull(info->process + strlen(space), NULL, 10);
    return now != 0 && then != 0 && now != then;
}
