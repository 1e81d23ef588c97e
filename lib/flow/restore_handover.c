/* Without superuser everything is made by, and belongs to, the restoring role until all of it is in place: a new
 * owner's missing rights, a grant that the archive takes from an owner, a policy under which the loader would stand
 * can then harm nothing. Here objects get their owners, and after that grants, policies and the contents of
 * materialized views follow. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "restore_priv.h"

typedef struct Handover {
    Restore *restore;
    PgConn *conn;   /* to the scratch database */
    StrVec schemas; /* quoted: where an owner was given CREATE .. */
    StrVec owners;  /* .. and who, for a moment: nobody owns where he may not create */
} Handover;

static int has_create(Handover *handover, const char *what, const char *on, const char *to, bool *ret, Error *err)
{
    const char *params[] = {to, on};
    _cleanup_free_ char *has = NULL;
    _cleanup_free_ char *query = xasprintf("SELECT pg_catalog.has_%s_privilege($1, $2, 'CREATE')", what);
    if (pg_query_value(handover->conn, query, 2, params, &has, err) < 0)
        return -1;
    *ret = has && *has == 't';
    return 0;
}

static bool was_lent(const Handover *handover, const char *on, const char *owner)
{
    for (size_t i = 0; i < handover->schemas.n; i++)
        if (strcmp(handover->schemas.v[i], on) == 0 && strcmp(handover->owners.v[i], owner) == 0)
            return true;
    return false;
}

/* what: "schema" or "database". */
static int lend_create(Handover *handover, const char *what, const char *name, const char *role, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(name), *owner = sql_quote_ident(role);
    _cleanup_free_ char *on = xasprintf("%s %s", what, quoted);
    bool has = false;
    if (was_lent(handover, on, owner))
        return 0;
    if (has_create(handover, what, name, role, &has, err) < 0)
        return -1;
    if (has)
        return 0;
    OwnTrouble own = {.desc = "ACL", .object = on};
    Error refused = ERROR_INIT;
    if (pg_execf(handover->conn, &refused, "GRANT CREATE ON %s TO %s", on, owner) < 0)
        return trouble_own(handover->restore, &own, &refused, err);
    strvec_push(&handover->schemas, on);
    strvec_push(&handover->owners, owner);
    return 0;
}

static int lend_all(Handover *handover, Error *err)
{
    const Restore *restore = handover->restore;
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        if (restore->rights.own[i] != DOER_SELF)
            continue;
        if (entry->namespace && *entry->namespace &&
            lend_create(handover, "schema", entry->namespace, entry->owner, err) < 0)
            return error_wrap(err, "letting the owner of %s %s create in its schema", entry->desc, entry->tag);
        if (toc_entry_is(entry, "PUBLICATION") &&
            lend_create(handover, "database", restore->scratch, entry->owner, err) < 0)
            return error_wrap(err, "letting the owner of publication %s create in the database", entry->tag);
    }
    return 0;
}

static int take_back(Handover *handover, Error *err)
{
    for (size_t i = 0; i < handover->schemas.n; i++) {
        const char *on = handover->schemas.v[i];
        _cleanup_free_ char *revoke = xasprintf("REVOKE CREATE ON %s FROM %s", on, handover->owners.v[i]);
        bool lasting = strncmp(on, "schema ", 7) == 0; /* the database has another name in the end */
        OwnTrouble own = {.desc = "ACL", .object = on, .statement = lasting ? revoke : NULL, .is_lack = true};
        Error refused = ERROR_INIT;
        if (pg_exec(handover->conn, revoke, &refused) < 0 && trouble_own(handover->restore, &own, &refused, err) < 0)
            return -1;
    }
    return 0;
}

static int own_large_object(Handover *handover, const TocEntry *entry, unsigned long oid, const char *owner, Error *err)
{
    _cleanup_free_ char *object = xasprintf("%lu", oid);
    _cleanup_free_ char *statement = xasprintf("ALTER LARGE OBJECT %lu OWNER TO %s", oid, owner);
    OwnTrouble own = {
        .desc = "BLOB METADATA", .object = object, .statement = statement, .entry = entry, .is_lack = true};
    Error refused = ERROR_INIT;
    if (pg_exec(handover->conn, statement, &refused) == 0)
        return 0;
    return trouble_own(handover->restore, &own, &refused, err);
}

/* From 17 on one entry stands for many large objects, a line for each OID. */
static int own_large_objects(Handover *handover, const TocEntry *entry, Error *err)
{
    _cleanup_free_ char *owner = sql_quote_ident(entry->owner);
    for (const char *at = entry->defn ? entry->defn : ""; *at;) {
        char *end;
        unsigned long oid = strtoul(at, &end, 10);
        if (end == at)
            break;
        if (own_large_object(handover, entry, oid, owner, err) < 0)
            return -1;
        at = end + strspn(end, "\r\n ");
    }
    return 0;
}

static int own_all_large_objects(Handover *handover, Error *err)
{
    const Restore *restore = handover->restore;
    for (size_t i = 0; i < restore->toc->n_entries; i++)
        if (restore->rights.own[i] == DOER_SELF && toc_entry_is(&restore->toc->entries[i], "BLOB METADATA") &&
            own_large_objects(handover, &restore->toc->entries[i], err) < 0)
            return -1;
    return 0;
}

/* Schemas come last: who has one in his hands decides who may create there. */
static int own_entries(Restore *restore, bool schemas, Error *err)
{
    return pgrestore_run(restore, &(PgRestoreRun){.stage = schemas ? STAGE_SCHEMA_OWNERS : STAGE_OWNERS}, err);
}

static int give_owners(Handover *handover, Error *err)
{
    Restore *restore = handover->restore;
    if (lend_all(handover, err) < 0 || own_entries(restore, false, err) < 0 ||
        own_all_large_objects(handover, err) < 0 || take_back(handover, err) < 0)
        return -1;
    return own_entries(restore, true, err);
}

int restore_hand_over(Restore *restore, Error *err)
{
    if (!restore->limited)
        return 0;
    Handover handover = {.restore = restore};
    restore_phase(restore, "hand over");
    if (target_connect(restore, NULL, &handover.conn, err) < 0)
        return -1;
    int rc = give_owners(&handover, err);
    pg_close(handover.conn);
    strvec_done(&handover.schemas);
    strvec_done(&handover.owners);
    if (rc < 0 || pgrestore_run(restore, &(PgRestoreRun){.stage = STAGE_GRANTS}, err) < 0 ||
        pgrestore_run(restore, &(PgRestoreRun){.stage = STAGE_CONTENTS}, err) < 0)
        return -1;
    restore_phase(restore, "analyze");
    return analyze_target(restore, err);
}

/* SET SESSION AUTHORIZATION is for superusers; to grant in another's name SET ROLE does the same. */
char *as_role(const char *sql)
{
    SqlLexer lexer = {.text = sql, .len = strlen(sql)};
    SqlToken token;
    Buf out = BUF_INIT(2 * strlen(sql) + 16);
    bool behind_set = false, skip = false;
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END) {
        if (behind_set && sql_is_word(&token, "session")) {
            skip = true; /* SESSION AUTHORIZATION together become ROLE */
            continue;
        }
        if (skip && sql_is_word(&token, "authorization")) {
            buf_append_str(&out, "ROLE", NULL);
            skip = behind_set = false;
            continue;
        }
        if (skip && token.kind == SQL_SPACE)
            continue;
        buf_append(&out, token.start, token.len, NULL);
        if (token.kind != SQL_SPACE && token.kind != SQL_COMMENT)
            behind_set = sql_is_word(&token, "set") || sql_is_word(&token, "reset");
    }
    char *text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}
