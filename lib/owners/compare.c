/* Differences of two states, gathered by their cause: the pair of owners, or the grantee. */
#include <string.h>

#include "kura/mem.h"
#include "kura/ownplan.h"
#include "kura/sqllex.h"
#include "kura/words.h"

typedef enum Cause {
    CAUSE_OWNER, /* a: owner, b: wanted */
    CAUSE_LATER, /* the same, of objects that the wanted state's source does not have */
    CAUSE_DATABASE,
    CAUSE_MISSING, /* a: grantee */
    CAUSE_EXTRA,
    CAUSE_GRANTOR,
    CAUSE_DEFAULTS, /* a: role */
    CAUSE_POLICY,
    CAUSE_MAPPING_MISSING, /* a: whose */
    CAUSE_MAPPING_EXTRA,
} Cause;

typedef struct Group {
    Cause cause;
    const char *a, *b;
    size_t of_kind[OWN_KIND_COUNT];
    size_t rights;           /* counted one by one */
    uint32_t first_rights;   /* of the first object */
    const OwnObject *first;  /* that object, as it is; a table if there is one */
    const OwnObject *wanted; /* that object, as it should be */
    const OwnObject *latest;
    StrVec objects;
} Group;

typedef struct Groups {
    const OwnState *have, *want;
    Group *v;
    size_t n, cap, last;
} Groups;

static Group *group_of(Groups *groups, Cause cause, const char *a, const char *b)
{
    for (size_t i = 0; i < groups->n; i++) {
        size_t at = (groups->last + i) % groups->n;
        const Group *group = &groups->v[at];
        if (group->cause == cause && group->a == a && group->b == b) {
            groups->last = at;
            return &groups->v[at];
        }
    }
    xgrow(&groups->v, &groups->cap, groups->n);
    groups->v[groups->n] = (Group){.cause = cause, .a = a, .b = b};
    return &groups->v[groups->n++];
}

static void note_object(Group *group, const OwnObject *have, const OwnObject *want, uint32_t rights)
{
    for (uint32_t left = rights; left; left &= left - 1)
        group->rights++;
    if (group->first == NULL || (group->first->kind != OWN_TABLE && have->kind == OWN_TABLE)) {
        group->first = have;
        group->wanted = want;
        group->first_rights = rights;
    }
    if (group->latest == have)
        return;
    _cleanup_free_ char *name = own_object_name(have);
    strvec_push(&group->objects, name);
    group->latest = have;
    group->of_kind[have->kind]++;
}

/* ---- finding differences ---- */

static void compare_owner(Groups *groups, const OwnObject *have, const OwnObject *want)
{
    if (!own_is_ordinary(have) || have->owner == want->owner)
        return;
    Cause cause = want->flags & OWN_LATER ? CAUSE_LATER : have->kind == OWN_DATABASE ? CAUSE_DATABASE : CAUSE_OWNER;
    note_object(group_of(groups, cause, have->owner, want->owner), have, want, 0);
}

/* What a list gives to somebody, whoever granted it. */
static uint32_t held_of_anybody(const OwnAcl *acl, const OwnGrant *what)
{
    uint32_t held = 0;
    for (size_t i = 0; i < acl->n; i++)
        if (acl->v[i].column == what->column && acl->v[i].grantee == what->grantee)
            held |= acl->v[i].rights;
    return held;
}

/* Grants of `acl` that `other` lacks. */
static void compare_lists(Groups *groups, const OwnAcl *acl, const OwnAcl *other, Cause cause, const OwnObject *have,
                          const OwnObject *want)
{
    for (size_t i = 0; i < acl->n; i++) {
        const OwnGrant *grant = &acl->v[i];
        const OwnGrant *same = own_acl_find(other, grant->column, grant->grantee, grant->grantor);
        uint32_t lacking = grant->rights & ~(same ? same->rights : 0);
        uint32_t options = grant->grantable & ~(same ? same->grantable : 0) & ~lacking;
        uint32_t by_others = lacking & held_of_anybody(other, grant);
        if (lacking & ~by_others)
            note_object(group_of(groups, cause, grant->grantee, NULL), have, want, lacking & ~by_others);
        if (options | by_others)
            note_object(group_of(groups, CAUSE_GRANTOR, grant->grantee, NULL), have, want, options | by_others);
    }
}

static void compare_grants(Groups *groups, const OwnObject *have, const OwnObject *want)
{
    OwnAcl acl;
    if (own_acl_equal(&have->acl, &want->acl))
        return;
    if (own_kinds[have->kind].alter == NULL) {
        note_object(group_of(groups, CAUSE_DEFAULTS, have->owner, NULL), have, want, 0);
        return;
    }
    own_acl_copy(&acl, &have->acl);
    own_acl_change_owner(&acl, have->owner, want->owner);
    compare_lists(groups, &want->acl, &acl, CAUSE_MISSING, have, want);
    compare_lists(groups, &acl, &want->acl, CAUSE_EXTRA, have, want);
    own_acl_done(&acl);
}

static bool has_role(const OwnObject *object, const char *role)
{
    for (size_t i = 0; i < object->n_roles; i++)
        if (object->roles[i] == role)
            return true;
    return false;
}

static void compare_mappings(Groups *groups, const OwnObject *have, const OwnObject *want)
{
    for (size_t i = 0; i < want->n_roles; i++)
        if (!has_role(have, want->roles[i]))
            note_object(group_of(groups, CAUSE_MAPPING_MISSING, want->roles[i], NULL), have, want, 0);
    for (size_t i = 0; i < have->n_roles; i++)
        if (!has_role(want, have->roles[i]))
            note_object(group_of(groups, CAUSE_MAPPING_EXTRA, have->roles[i], NULL), have, want, 0);
}

static void compare_policy(Groups *groups, const OwnObject *have, const OwnObject *want)
{
    bool same = have->n_roles == want->n_roles;
    for (size_t i = 0; same && i < have->n_roles; i++)
        same = have->roles[i] == want->roles[i];
    if (!same)
        note_object(group_of(groups, CAUSE_POLICY, NULL, NULL), have, want, 0);
}

/* ---- telling them ---- */

/* "superuser "postgres"", "role "x"", "everybody". To be freed. */
static char *name_of(const Groups *groups, const char *role)
{
    if (role == NULL)
        return xstrdup(_("everybody (PUBLIC)"));
    return xasprintf(own_is_superuser(groups->have, role) ? _("superuser \"%s\"") : _("role \"%s\""), role);
}

/* "12 text search dictionaries" */
static void append_count(Buf *out, size_t n, const char *words)
{
    const char *translated = words_get(words);
    if (translated != words) {
        buf_printf(out, NULL, _("%s%zu %s"), out->len ? _(", ") : "", n, translated);
        return;
    }
    size_t len = strlen(words);
    char last = words[len - 1];
    bool replaced = n > 1 && last == 'Y';
    buf_printf(out, NULL, "%s%zu ", out->len ? ", " : "", n);
    for (size_t i = 0; i < len - replaced; i++)
        buf_printf(out, NULL, "%c", words[i] >= 'A' && words[i] <= 'Z' ? words[i] + ('a' - 'A') : words[i]);
    if (n > 1 && strcmp(words, "STATISTICS") != 0)
        buf_append_str(out, replaced ? "ies" : last == 'S' ? "es" : "s", NULL);
}

/* "60 tables, 12 functions" */
static char *kinds_of(const Group *group)
{
    Buf out = BUF_INIT(4096);
    for (OwnKind kind = 0; kind < OWN_KIND_COUNT; kind++)
        if (group->of_kind[kind] && own_kinds[kind].alter)
            append_count(&out, group->of_kind[kind], own_kinds[kind].alter);
    return out.len ? (char *)out.data : xstrdup("");
}

static bool has_right(const OwnObject *object, const char *role, char letter)
{
    for (size_t i = 0; i < object->acl.n; i++) {
        const OwnGrant *grant = &object->acl.v[i];
        if ((grant->grantee == NULL || grant->grantee == role) && grant->column == NULL &&
            grant->rights & own_right(letter))
            return true;
    }
    return false;
}

static char *owner_consequence(const Groups *groups, const Group *group)
{
    const OwnObject *first = group->first;
    _cleanup_free_ char *name = own_object_name(first);
    if (own_is_superuser(groups->have, group->b))
        return xasprintf(_("%s has another owner than it had"), name);
    bool reads = has_right(first, group->b, 'r'), writes = has_right(first, group->b, 'a');
    if (first->kind == OWN_TABLE && !(reads && writes))
        return xasprintf(
            reads ? _("INSERT into %s fails for %s (permission denied), and its migrations cannot alter the table")
                  : _("SELECT from %s fails for %s (permission denied), and its migrations cannot alter the table"),
            first->sql, group->b);
    return xasprintf(_("%s cannot alter or drop %s (must be owner), so its migrations fail"), group->b, name);
}

static char *grant_consequence(const Groups *groups, const Group *group, bool missing)
{
    size_t bit = 0;
    while (!(group->first_rights & 1u << bit))
        bit++;
    _cleanup_free_ char *who = name_of(groups, group->a), *what = own_object_name(group->first);
    if (missing)
        return xasprintf(_("%s on %s fails for %s"), own_right_name(bit), what, who);
    return xasprintf(_("%s may %s on %s"), who, own_right_name(bit), what);
}

static OwnFinding *tell_owner(const Groups *groups, const Group *group, OwnFindings *findings)
{
    static const char *const codes[] = {"owner-wrong", "created-later", "database-owner"};
    _cleanup_free_ char *from = name_of(groups, group->a);
    _cleanup_free_ char *kinds = kinds_of(group);
    OwnFinding *finding =
        own_finding_add(findings, group->cause == CAUSE_LATER ? OWN_WARNING : OWN_ERROR, codes[group->cause]);
    if (group->cause == CAUSE_DATABASE) {
        finding->message = xasprintf(_("the database belongs to %s, expected \"%s\""), from, group->b);
        finding->consequence = xasprintf(_("%s cannot create extensions or schemas"), group->b);
        return finding;
    }
    finding->message = xasprintf(ngettext("%zu object belongs to %s, expected \"%s\" (%s)",
                                          "%zu objects belong to %s, expected \"%s\" (%s)", group->objects.n),
                                 group->objects.n, from, group->b, kinds);
    finding->consequence = owner_consequence(groups, group);
    return finding;
}

/* Two numbers need four forms; no language has a grammar for both at once. */
static const char *rights_format(bool missing, size_t rights, size_t objects)
{
    if (missing)
        return rights == 1 ? ngettext("%s lacks %zu right on %zu object that it should have",
                                      "%s lacks %zu right on %zu objects that it should have", objects)
                           : ngettext("%s lacks %zu rights on %zu object that it should have",
                                      "%s lacks %zu rights on %zu objects that it should have", objects);
    return rights == 1 ? ngettext("%s has %zu right on %zu object that it should not have",
                                  "%s has %zu right on %zu objects that it should not have", objects)
                       : ngettext("%s has %zu rights on %zu object that it should not have",
                                  "%s has %zu rights on %zu objects that it should not have", objects);
}

static OwnFinding *tell_grants(const Groups *groups, const Group *group, OwnFindings *findings)
{
    bool missing = group->cause == CAUSE_MISSING;
    _cleanup_free_ char *who = name_of(groups, group->a);
    bool risky = !missing && group->a == NULL && group->first->flags & OWN_DEFINER;
    OwnFinding *finding = own_finding_add(findings, missing || risky ? OWN_ERROR : OWN_WARNING,
                                          missing ? "grant-missing" : "grant-extra");
    finding->message =
        xasprintf(rights_format(missing, group->rights, group->objects.n), who, group->rights, group->objects.n);
    finding->consequence = grant_consequence(groups, group, missing);
    return finding;
}

static OwnFinding *tell_grantor(const Groups *groups, const Group *group, OwnFindings *findings)
{
    _cleanup_free_ char *who = name_of(groups, group->a);
    OwnFinding *finding = own_finding_add(findings, OWN_WARNING, "grant-grantor");
    finding->message = xasprintf(ngettext("rights of %s on %zu object come from another grantor than they should, or "
                                          "with another grant option",
                                          "rights of %s on %zu objects come from another grantor than they should, or "
                                          "with another grant option",
                                          group->objects.n),
                                 who, group->objects.n);
    finding->consequence = xstrdup(_("who granted a right decides with whose REVOKE it goes"));
    return finding;
}

/* Default privileges are lost when something is wanted that there is not. */
static OwnFinding *tell_defaults(const Groups *groups, const Group *group, OwnFindings *findings)
{
    OwnAcl lost;
    own_acl_copy(&lost, &group->wanted->acl);
    for (size_t i = 0; i < group->first->acl.n; i++)
        own_acl_revoke(&lost, &group->first->acl.v[i]);
    OwnFinding *finding =
        own_finding_add(findings, OWN_WARNING, lost.n ? "default-privileges-lost" : "default-privileges");
    finding->message = xasprintf(
        lost.n ? ngettext("default privileges of role \"%s\" are lost for %zu kind of objects",
                          "default privileges of role \"%s\" are lost for %zu kinds of objects", group->objects.n)
               : ngettext("default privileges of role \"%s\" are other than they should be for %zu kind of "
                          "objects",
                          "default privileges of role \"%s\" are other than they should be for %zu kinds of "
                          "objects",
                          group->objects.n),
        group->a, group->objects.n);
    const char *kind = own_kinds[group->first->kind].grant;
    if (lost.n) {
        _cleanup_free_ char *who = name_of(groups, lost.v[0].grantee);
        finding->consequence = xasprintf(_("%s has no rights on %s that %s creates from now on"), who, kind, group->a);
    } else {
        finding->consequence = xasprintf(_("%s that %s creates from now on have other grants"), kind, group->a);
    }
    own_acl_done(&lost);
    return finding;
}

static OwnFinding *tell_policies(const Group *group, OwnFindings *findings)
{
    OwnFinding *finding = own_finding_add(findings, OWN_ERROR, "policy-roles");
    finding->message =
        xasprintf(ngettext("%zu row-level security policy applies to other roles than it should",
                           "%zu row-level security policies apply to other roles than they should", group->objects.n),
                  group->objects.n);
    finding->consequence = xstrdup(_("some roles see rows that they should not, or none that they should"));
    return finding;
}

/* No plan makes or drops one: only people know the password that is in it. */
static OwnFinding *tell_mappings(const Groups *groups, const Group *group, OwnFindings *findings)
{
    bool missing = group->cause == CAUSE_MAPPING_MISSING;
    const char *server = group->first->sql;
    _cleanup_free_ char *who = name_of(groups, group->a);
    _cleanup_free_ char *role = group->a ? sql_quote_ident(group->a) : xstrdup("PUBLIC");
    OwnFinding *finding =
        own_finding_add(findings, OWN_WARNING, missing ? "user-mapping-missing" : "user-mapping-extra");
    finding->message = xasprintf(
        missing ? ngettext("%s lacks the user mapping on %zu foreign server that it should have",
                           "%s lacks the user mapping on %zu foreign servers that it should have", group->objects.n)
                : ngettext("%s has a user mapping on %zu foreign server that it should not have",
                           "%s has a user mapping on %zu foreign servers that it should not have", group->objects.n),
        who, group->objects.n);
    finding->consequence =
        missing ? xasprintf(_("%s cannot log in to foreign server %s: its tables there fail"), who, server)
                : xasprintf(_("%s can log in to foreign server %s"), who, server);
    finding->cure = missing ? xasprintf(_("CREATE USER MAPPING FOR %s SERVER %s OPTIONS (..); with the password there"),
                                        role, server)
                            : xasprintf("DROP USER MAPPING FOR %s SERVER %s;", role, server);
    return finding;
}

static OwnFinding *tell(const Groups *groups, const Group *group, OwnFindings *findings)
{
    switch (group->cause) {
    case CAUSE_OWNER:
    case CAUSE_LATER:
    case CAUSE_DATABASE:
        return tell_owner(groups, group, findings);
    case CAUSE_MISSING:
    case CAUSE_EXTRA:
        return tell_grants(groups, group, findings);
    case CAUSE_GRANTOR:
        return tell_grantor(groups, group, findings);
    case CAUSE_DEFAULTS:
        return tell_defaults(groups, group, findings);
    case CAUSE_MAPPING_MISSING:
    case CAUSE_MAPPING_EXTRA:
        return tell_mappings(groups, group, findings);
    case CAUSE_POLICY:
        break;
    }
    return tell_policies(group, findings);
}

void own_compare(const OwnState *have, const OwnState *want, const char *cure_command, OwnFindings *findings)
{
    Groups groups = {.have = have, .want = want};
    for (size_t i = 0; i < have->n; i++) {
        compare_owner(&groups, &have->v[i], &want->v[i]);
        compare_grants(&groups, &have->v[i], &want->v[i]);
        if (have->v[i].kind == OWN_USER_MAPPING)
            compare_mappings(&groups, &have->v[i], &want->v[i]);
        else
            compare_policy(&groups, &have->v[i], &want->v[i]);
    }
    for (size_t i = 0; i < groups.n; i++) {
        OwnFinding *finding = tell(&groups, &groups.v[i], findings);
        if (finding->cure == NULL)
            finding->cure = xstrdup_null(cure_command);
        finding->objects = groups.v[i].objects;
    }
    free(groups.v);
}
