/* The manifest's member "application". */
#include "kura/hash.h"
#include "kura/mem.h"
#include "manifest_priv.h"

DEFINE_CLEANUP(ManifestApplication, manifest_application_free)
DEFINE_CLEANUP(ManifestSchema, manifest_schema_free)

void manifest_schema_free(ManifestSchema *schema)
{
    if (schema == NULL)
        return;
    free(schema->tool);
    free(schema->table);
    free(schema->state);
    free(schema->newest);
    free(schema->least);
    strvec_done(&schema->applied);
    strvec_done(&schema->failed);
    free(schema);
}

void manifest_application_free(ManifestApplication *application)
{
    if (application == NULL)
        return;
    free(application->profile);
    free(application->title);
    free(application->version);
    free(application->fork);
    free(application->dir);
    strvec_done(&application->services);
    free(application->database.host);
    free(application->database.port);
    free(application->database.user);
    free(application->database.name);
    manifest_schema_free(application->schema);
    for (size_t i = 0; i < application->n_secrets; i++) {
        free(application->secrets[i].name);
        free(application->secrets[i].salt);
        free(application->secrets[i].fingerprint);
    }
    free(application->secrets);
    free(application);
}

static json_t *server_to_json(const struct ManifestAppServer *server)
{
    json_t *json = json_object();
    json_set_text(json, "host", server->host);
    json_set_text(json, "port", server->port);
    json_set_text(json, "user", server->user);
    json_set_text(json, "name", server->name);
    return json;
}

static json_t *schema_to_json(const ManifestSchema *schema)
{
    if (schema == NULL)
        return json_null();
    json_t *json = json_object();
    json_set_text(json, "tool", schema->tool);
    json_set_text(json, "table", schema->table);
    json_set_text(json, "state", schema->state);
    json_set_text(json, "newest", schema->newest);
    json_set_texts(json, "applied", &schema->applied);
    json_set_texts(json, "failed", &schema->failed);
    if (schema->least)
        json_set_text(json, "least", schema->least);
    return json;
}

static json_t *secrets_to_json(const ManifestApplication *application)
{
    json_t *array = json_array();
    for (size_t i = 0; i < application->n_secrets; i++) {
        const ManifestSecret *secret = &application->secrets[i];
        json_t *json = json_object();
        json_set_text(json, "name", secret->name);
        json_set_text(json, "salt", secret->salt);
        json_set_text(json, "fingerprint", secret->fingerprint);
        json_array_append_new(array, json);
    }
    return array;
}

json_t *manifest_application_to_json(const ManifestApplication *application)
{
    json_t *json = json_object();
    json_set_text(json, "profile", application->profile);
    json_set_text(json, "title", application->title);
    json_set_text(json, "version", application->version);
    json_set_text(json, "fork", application->fork);
    json_set_text(json, "dir", application->dir);
    json_set_texts(json, "services", &application->services);
    json_object_set_new(json, "database", server_to_json(&application->database));
    json_object_set_new(json, "schema", schema_to_json(application->schema));
    json_object_set_new(json, "secrets", secrets_to_json(application));
    return json;
}

static int read_server(const JsonNode *application, struct ManifestAppServer *ret, Error *err)
{
    JsonNode node;
    if (jnode_object(application, "database", &node, err) < 0 ||
        jnode_text_or_null(&node, "host", &ret->host, err) < 0 ||
        jnode_text_or_null(&node, "port", &ret->port, err) < 0 ||
        jnode_text_or_null(&node, "user", &ret->user, err) < 0)
        return -1;
    return jnode_text_or_null(&node, "name", &ret->name, err);
}

static int read_schema(const JsonNode *application, ManifestSchema **ret, Error *err)
{
    JsonNode node;
    int rc = jnode_object_or_null(application, "schema", &node, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    _cleanup_(manifest_schema_free_cleanup) ManifestSchema *schema = xcalloc(1, sizeof *schema);
    if (jnode_text(&node, "tool", &schema->tool, err) < 0 || jnode_text(&node, "table", &schema->table, err) < 0 ||
        jnode_text_or_null(&node, "state", &schema->state, err) < 0 ||
        jnode_text_or_null(&node, "newest", &schema->newest, err) < 0 ||
        jnode_texts(&node, "applied", &schema->applied, err) < 0 ||
        jnode_texts(&node, "failed", &schema->failed, err) < 0)
        return -1;
    if (json_object_get(node.json, "least") && jnode_text(&node, "least", &schema->least, err) < 0)
        return -1;
    *ret = steal(schema);
    return 0;
}

static int read_hex(const JsonNode *secret, const char *key, size_t bytes, char **ret, Error *err)
{
    uint8_t unused[SHA256_SIZE];
    if (jnode_text(secret, key, ret, err) < 0)
        return -1;
    return hex_parse(*ret, unused, bytes) == 0 ? 0 : jnode_fail(secret, err, "has no %s of %zu bytes", key, bytes);
}

static int read_secret(const JsonNode *node, ManifestSecret *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || read_hex(node, "salt", 16, &ret->salt, err) < 0)
        return -1;
    return read_hex(node, "fingerprint", 32, &ret->fingerprint, err);
}

static int read_secrets(const JsonNode *application, ManifestApplication *ret, Error *err)
{
    JsonNode array;
    size_t n;
    if (json_object_get(application->json, "secrets") == NULL)
        return 0;
    if (jnode_array(application, "secrets", &array, &n, err) < 0)
        return -1;
    if (n > MANIFEST_SECRETS_MAX)
        return jnode_fail(&array, err, "has more than %d members", MANIFEST_SECRETS_MAX);
    ret->secrets = xcalloc(n, sizeof *ret->secrets);
    while (ret->n_secrets < n) {
        JsonNode item = jnode_item(&array, ret->n_secrets);
        if (read_secret(&item, &ret->secrets[ret->n_secrets++], err) < 0)
            return -1;
    }
    return 0;
}

int manifest_application_read(const JsonNode *root, ManifestApplication **ret, Error *err)
{
    JsonNode node;
    if (json_object_get(root->json, "application") == NULL)
        return 0;
    _cleanup_(manifest_application_free_cleanup) ManifestApplication *made = xcalloc(1, sizeof *made);
    if (jnode_object(root, "application", &node, err) < 0 || jnode_text(&node, "profile", &made->profile, err) < 0 ||
        jnode_text(&node, "title", &made->title, err) < 0 ||
        jnode_text_or_null(&node, "version", &made->version, err) < 0 ||
        jnode_text_or_null(&node, "fork", &made->fork, err) < 0 || jnode_text(&node, "dir", &made->dir, err) < 0 ||
        jnode_texts(&node, "services", &made->services, err) < 0 || read_server(&node, &made->database, err) < 0 ||
        read_schema(&node, &made->schema, err) < 0 || read_secrets(&node, made, err) < 0)
        return -1;
    *ret = steal(made);
    return 0;
}
