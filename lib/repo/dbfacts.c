#include "kura/dbfacts.h"

#include <string.h>

#include "kura/mem.h"

static void role_done(DbRole *role)
{
    free(role->name);
    strvec_done(&role->member_of);
    strvec_done(&role->settings);
}

static void setting_done(DbSetting *setting)
{
    free(setting->role);
    free(setting->name);
    free(setting->value);
}

static void extension_done(DbExtension *extension)
{
    free(extension->name);
    free(extension->version);
    free(extension->schema);
}

static void grant_done(DbGrant *grant)
{
    free(grant->grantor);
    free(grant->grantee);
    free(grant->privilege);
}

static void lists_done(DbFacts *facts)
{
    for (size_t i = 0; i < facts->n_grants; i++)
        grant_done(&facts->grants[i]);
    for (size_t i = 0; i < facts->n_settings; i++)
        setting_done(&facts->settings[i]);
    for (size_t i = 0; i < facts->n_extensions; i++)
        extension_done(&facts->extensions[i]);
    for (size_t i = 0; i < facts->n_roles; i++)
        role_done(&facts->roles[i]);
    free(facts->grants);
    free(facts->settings);
    free(facts->extensions);
    free(facts->roles);
}

void dbfacts_done(DbFacts *facts)
{
    if (facts == NULL)
        return;
    lists_done(facts);
    char *texts[] = {
        facts->name,    facts->server_version,    facts->system_identifier,
        facts->owner,   facts->encoding,          facts->locale_provider,
        facts->ctype,   facts->collate,           facts->icu_locale,
        facts->comment, facts->collation_version, facts->tablespace,
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    *facts = (DbFacts){0};
}

const DbRole *dbfacts_role(const DbFacts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_roles; i++)
        if (strcmp(facts->roles[i].name, name) == 0)
            return &facts->roles[i];
    return NULL;
}
