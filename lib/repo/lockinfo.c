#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "kura/hash.h"
#include "kura/mem.h"
#include "lock_priv.h"

enum {
    LIFETIME_BEFORE = 2 * 3600, /* of locks that do not tell theirs */
    LIFETIME_MAX = 24 * 3600,
};

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

/* The firmware's name of the machine and the system's: clones of a machine may share one of them, hardly both. Only
 * root may know the former. */
static char *machine_name(void)
{
    char firmware[64], installed[64], both[136], hash[SHA256_HEX_SIZE];
    read_line("/sys/class/dmi/id/product_uuid", firmware, sizeof firmware);
    read_line("/etc/machine-id", installed, sizeof installed);
    if (firmware[0] == 0 || installed[0] == 0)
        return xstrdup("");
    int len = snprintf(both, sizeof both, "kura %s %s", firmware, installed);
    sha256_hex(both, (size_t)len, hash);
    return xstrndup(hash, 32);
}

void lockinfo_init_self(LockInfo *info, const LockWish *wish)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    *info = (LockInfo){
        .exclusive = wish->exclusive,
        .purpose = xstrdup(wish->purpose),
        .app = xstrdup_null(wish->app),
        .host = xstrdup(host),
        .user = user_name(),
        .pid = getpid(),
        .process = self_process(),
        .machine = machine_name(),
    };
}

void lockinfo_done(LockInfo *info)
{
    free(info->purpose);
    free(info->app);
    free(info->host);
    free(info->user);
    free(info->process);
    free(info->machine);
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
    json_set_text(json, "app", info->app);
    json_set_text(json, "host", info->host);
    json_set_text(json, "user", info->user);
    json_set_u64(json, "pid", (uint64_t)info->pid);
    json_set_text(json, "process", info->process);
    json_set_text(json, "machine", info->machine);
    set_moment(json, "created", info->created);
    set_moment(json, "expires", info->expires);
    json_set_u64(json, "lifetime", (uint64_t)info->lifetime);
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

/* Of a member that older locks do not have. */
static int read_later_text(const JsonNode *root, const char *key, char **ret, Error *err)
{
    return json_object_get(root->json, key) ? jnode_text_or_null(root, key, ret, err) : 0;
}

static int read_lifetime(const JsonNode *root, time_t *ret, Error *err)
{
    int64_t seconds = LIFETIME_BEFORE;
    if (json_object_get(root->json, "lifetime") && jnode_int(root, "lifetime", 1, LIFETIME_MAX, &seconds, err) < 0)
        return -1;
    *ret = seconds;
    return 0;
}

static int read_lock(const JsonNode *root, LockInfo *ret, Error *err)
{
    if (jnode_bool(root, "exclusive", &ret->exclusive, err) < 0 ||
        jnode_text(root, "purpose", &ret->purpose, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        jnode_text(root, "user", &ret->user, err) < 0 || jnode_int(root, "pid", 1, INT32_MAX, &ret->pid, err) < 0 ||
        jnode_text(root, "process", &ret->process, err) < 0 || read_later_text(root, "app", &ret->app, err) < 0 ||
        read_later_text(root, "machine", &ret->machine, err) < 0 || read_lifetime(root, &ret->lifetime, err) < 0 ||
        read_moment(root, "created", &ret->created, err) < 0)
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

bool lockinfo_before_boot(const LockInfo *info, const LockInfo *self)
{
    size_t boot = strcspn(self->process, "/");
    return info->machine && info->machine[0] && strcmp(info->machine, self->machine) == 0 &&
           strcmp(info->host, self->host) == 0 && info->process[0] && boot > 0 &&
           strncmp(info->process, self->process, boot + 1) != 0;
}

static bool is_before_boot(const LockInfo *info)
{
    _cleanup_(lockinfo_done) LockInfo self = {0};
    lockinfo_init_self(&self, &(LockWish){.purpose = ""});
    return lockinfo_before_boot(info, &self);
}

LockHolder lockinfo_holder(const LockInfo *info)
{
    _cleanup_free_ char *space = process_space();
    if (space[0] == 0 || strncmp(info->process, space, strlen(space)) != 0)
        return is_before_boot(info) ? HOLDER_GONE : HOLDER_UNKNOWN;
    if (kill((pid_t)info->pid, 0) < 0 && errno == ESRCH)
        return HOLDER_GONE;
    /* The number may have gone to another process since. */
    unsigned long long now = start_time(info->pid), then = strtoull(info->process + strlen(space), NULL, 10);
    if (now == 0 || then == 0)
        return HOLDER_UNKNOWN;
    return now == then ? HOLDER_ALIVE : HOLDER_GONE;
}
