/* What is wrong with a state, whatever another one says. */
#include <string.h>

#include "kura/mem.h"
#include "kura/ownplan.h"
#include "kura/sqllex.h"
#include "kura/words.h"

/* A finding of this code, made when its first object is found. */
static OwnFinding *finding_of(OwnFindings *findings, OwnSeverity severity, const char *code)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->v[i].code, code) == 0)
            return &findings->v[i];
    return own_finding_add(findings, severity, code);
}

static void add_name(OwnFinding *finding, const OwnObject *object)
{
    _cleanup_free_ char *name = own_object_name(object);
    strvec_push(&finding->objects, name);
}

static bool everybody_has(const OwnObject *object, char letter)
{
    for (size_t i = 0; i < object->acl.n; i++)
        if (object->acl.v[i].grantee == NULL && object->acl.v[i].rights & own_right(letter))
            return true;
    return false;
}

static bool is_open_to_all(const OwnState *roles, const OwnObject *object)
{
    return object->flags & OWN_DEFINER && own_is_ordinary(object) && own_is_superuser(roles, object->owner) &&
           everybody_has(object, 'X');
}

static void inspect_definers(const OwnState *have, const OwnState *want, const char *cure_command,
                             OwnFindings *findings)
{
    bool stays = false;
    OwnFinding *finding = NULL;
    const OwnObject *first = NULL;
    for (size_t i = 0; i < have->n; i++) {
        const OwnObject *object = &have->v[i];
        if (!is_open_to_all(have, object))
            continue;
        stays |= is_open_to_all(have, &want->v[i]);
        first = first ? first : object;
        finding = finding_of(findings, OWN_ERROR, "security-definer");
        add_name(finding, object);
    }
    if (finding == NULL)
        return;
    size_t n = finding->objects.n;
    finding->message =
        xasprintf(ngettext("%zu SECURITY DEFINER function belongs to a superuser, and everybody may run it",
                           "%zu SECURITY DEFINER functions belong to a superuser, and everybody may run them", n),
                  n);
    finding->consequence = xasprintf(_("any role that can connect gets the rights of superuser \"%s\" by calling %s"),
                                     first->owner, first->sql);
    finding->cure =
        stays ? xasprintf("REVOKE EXECUTE ON %s %s FROM PUBLIC;", own_kinds[first->kind].grant, first->grant_sql)
              : xstrdup_null(cure_command);
}

/* Such functions of ordinary roles are common, and mostly meant. */
static void inspect_open_definers(const OwnState *have, OwnFindings *findings)
{
    OwnFinding *finding = NULL;
    const OwnObject *first = NULL;
    for (size_t i = 0; i < have->n; i++) {
        const OwnObject *object = &have->v[i];
        if (!(object->flags & OWN_DEFINER) || !own_is_ordinary(object) || own_is_superuser(have, object->owner) ||
            !everybody_has(object, 'X'))
            continue;
        first = first ? first : object;
        finding = finding_of(findings, OWN_NOTE, "security-definer-public");
        add_name(finding, object);
    }
    if (finding == NULL)
        return;
    finding->message = xasprintf(ngettext("everybody may run %zu SECURITY DEFINER function",
                                          "everybody may run %zu SECURITY DEFINER functions", finding->objects.n),
                                 finding->objects.n);
    finding->consequence =
        xasprintf(_("%s does what role \"%s\" may do, for anybody who can connect; a restore without "
                    "grants opens what was closed"),
                  first->sql, first->owner);
    finding->cure = xasprintf("REVOKE EXECUTE ON %s %s FROM PUBLIC;", own_kinds[first->kind].grant, first->grant_sql);
}

/* The server writes the number of a role that is gone where its name was. */
static const char *gone_role(const OwnState *have, const OwnObject *object)
{
    for (size_t i = 0; i < object->acl.n; i++) {
        const OwnGrant *grant = &object->acl.v[i];
        if (grant->grantee && own_state_role(have, grant->grantee) == NULL)
            return grant->grantee;
        if (own_state_role(have, grant->grantor) == NULL)
            return grant->grantor;
    }
    return NULL;
}

static void inspect_gone(const OwnState *have, OwnFindings *findings)
{
    OwnFinding *finding = NULL;
    const char *first = NULL;
    for (size_t i = 0; i < have->n; i++) {
        const char *role = gone_role(have, &have->v[i]);
        if (role == NULL)
            continue;
        first = first ? first : role;
        finding = finding_of(findings, OWN_WARNING, "grant-dangling");
        add_name(finding, &have->v[i]);
    }
    if (finding == NULL)
        return;
    finding->message =
        xasprintf(ngettext("%zu object has grants to or from a role that is gone (number %s)",
                           "%zu objects have grants to or from a role that is gone (number %s)", finding->objects.n),
                  finding->objects.n, first);
    finding->consequence = xasprintf(_("pg_dump writes GRANT .. \"%s\", and a restore fails there"), first);
    finding->cure = xstrdup(_("no SQL command takes them: restore from a backup with --map NUMBER=@drop, or let a "
                              "superuser edit the access control list in the catalogue"));
}

static bool is_apart(const OwnState *state, const OwnObject *object)
{
    return object->user && own_is_ordinary(object) && state->v[object->user - 1].owner != object->owner;
}

static void inspect_sequences(const OwnState *have, const OwnState *want, const char *cure_command,
                              OwnFindings *findings)
{
    bool stays = false;
    OwnFinding *finding = NULL;
    const OwnObject *first = NULL;
    for (size_t i = 0; i < have->n; i++) {
        const OwnObject *object = &have->v[i];
        if (!is_apart(have, object))
            continue;
        stays |= is_apart(want, &want->v[i]);
        first = first ? first : object;
        finding = finding_of(findings, OWN_WARNING, "sequence-owner");
        add_name(finding, object);
    }
    if (finding == NULL)
        return;
    const OwnObject *table = &have->v[first->user - 1];
    finding->message =
        xasprintf(ngettext("%zu sequence belongs to another role than the table it fills",
                           "%zu sequences belong to another role than the table they fill", finding->objects.n),
                  finding->objects.n);
    finding->consequence = xasprintf(_("INSERT into %s fails for %s unless it is granted USAGE on %s"), table->sql,
                                     table->owner, first->sql);
    _cleanup_free_ char *owner = sql_quote_ident(table->owner);
    finding->cure = stays ? xasprintf("ALTER SEQUENCE %s OWNER TO %s;", first->sql, owner) : xstrdup_null(cure_command);
}

void own_inspect(const OwnState *have, const OwnState *want, const char *cure_command, OwnFindings *findings)
{
    inspect_definers(have, want, cure_command, findings);
    inspect_open_definers(have, findings);
    inspect_gone(have, findings);
    inspect_sequences(have, want, cure_command, findings);
}
