#include "kura/hostfacts.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/proc.h"

enum { FILE_MAX_BYTES = 16 * 1024, LOCALES_MAX = 256 * 1024, MAJOR_MIN = 9, MAJOR_MAX = 99 };

static char *path_below(const char *root, const char *path)
{
    return xasprintf("%s%s", root ? root : "", path);
}

/* The beginning of a small regular file; NULL: there is none. */
static char *read_text(const char *root, const char *path)
{
    _cleanup_free_ char *whole = path_below(root, path);
    _cleanup_close_ int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return NULL;
    char *text = xmalloc(FILE_MAX_BYTES + 1);
    ssize_t n = read(fd, text, FILE_MAX_BYTES);
    text[n < 0 ? 0 : n] = 0;
    return text;
}

/* PRETTY_NAME of os-release(5); its escapes do not occur in names. */
static char *os_name(const char *root)
{
    static const char key[] = "PRETTY_NAME=";
    _cleanup_free_ char *text = read_text(root, "/etc/os-release");
    for (char *line = text; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        char *value = line + strlen(key);
        size_t len = strcspn(value, "\n");
        if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value)
            return xstrndup(value + 1, len - 2);
        return xstrndup(value, len);
    }
    return NULL;
}

static char *time_zone(const char *root)
{
    static const char zones[] = "/zoneinfo/";
    char target[1024];
    _cleanup_free_ char *link = path_below(root, "/etc/localtime");
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = 0;
    const char *name = strstr(target, zones);
    if (name)
        return xstrdup(name + strlen(zones));
    _cleanup_free_ char *text = read_text(root, "/etc/timezone");
    size_t len = text ? strcspn(text, "\n") : 0;
    return len ? xstrndup(text, len) : NULL;
}

/* Majors in which /usr/lib/postgresql has this program. */
static void find_majors(const char *root, const char *program, StrVec *ret)
{
    for (int major = MAJOR_MIN; major <= MAJOR_MAX; major++) {
        _cleanup_free_ char *path = xasprintf("%s/usr/lib/postgresql/%d/bin/%s", root ? root : "", major, program);
        if (access(path, X_OK) == 0)
            strvec_pushf(ret, "%d", major);
    }
}

static void find_locales(StrVec *ret)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(LOCALES_MAX);
    const ProcSpec spec = {.argv = (const char *const[]){"locale", "-a", NULL}, .pipe_stdout = true};
    if (proc_run(&spec, &text, NULL) < 0)
        return;
    for (const char *line = buf_str(&text); *line;) {
        size_t len = strcspn(line, "\n");
        _cleanup_free_ char *name = xstrndup(line, len);
        strvec_push(ret, name);
        line += len + (line[len] == '\n');
    }
}

void hostfacts_read(const char *root, HostFacts *ret)
{
    *ret = (HostFacts){
        .os = os_name(root),
        .libc = xasprintf("glibc %s", gnu_get_libc_version()),
        .timezone = time_zone(root),
    };
    find_majors(root, "postgres", &ret->servers);
    find_majors(root, "pg_dump", &ret->clients);
    if (root == NULL)
        find_locales(&ret->locales);
}

void hostfacts_done(HostFacts *facts)
{
    if (facts == NULL)
        return;
    free(facts->os);
    free(facts->libc);
    free(facts->timezone);
    strvec_done(&facts->locales);
    strvec_done(&facts->servers);
    strvec_done(&facts->clients);
    *facts = (HostFacts){0};
}

/* As glibc itself compares them: letters and digits of the encoding, in any case. */
static bool same_locale(const char *a, const char *b)
{
    size_t len = strcspn(a, ".");
    if (strcspn(b, ".") != len || strncmp(a, b, len) != 0)
        return false;
    for (a += len, b += len;; a++, b++) {
        while (*a && *a != '@' && !isalnum((unsigned char)*a))
            a++;
        while (*b && *b != '@' && !isalnum((unsigned char)*b))
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == 0)
            return true;
    }
}

bool hostfacts_has_locale(const HostFacts *facts, const char *name)
{
    for (size_t i = 0; i < facts->locales.n; i++)
        if (same_locale(facts->locales.v[i], name))
            return true;
    return strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}
