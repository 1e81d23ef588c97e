#include "dbfacts_priv.h"
#include "kura/mem.h"

static json_t *role_to_json(const DbRole *role)
{
    json_t *json = json_object();
    json_set_text(json, "name", role->name);
    json_set_bool(json, "superuser", role->superuser);
    json_set_bool(json, "inherit", role->inherit);
    json_set_bool(json, "createrole", role->createrole);
    json_set_bool(json, "createdb", role->createdb);
    json_set_bool(json, "login", role->login);
    json_set_bool(json, "replication", role->replication);
    json_set_bool(json, "bypassrls", role->bypassrls);
    json_object_set_new(json, "connection_limit", json_integer(role->connection_limit));
    json_set_bool(json, "bootstrap", role->bootstrap);
    json_set_texts(json, "member_of", &role->member_of);
    json_set_texts(json, "settings", &role->settings);
    return json;
}

static json_t *setting_to_json(const DbSetting *setting)
{
    json_t *json = json_object();
    json_set_text(json, "role", setting->role);
    json_set_text(json, "name", setting->name);
    json_set_text(json, "value", setting->value);
    return json;
}

static json_t *extension_to_json(const DbExtension *extension)
{
    json_t *json = json_object();
    json_set_text(json, "name", extension->name);
    json_set_text(json, "version", extension->version);
    json_set_text(json, "schema", extension->schema);
    return json;
}

static json_t *grant_to_json(const DbGrant *grant)
{
    json_t *json = json_object();
    json_set_text(json, "grantor", grant->grantor);
    json_set_text(json, "grantee", grant->grantee);
    json_set_text(json, "privilege", grant->privilege);
    json_set_bool(json, "grantable", grant->grantable);
    return json;
}

/* Sets member key to the array of what TO_JSON makes of each of the n elements of v. */
#define SET_LIST(json, key, v, n, to_json)                                                                             \
    do {                                                                                                               \
        json_t *list_ = json_array();                                                                                  \
        for (size_t i_ = 0; i_ < (n); i_++)                                                                            \
            json_array_append_new(list_, to_json(&(v)[i_]));                                                           \
        json_object_set_new(json, key, list_);                                                                         \
    } while (0)

json_t *dbfacts_to_json(const DbFacts *facts)
{
    json_t *json = json_object();
    json_set_text(json, "name", facts->name);
    json_set_text(json, "server_version", facts->server_version);
    json_object_set_new(json, "server_version_num", json_integer(facts->server_version_num));
    json_set_text(json, "system_identifier", facts->system_identifier);
    json_set_bool(json, "standby", facts->standby);
    json_set_text(json, "owner", facts->owner);
    json_set_text(json, "encoding", facts->encoding);
    json_set_text(json, "locale_provider", facts->locale_provider);
    json_set_text(json, "collate", facts->collate);
    json_set_text(json, "ctype", facts->ctype);
    json_set_text(json, "icu_locale", facts->icu_locale);
    json_set_text(json, "collation_version", facts->collation_version);
    json_set_text(json, "tablespace", facts->tablespace);
    json_object_set_new(json, "connection_limit", json_integer(facts->connection_limit));
    json_set_text(json, "comment", facts->comment);
    json_set_u64(json, "size_bytes", facts->size_bytes);
    json_set_bool(json, "acl_default", facts->acl_default);
    SET_LIST(json, "grants", facts->grants, facts->n_grants, grant_to_json);
    SET_LIST(json, "settings", facts->settings, facts->n_settings, setting_to_json);
    SET_LIST(json, "extensions", facts->extensions, facts->n_extensions, extension_to_json);
    SET_LIST(json, "roles", facts->roles, facts->n_roles, role_to_json);
    return json;
}

static int read_i32(const JsonNode *node, const char *key, int *ret, Error *err)
{
    int64_t value;
    if (jnode_int(node, key, INT32_MIN, INT32_MAX, &value, err) < 0)
        return -1;
    *ret = (int)value;
    return 0;
}

static int read_role(const JsonNode *node, DbRole *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || jnode_bool(node, "superuser", &ret->superuser, err) < 0 ||
        jnode_bool(node, "inherit", &ret->inherit, err) < 0 ||
        jnode_bool(node, "createrole", &ret->createrole, err) < 0 ||
        jnode_bool(node, "createdb", &ret->createdb, err) < 0 || jnode_bool(node, "login", &ret->login, err) < 0 ||
        jnode_bool(node, "replication", &ret->replication, err) < 0 ||
        jnode_bool(node, "bypassrls", &ret->bypassrls, err) < 0 ||
        read_i32(node, "connection_limit", &ret->connection_limit, err) < 0 ||
        jnode_bool(node, "bootstrap", &ret->bootstrap, err) < 0 ||
        jnode_texts(node, "member_of", &ret->member_of, err) < 0)
        return -1;
    return jnode_texts(node, "settings", &ret->settings, err);
}

static int read_setting(const JsonNode *node, DbSetting *ret, Error *err)
{
    if (jnode_text_or_null(node, "role", &ret->role, err) < 0 || jnode_text(node, "name", &ret->name, err) < 0)
        return -1;
    return jnode_text(node, "value", &ret->value, err);
}

static int read_extension(const JsonNode *node, DbExtension *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || jnode_text(node, "version", &ret->version, err) < 0)
        return -1;
    return jnode_text(node, "schema", &ret->schema, err);
}

static int read_grant(const JsonNode *node, DbGrant *ret, Error *err)
{
    if (jnode_text(node, "grantor", &ret->grantor, err) < 0 ||
        jnode_text_or_null(node, "grantee", &ret->grantee, err) < 0 ||
        jnode_text(node, "privilege", &ret->privilege, err) < 0)
        return -1;
    return jnode_bool(node, "grantable", &ret->grantable, err);
}

/* Reads the array member key into *v and *n with READ for each element; returns -1 from the calling function when one
 * fails. The zeroed rest of the array is safe to free. */
#define READ_LIST(node, key, v, n, read, err)                                                                          \
    do {                                                                                                               \
        JsonNode list_;                                                                                                \
        size_t n_;                                                                                                     \
        if (jnode_array(node, key, &list_, &n_, err) < 0)                                                              \
            return -1;                                                                                                 \
        *(v) = xcalloc(n_, sizeof **(v));                                                                              \
        *(n) = n_;                                                                                                     \
        for (size_t i_ = 0; i_ < n_; i_++) {                                                                           \
            JsonNode item_ = jnode_item(&list_, i_);                                                                   \
            if (read(&item_, &(*(v))[i_], err) < 0)                                                                    \
                return -1;                                                                                             \
        }                                                                                                              \
    } while (0)

static int read_lists(const JsonNode *node, DbFacts *ret, Error *err)
{
    READ_LIST(node, "grants", &ret->grants, &ret->n_grants, read_grant, err);
    READ_LIST(node, "settings", &ret->settings, &ret->n_settings, read_setting, err);
    READ_LIST(node, "extensions", &ret->extensions, &ret->n_extensions, read_extension, err);
    READ_LIST(node, "roles", &ret->roles, &ret->n_roles, read_role, err);
    return 0;
}

static int read_locale(const JsonNode *node, DbFacts *ret, Error *err)
{
    if (jnode_text(node, "encoding", &ret->encoding, err) < 0 ||
        jnode_text(node, "locale_provider", &ret->locale_provider, err) < 0 ||
        jnode_text(node, "collate", &ret->collate, err) < 0 || jnode_text(node, "ctype", &ret->ctype, err) < 0 ||
        jnode_text_or_null(node, "icu_locale", &ret->icu_locale, err) < 0)
        return -1;
    return jnode_text_or_null(node, "collation_version", &ret->collation_version, err);
}

int dbfacts_read(const JsonNode *node, DbFacts *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 ||
        jnode_text(node, "server_version", &ret->server_version, err) < 0 ||
        read_i32(node, "server_version_num", &ret->server_version_num, err) < 0 ||
        jnode_text_or_null(node, "system_identifier", &ret->system_identifier, err) < 0 ||
        jnode_bool(node, "standby", &ret->standby, err) < 0 || jnode_text(node, "owner", &ret->owner, err) < 0 ||
        read_locale(node, ret, err) < 0 || jnode_text(node, "tablespace", &ret->tablespace, err) < 0 ||
        read_i32(node, "connection_limit", &ret->connection_limit, err) < 0 ||
        jnode_text_or_null(node, "comment", &ret->comment, err) < 0 ||
        jnode_u64(node, "size_bytes", INT64_MAX, &ret->size_bytes, err) < 0 ||
        jnode_bool(node, "acl_default", &ret->acl_default, err) < 0)
        return -1;
    return read_lists(node, ret, err);
}
