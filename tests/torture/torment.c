/* torment: preloaded into a program, it watches what the program writes below some directories: it writes a journal of
 * it, and makes the Nth of these calls fail, write less than asked, or be the last one. Environment:
 *
 *   TORMENT_ROOTS    absolute directories, joined by ':'
 *   TORMENT_JOURNAL  a file outside of them that records are appended to; powerloss.py reads it
 *   TORMENT_FAULT    "N HOW [CALL]", and what happens to the Nth call (of that name) that would change something:
 *                      ENOSPC, EDQUOT, EIO, EINTR   it fails
 *                      ENOSPC+ ..                   it and each later one fails; those that need no space do not
 *                                                   for want of space
 *                      short                        a write writes half of it
 *                      kill, killed                 the process is killed right before, right after it
 *
 * A record is a line and then, for a write, the bytes and another end of line:
 *
 *   NUMBER CALL ERRNO HANDLE OFFSET LENGTH FLAGS PATH [PATH]
 *
 * NUMBER counts the calls that change something, those that fail too; it is 0 for an open that creates nothing. A
 * HANDLE names one opening of a file or directory. Calls are taken one after another: the order of the journal is that
 * in which they took effect. */
#undef _FILE_OFFSET_BITS /* both names of a call are defined here: open and open64 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FDS = 65536, PATH_BYTES = 2 * PATH_MAX, LINE_BYTES = 3 * PATH_MAX };
enum { NOTHING, FAIL, SHORT, KILL, KILLED };

typedef struct Call {
    const char *name;
    bool needs_space;
    unsigned handle;
    long long offset;
    size_t length; /* of a write: what it is asked to write, then what it wrote */
    const void *data;
    int flags;
    const char *path, *other;
    bool created; /* of an open */
} Call;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *roots;
static int journal = -1;
static unsigned long number, matching, fault_number;
static char fault_call[16];
static int fault_kind, fault_errno;
static bool fault_lasts;
static unsigned handles[FDS]; /* 0: not below a root */
static unsigned last_handle;
static unsigned char writable[FDS];

static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

static int fault_of(const char *how)
{
    static const struct {
        const char *word;
        int number;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EIO", EIO}, {"EINTR", EINTR}};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strncmp(how, errors[i].word, strlen(errors[i].word)) == 0) {
            fault_errno = errors[i].number;
            fault_lasts = strchr(how, '+') != NULL;
            return FAIL;
        }
    return strcmp(how, "short") == 0    ? SHORT
           : strcmp(how, "kill") == 0   ? KILL
           : strcmp(how, "killed") == 0 ? KILLED
                                        : NOTHING;
}

static void start(void)
{
    real_openat = (int (*)(int, const char *, int, ...))real("openat64");
    real_close = (int (*)(int))real("close");
    real_write = (ssize_t(*)(int, const void *, size_t))real("write");
    real_pwrite = (ssize_t(*)(int, const void *, size_t, off_t))real("pwrite64");
    const char *file = getenv("TORMENT_JOURNAL"), *fault = getenv("TORMENT_FAULT");
    char how[16] = "";
    roots = getenv("TORMENT_ROOTS");
    if (file)
        journal = real_openat(AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fault && sscanf(fault, "%lu %15s %15s", &fault_number, how, fault_call) >= 2)
        fault_kind = fault_of(how);
}

static void lock(void)
{
    pthread_once(&once, start);
    pthread_mutex_lock(&mutex);
}

/* --- paths --- */

static bool below_root(const char *path)
{
    for (const char *root = roots; root && *root;) {
        size_t len = strcspn(root, ":");
        if (len && strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == 0))
            return true;
        root += len + (root[len] == ':');
    }
    return false;
}

/* Whether a path is below a root; then `whole` is absolute. */
static bool resolve(int dir, const char *path, char whole[PATH_BYTES])
{
    char link[64];
    if (roots == NULL || path == NULL)
        return false;
    if (path[0] == '/') {
        snprintf(whole, PATH_BYTES, "%s", path);
        return below_root(whole);
    }
    if (dir == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, whole, PATH_MAX);
    if (n <= 0)
        return false;
    snprintf(whole + n, PATH_BYTES - (size_t)n, "/%s", path);
    return below_root(whole);
}

static unsigned handle_of(int fd)
{
    return fd >= 0 && fd < FDS ? handles[fd] : 0;
}

/* --- one call --- */

static void record(const Call *call, unsigned long n, int why)
{
    if (journal < 0)
        return;
    size_t data = call->data && why == 0 ? call->length : 0;
    char *line = malloc(LINE_BYTES + data + 1);
    if (line == NULL)
        abort();
    int len = snprintf(line, LINE_BYTES, "%lu %s %d %u.%u %lld %zu %d %s%s%s\n", n, call->name, why, (unsigned)getpid(),
                       call->handle, call->offset, data, call->flags, call->path ? call->path : "-",
                       call->other ? "\t" : "", call->other ? call->other : "");
    if (data) {
        memcpy(line + len, call->data, data);
        line[(size_t)len + data++] = '\n';
    }
    if (real_write(journal, line, (size_t)len + data) != len + (ssize_t)data)
        abort();
    free(line);
}

/* What is to happen to the call that comes next. */
static int fault_now(const Call *call)
{
    number++;
    bool match = fault_call[0] == 0 || strcmp(call->name, fault_call) == 0;
    matching += match;
    if (!match || matching < fault_number || (matching > fault_number && !fault_lasts))
        return NOTHING;
    bool space = fault_errno == ENOSPC || fault_errno == EDQUOT;
    if (fault_kind == FAIL && fault_lasts && space && !call->needs_space)
        return NOTHING;
    return fault_kind;
}

/* Takes the mutex, counts, and does what is to be done before a call. True: it must not be made, errno is set. */
static bool begin(Call *call)
{
    lock();
    int fault = fault_now(call);
    if (fault == KILL)
        kill(getpid(), SIGKILL);
    if (fault == SHORT && call->length > 1)
        call->length /= 2;
    if (fault != FAIL)
        return false;
    record(call, number, fault_errno);
    errno = fault_errno;
    return true;
}

/* After it; errno is kept. */
static void end(const Call *call, bool done)
{
    int why = errno;
    record(call, number, done ? 0 : why);
    if (fault_kind == KILLED && matching == fault_number)
        kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&mutex);
    errno = why;
}

static int failed(void)
{
    int why = errno;
    pthread_mutex_unlock(&mutex);
    errno = why;
    return -1;
}

/* --- files --- */

static int open_seen(Call *call, int dir, const char *path, int flags, mode_t mode)
{
    bool changes = flags & (O_CREAT | O_TRUNC);
    struct stat st;
    if (changes ? begin(call) : (lock(), false))
        return failed();
    bool existed = fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int fd = real_openat(dir, path, flags, mode);
    if (fd >= 0 && fd < FDS) {
        handles[fd] = call->handle = ++last_handle;
        writable[fd] = (flags & O_ACCMODE) != O_RDONLY;
    }
    call->flags = (existed ? 0 : 1) | (flags & O_TRUNC ? 2 : 0);
    if (changes)
        end(call, fd >= 0);
    else {
        int why = errno;
        if (fd >= 0)
            record(call, 0, 0);
        pthread_mutex_unlock(&mutex);
        errno = why;
    }
    return fd;
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    char whole[PATH_BYTES];
    pthread_once(&once, start);
    if (!resolve(dir, path, whole))
        return real_openat(dir, path, flags, mode);
    Call call = {.name = "open", .needs_space = true, .path = whole};
    return open_seen(&call, dir, path, flags, mode);
}

static mode_t mode_argument(int flags, va_list list)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}

#define OPENS(name)                                                                                                    \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = mode_argument(flags, list);                                                                      \
        va_end(list);                                                                                                  \
        return open_any(AT_FDCWD, path, flags, mode);                                                                  \
    }
#define OPENS_AT(name)                                                                                                 \
    int name(int dir, const char *path, int flags, ...)                                                                \
    {                                                                                                                  \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = mode_argument(flags, list);                                                                      \
        va_end(list);                                                                                                  \
        return open_any(dir, path, flags, mode);                                                                       \
    }
#undef open
#undef openat
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

int close(int fd)
{
    pthread_once(&once, start);
    if (handle_of(fd) == 0)
        return real_close(fd);
    Call call = {.name = "close", .handle = handles[fd]};
    if (!writable[fd]) {
        lock();
        handles[fd] = 0;
        pthread_mutex_unlock(&mutex);
        return real_close(fd);
    }
    bool fails = begin(&call);
    int why = errno;
    handles[fd] = 0;
    int rc = real_close(fd); /* as the system does: an error is told, and the descriptor is gone */
    if (fails) {
        errno = why;
        return failed();
    }
    end(&call, rc == 0);
    return rc;
}

ssize_t write(int fd, const void *data, size_t length)
{
    pthread_once(&once, start);
    if (handle_of(fd) == 0)
        return real_write(fd, data, length);
    Call call = {.name = "write", .needs_space = true, .handle = handles[fd], .data = data, .length = length};
    if (begin(&call))
        return failed();
    struct stat st;
    if (fcntl(fd, F_GETFL) & O_APPEND)
        call.offset = fstat(fd, &st) == 0 ? st.st_size : 0;
    else
        call.offset = lseek(fd, 0, SEEK_CUR);
    ssize_t n = real_write(fd, data, call.length);
    call.length = n > 0 ? (size_t)n : 0;
    end(&call, n >= 0);
    return n;
}

static ssize_t pwrite_any(int fd, const void *data, size_t length, off_t offset)
{
    pthread_once(&once, start);
    if (handle_of(fd) == 0)
        return real_pwrite(fd, data, length, offset);
    Call call = {
        .name = "write", .needs_space = true, .handle = handles[fd], .data = data, .length = length, .offset = offset};
    if (begin(&call))
        return failed();
    ssize_t n = real_pwrite(fd, data, call.length, offset);
    call.length = n > 0 ? (size_t)n : 0;
    end(&call, n >= 0);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite_any(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    return pwrite_any(fd, data, length, offset);
}

/* Calls with a descriptor. */
#define ON_FD(function_name, space, parameters, arguments, at)                                                         \
    int function_name parameters                                                                                       \
    {                                                                                                                  \
        static int(*function) parameters;                                                                              \
        if (function == NULL)                                                                                          \
            function = (int(*) parameters)real(#function_name);                                                        \
        Call call = {.name = #function_name, .needs_space = space, .handle = handle_of(fd), .offset = at};             \
        if (call.handle == 0)                                                                                          \
            return function arguments;                                                                                 \
        if (begin(&call))                                                                                              \
            return failed();                                                                                           \
        int rc = function arguments;                                                                                   \
        end(&call, rc == 0);                                                                                           \
        return rc;                                                                                                     \
    }
ON_FD(fsync, true, (int fd), (fd), 0)
ON_FD(fdatasync, true, (int fd), (fd), 0)
ON_FD(syncfs, true, (int fd), (fd), 0)
ON_FD(ftruncate64, false, (int fd, off64_t size), (fd, size), size)

/* Calls with a path, or two. */
#define ON_PATH(function_name, call_name, space, dir, parameters, arguments)                                           \
    int function_name parameters                                                                                       \
    {                                                                                                                  \
        char whole[PATH_BYTES];                                                                                        \
        static int(*function) parameters;                                                                              \
        if (function == NULL)                                                                                          \
            function = (int(*) parameters)real(#function_name);                                                        \
        pthread_once(&once, start);                                                                                    \
        if (!resolve(dir, path, whole))                                                                                \
            return function arguments;                                                                                 \
        Call call = {.name = call_name, .needs_space = space, .path = whole};                                          \
        if (begin(&call))                                                                                              \
            return failed();                                                                                           \
        int rc = function arguments;                                                                                   \
        end(&call, rc == 0);                                                                                           \
        return rc;                                                                                                     \
    }
ON_PATH(mkdir, "mkdir", true, AT_FDCWD, (const char *path, mode_t mode), (path, mode))
ON_PATH(mkdirat, "mkdir", true, dir, (int dir, const char *path, mode_t mode), (dir, path, mode))
ON_PATH(unlink, "unlink", false, AT_FDCWD, (const char *path), (path))
ON_PATH(unlinkat, "unlink", false, dir, (int dir, const char *path, int flags), (dir, path, flags))
ON_PATH(rmdir, "unlink", false, AT_FDCWD, (const char *path), (path))

#define ON_PATHS(function_name, call_name, dir, to_dir, parameters, arguments)                                         \
    int function_name parameters                                                                                       \
    {                                                                                                                  \
        char whole[PATH_BYTES], other[PATH_BYTES];                                                                     \
        static int(*function) parameters;                                                                              \
        if (function == NULL)                                                                                          \
            function = (int(*) parameters)real(#function_name);                                                        \
        pthread_once(&once, start);                                                                                    \
        bool from_here = resolve(dir, path, whole), to_here = resolve(to_dir, to, other);                              \
        if (!from_here && !to_here)                                                                                    \
            return function arguments;                                                                                 \
        Call call = {.name = call_name, .needs_space = true, .path = whole, .other = other};                           \
        if (begin(&call))                                                                                              \
            return failed();                                                                                           \
        int rc = function arguments;                                                                                   \
        end(&call, rc == 0);                                                                                           \
        return rc;                                                                                                     \
    }
ON_PATHS(rename, "rename", AT_FDCWD, AT_FDCWD, (const char *path, const char *to), (path, to))
ON_PATHS(renameat, "rename", dir, to_dir, (int dir, const char *path, int to_dir, const char *to),
         (dir, path, to_dir, to))
ON_PATHS(renameat2, "rename", dir, to_dir, (int dir, const char *path, int to_dir, const char *to, unsigned flags),
         (dir, path, to_dir, to, flags))
ON_PATHS(link, "link", AT_FDCWD, AT_FDCWD, (const char *path, const char *to), (path, to))
ON_PATHS(linkat, "link", dir, to_dir, (int dir, const char *path, int to_dir, const char *to, int flags),
         (dir, path, to_dir, to, flags))
