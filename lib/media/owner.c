#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>

#include "kura/mem.h"

enum { LOOKUP_START = 1024, LOOKUP_MAX = 1024 * 1024 }; /* a group can have very many members */
enum { NAMES_MAX = 65536 };                             /* names come from an index: what is remembered is bounded */
#define ID_UNKNOWN ((unsigned)-1)

static void list_done(OwnerList *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i].name);
    free(list->v);
}

void owner_cache_done(OwnerCache *cache)
{
    if (cache == NULL)
        return;
    list_done(&cache->users);
    list_done(&cache->groups);
    list_done(&cache->known_users);
    list_done(&cache->known_groups);
    *cache = (OwnerCache){0};
}

static OwnerName *remember(OwnerList *list, const char *name, unsigned id)
{
    if (list->n == NAMES_MAX) {
        list_done(list);
        *list = (OwnerList){0};
    }
    xgrow(&list->v, &list->cap, list->n);
    list->v[list->n] = (OwnerName){.name = xstrdup_null(name), .id = id};
    return &list->v[list->n++];
}

static OwnerName *find_id(OwnerList *list, unsigned id)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].id == id)
            return &list->v[i];
    return NULL;
}

static OwnerName *find_name(OwnerList *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->v[i].name, name) == 0)
            return &list->v[i];
    return NULL;
}

/* The four look-ups of libc differ in types alone. Each leaves the name in list, or ID_UNKNOWN where there is none. */
#define LOOKUP(call, record, ...)                                                                                      \
    do {                                                                                                               \
        struct record *found = NULL, space;                                                                            \
        char *text = NULL;                                                                                             \
        int rc = ERANGE;                                                                                               \
        for (size_t size = LOOKUP_START; rc == ERANGE && size <= LOOKUP_MAX; size *= 4) {                              \
            text = xreallocarray(text, size, 1);                                                                       \
            rc = call(key, &space, text, size, &found);                                                                \
        }                                                                                                              \
        OwnerName *result = rc == 0 && found ? remember(list, __VA_ARGS__) : NULL;                                     \
        free(text);                                                                                                    \
        if (result)                                                                                                    \
            return result;                                                                                             \
    } while (0)

static const OwnerName *user_by_id(OwnerList *list, uid_t key)
{
    LOOKUP(getpwuid_r, passwd, found->pw_name, key);
    return remember(list, NULL, key);
}

static const OwnerName *group_by_id(OwnerList *list, gid_t key)
{
    LOOKUP(getgrgid_r, group, found->gr_name, key);
    return remember(list, NULL, key);
}

static const OwnerName *user_by_name(OwnerList *list, const char *key)
{
    LOOKUP(getpwnam_r, passwd, key, found->pw_uid);
    return remember(list, key, ID_UNKNOWN);
}

static const OwnerName *group_by_name(OwnerList *list, const char *key)
{
    LOOKUP(getgrnam_r, group, key, found->gr_gid);
    return remember(list, key, ID_UNKNOWN);
}

const char *owner_user_name(OwnerCache *cache, uid_t uid)
{
    const OwnerName *known = find_id(&cache->users, uid);
    return (known ? known : user_by_id(&cache->users, uid))->name;
}

const char *owner_group_name(OwnerCache *cache, gid_t gid)
{
    const OwnerName *known = find_id(&cache->groups, gid);
    return (known ? known : group_by_id(&cache->groups, gid))->name;
}

uid_t owner_user_id(OwnerCache *cache, const char *name, uid_t recorded)
{
    if (name == NULL)
        return recorded;
    const OwnerName *known = find_name(&cache->known_users, name);
    if (known == NULL)
        known = user_by_name(&cache->known_users, name);
    return known->id == ID_UNKNOWN ? recorded : known->id;
}

gid_t owner_group_id(OwnerCache *cache, const char *name, gid_t recorded)
{
    if (name == NULL)
        return recorded;
    const OwnerName *known = find_name(&cache->known_groups, name);
    if (known == NULL)
        known = group_by_name(&cache->known_groups, name);
    return known->id == ID_UNKNOWN ? recorded : known->id;
}
