/* Names of users and groups: each id and each name is asked for once. Not thread-safe: one cache a thread. */
#ifndef KURA_MEDIA_OWNER_H
#define KURA_MEDIA_OWNER_H

#include <stddef.h>
#include <sys/types.h>

typedef struct OwnerName {
    char *name; /* NULL: the id has none */
    unsigned id;
} OwnerName;

typedef struct OwnerList {
    OwnerName *v;
    size_t n, cap;
} OwnerList;

typedef struct OwnerCache {
    OwnerList users, groups;             /* by id */
    OwnerList known_users, known_groups; /* by name */
} OwnerCache;

void owner_cache_done(OwnerCache *cache);
/* The name of an id, or NULL; belongs to the cache. */
const char *owner_user_name(OwnerCache *cache, uid_t uid);
const char *owner_group_name(OwnerCache *cache, gid_t gid);
/* The id that a name has here; the recorded one when name is NULL or unknown here. */
uid_t owner_user_id(OwnerCache *cache, const char *name, uid_t recorded);
gid_t owner_group_id(OwnerCache *cache, const char *name, gid_t recorded);

#endif
