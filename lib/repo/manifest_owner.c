/* A fileset's member "root_owner". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "manifest_priv.h"

DEFINE_CLEANUP(ManifestOwner, manifest_owner_free)

void manifest_owner_free(ManifestOwner *owner)
{
    if (owner == NULL)
        return;
    free(owner->user);
    free(owner->group);
    free(owner);
}

json_t *manifest_owner_to_json(const ManifestOwner *owner)
{
    char mode[16];
    json_t *json = json_object();
    snprintf(mode, sizeof mode, "%04o", owner->mode);
    json_set_text(json, "mode", mode);
    json_set_u64(json, "uid", owner->uid);
    json_set_u64(json, "gid", owner->gid);
    json_set_text(json, "user", owner->user);
    json_set_text(json, "group", owner->group);
    return json;
}

int manifest_owner_read(const JsonNode *fileset, ManifestOwner **ret, Error *err)
{
    JsonNode node;
    uint64_t uid, gid;
    _cleanup_free_ char *mode = NULL;
    if (json_object_get(fileset->json, "root_owner") == NULL)
        return 0;
    _cleanup_(manifest_owner_free_cleanup) ManifestOwner *made = xcalloc(1, sizeof *made);
    if (jnode_object(fileset, "root_owner", &node, err) < 0 || jnode_text(&node, "mode", &mode, err) < 0 ||
        jnode_u64(&node, "uid", UINT32_MAX, &uid, err) < 0 || jnode_u64(&node, "gid", UINT32_MAX, &gid, err) < 0 ||
        jnode_text_or_null(&node, "user", &made->user, err) < 0 ||
        jnode_text_or_null(&node, "group", &made->group, err) < 0)
        return -1;
    if (strlen(mode) != 4 || strspn(mode, "01234567") != 4)
        return jnode_fail(&node, err, "has a mode that is not four octal digits");
    made->mode = (unsigned)strtoul(mode, NULL, 8);
    made->uid = (uint32_t)uid;
    made->gid = (uint32_t)gid;
    *ret = steal(made);
    return 0;
}
