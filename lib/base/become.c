/* The C library's setresuid() changes all threads of a process, the kernel's only the one that calls it. */
#include "kura/become.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kura/mem.h"

enum { NAMES_MAX = 64 * 1024 };

bool become_find(const char *name, SystemUser *ret)
{
    struct passwd entry, *found = NULL;
    _cleanup_free_ char *names = xmalloc(NAMES_MAX);
    if (geteuid() != 0 || getpwnam_r(name, &entry, names, NAMES_MAX, &found) != 0 || found == NULL ||
        found->pw_uid == 0)
        return false;
    *ret = (SystemUser){.uid = found->pw_uid, .gid = found->pw_gid};
    return true;
}

static int set_effective(uid_t uid)
{
    return (int)syscall(SYS_setresuid, (uid_t)-1, uid, (uid_t)-1);
}

bool become_begin(const SystemUser *user)
{
    return set_effective(user->uid) == 0;
}

void become_end(void)
{
    if (set_effective(0) < 0)
        abort(); /* root may always be root again */
}

/* A capability outlives the change of user when it is kept, and the program's start when it is ambient. */
static int keep_reading(void)
{
    const struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 1u << CAP_DAC_READ_SEARCH,
         .permitted = 1u << CAP_DAC_READ_SEARCH,
         .inheritable = 1u << CAP_DAC_READ_SEARCH},
    };
    if (syscall(SYS_capset, &header, data) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) < 0)
        return errno;
    return 0;
}

int become_for_good(const SystemUser *user)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
        setresgid(user->gid, user->gid, user->gid) < 0 || setresuid(user->uid, user->uid, user->uid) < 0)
        return errno;
    return keep_reading();
}
