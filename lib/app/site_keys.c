/* How to prove that keys belong together: "key-proofs" of a profile. */
#include "kura/mem.h"
#include "site.h"
#include "wipe.h"

static void add_proof(const Scene *scene, const char *path, AppSite *site)
{
    site->key_proofs = xreallocarray(site->key_proofs, site->n_key_proofs + 1, sizeof *site->key_proofs);
    site->key_proofs[site->n_key_proofs++] = (AppKeyProof){
        .kind = scene_member(scene, path, "kind", NULL),
        .sql = scene_member(scene, path, "sql", NULL),
        .public_key = scene_member(scene, path, "public", NULL),
        .private_key = scene_member(scene, path, "private", NULL),
        .password = scene_member(scene, path, "password", NULL),
        .salt = scene_member(scene, path, "salt", NULL),
        .needed_for = scene_member(scene, path, "needed-for", NULL),
    };
}

void site_keys(const Scene *scene, AppSite *site)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *path = xasprintf("key-proofs[%zu]", i);
        if (!scene_has(scene, path))
            return;
        if (scene_applies(scene, path))
            add_proof(scene, path, site);
    }
}

void site_keys_free(AppKeyProof *proofs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(proofs[i].kind);
        free(proofs[i].sql);
        free(proofs[i].public_key);
        wipe_text(&proofs[i].private_key);
        wipe_text(&proofs[i].password);
        wipe_text(&proofs[i].salt);
        free(proofs[i].needed_for);
    }
    free(proofs);
}
