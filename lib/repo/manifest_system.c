/* The manifest's member "system". */
#include "kura/mem.h"
#include "manifest_priv.h"

static void facts_free(HostFacts *facts)
{
    hostfacts_done(facts);
    free(facts);
}

DEFINE_CLEANUP(HostFacts, facts_free)

json_t *manifest_system_to_json(const HostFacts *system)
{
    json_t *json = json_object();
    json_set_text(json, "os", system->os);
    json_set_text(json, "libc", system->libc);
    json_set_text(json, "timezone", system->timezone);
    json_set_texts(json, "locales", &system->locales);
    json_set_texts(json, "postgresql_servers", &system->servers);
    json_set_texts(json, "postgresql_clients", &system->clients);
    return json;
}

int manifest_system_read(const JsonNode *root, HostFacts **ret, Error *err)
{
    JsonNode node;
    if (json_object_get(root->json, "system") == NULL)
        return 0;
    _cleanup_(facts_free_cleanup) HostFacts *made = xcalloc(1, sizeof *made);
    if (jnode_object(root, "system", &node, err) < 0 || jnode_text_or_null(&node, "os", &made->os, err) < 0 ||
        jnode_text_or_null(&node, "libc", &made->libc, err) < 0 ||
        jnode_text_or_null(&node, "timezone", &made->timezone, err) < 0 ||
        jnode_texts(&node, "locales", &made->locales, err) < 0 ||
        jnode_texts(&node, "postgresql_servers", &made->servers, err) < 0 ||
        jnode_texts(&node, "postgresql_clients", &made->clients, err) < 0)
        return -1;
    *ret = steal(made);
    return 0;
}
