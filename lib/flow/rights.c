#include "rights.h"

#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "rights_needs.h"

/* Owners that are out of reach, with how much would be theirs: one finding each, not one for each of their tables. */
typedef struct Unreachable {
    const char *role;
    const TocEntry *first;
    size_t n;
} Unreachable;

typedef struct Planning {
    const Toc *toc;
    const RightsFacts *facts;
    RightsPlan *plan;
    Findings *findings;
    bool *follows; /* by place in the TOC: a sequence that a column owns, and that has its table's owner */
    Unreachable *unreachable;
    size_t n_unreachable, cap_unreachable;
} Planning;

void rights_plan_done(RightsPlan *plan)
{
    free(plan->make);
    free(plan->own);
    free(plan->late);
    *plan = (RightsPlan){0};
}

const char rights_membership_hint[] =
    N_("Let an administrator GRANT the role to the one that restores (from 16 on WITH INHERIT TRUE, SET TRUE; before, "
       "that one must be INHERIT), map it to another with --map, or give a superuser's connection with --admin-db.");

static const TocEntry *dep_of(const Planning *planning, const TocEntry *entry, size_t i, size_t *ret_place)
{
    const TocEntry *dep = toc_find(planning->toc, atoi(entry->deps[i]));
    if (dep)
        *ret_place = (size_t)(dep - planning->toc->entries);
    return dep;
}

static const CatalogExtension *find_extension(const RightsFacts *facts, const char *name)
{
    for (size_t i = 0; name && i < facts->extensions->n; i++)
        if (strcmp(facts->extensions->v[i].name, name) == 0)
            return &facts->extensions->v[i];
    return NULL;
}

static char *label(const TocEntry *entry)
{
    bool qualified = entry->namespace && *entry->namespace;
    return xasprintf("%s %s%s%s", entry->desc ? entry->desc : "", qualified ? entry->namespace : "",
                     qualified ? "." : "", entry->tag ? entry->tag : "");
}

bool rights_is_owned(const TocEntry *entry)
{
    static const char *const without[] = {"CHECK CONSTRAINT",
                                          "CONSTRAINT",
                                          "DATABASE",
                                          "DATABASE PROPERTIES",
                                          "DEFAULT",
                                          "FK CONSTRAINT",
                                          "INDEX",
                                          "RULE",
                                          "TRIGGER",
                                          "ROW SECURITY",
                                          "POLICY",
                                          "USER MAPPING",
                                          "TABLE ATTACH",
                                          "INDEX ATTACH",
                                          "PUBLICATION TABLE",
                                          "PUBLICATION TABLES IN SCHEMA",
                                          "SEQUENCE OWNED BY",
                                          "DEFAULT ACL",
                                          "CAST",
                                          "TRANSFORM",
                                          "EXTENSION",
                                          "ACCESS METHOD",
                                          "TEXT SEARCH PARSER",
                                          "TEXT SEARCH TEMPLATE",
                                          "SHELL TYPE"};
    if (entry->owner == NULL || *entry->owner == 0)
        return false;
    if (toc_entry_is(entry, "BLOB METADATA"))
        return true;
    if (entry->drop_stmt == NULL || *entry->drop_stmt == 0)
        return toc_entry_is(entry, "SCHEMA"); /* public: it is there already */
    for (size_t i = 0; i < ARRAY_SIZE(without); i++)
        if (toc_entry_is(entry, without[i]))
            return false;
    return true;
}

bool rights_is_config(const Toc *toc, const TocEntry *entry)
{
    if (!toc_entry_is(entry, "TABLE DATA") && !toc_entry_is(entry, "SEQUENCE SET"))
        return false;
    const char *maker = toc_entry_is(entry, "TABLE DATA") ? "TABLE" : "SEQUENCE";
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = toc_find(toc, atoi(entry->deps[i]));
        if (dep && toc_entry_is(dep, maker))
            return false;
    }
    return true;
}

/* Grants, policies and what reads under them wait for the owners; a comment on one waits with it. */
static bool is_late(const Planning *planning, const TocEntry *entry)
{
    static const char *const descs[] = {"ACL", "DEFAULT ACL", "POLICY", "ROW SECURITY", "MATERIALIZED VIEW DATA"};
    for (size_t i = 0; i < ARRAY_SIZE(descs); i++)
        if (toc_entry_is(entry, descs[i]))
            return true;
    size_t place;
    for (size_t i = 0; toc_entry_is(entry, "COMMENT") && i < entry->n_deps; i++) {
        const TocEntry *dep = dep_of(planning, entry, i, &place);
        if (dep && toc_entry_is(dep, "POLICY"))
            return true;
    }
    return false;
}

/* Since 15 schema public belongs to whom the database belongs to, before to the bootstrap superuser. */
static bool is_foreign_public(const Planning *planning, const char *schema)
{
    return schema && strcmp(schema, "public") == 0 && planning->facts->server_version_num < 150000;
}

static bool is_self(const Planning *planning, const char *role)
{
    return strcmp(role, "pg_database_owner") == 0 || strvec_contains(planning->facts->becomes, role);
}

static Doer admin_or_none(const Planning *planning)
{
    return planning->facts->admin_superuser ? DOER_ADMIN : DOER_NONE;
}

static void tell(const Planning *planning, Severity severity, const char *code, const char *hint, const TocEntry *entry,
                 const char *why, const char *consequence)
{
    _cleanup_free_ char *name = label(entry);
    findings_add(planning->findings, severity, code, hint, "%s %s: %s", name, words_get(why), words_get(consequence));
}

static Doer extension_doer(const Planning *planning, const TocEntry *entry)
{
    const RightsFacts *facts = planning->facts;
    const CatalogExtension *extension = find_extension(facts, entry->tag);
    if (extension == NULL || extension->trusted || !extension->superuser)
        return DOER_SELF; /* one that is not available is an error of its own */
    if (facts->admin_superuser || facts->admin_managed)
        return DOER_ADMIN;
    if (extension->present && facts->template1_bare) {
        planning->plan->from_template1 = true;
        return DOER_SELF;
    }
    if (facts->self_managed)
        tell(planning, FINDING_WARNING, "extension-managed",
             N_("If it refuses: let its administrator create the extension in template1, or give --admin-db."), entry,
             N_("is not trusted"), N_("the provider's server decides whether its administrators may create it"));
    else
        tell(planning, FINDING_ERROR, "extension-rights",
             N_("Give an administrator's connection with --admin-db, or let one create the extension in template1."),
             entry, N_("is not trusted"), N_("only a superuser may create it here"));
    return DOER_SELF;
}

/* Comments, grants and labels follow what they are about. */
static Doer follow(const Planning *planning, const TocEntry *entry)
{
    Doer doer = DOER_SELF;
    size_t place;
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = dep_of(planning, entry, i, &place);
        if (dep && planning->plan->make[place] != DOER_SELF)
            doer = planning->plan->make[place];
    }
    return doer;
}

static bool is_about_extension(const TocEntry *entry)
{
    return toc_entry_is(entry, "COMMENT") && entry->tag && strncmp(entry->tag, "EXTENSION ", 10) == 0;
}

static bool is_about_schema_public(const TocEntry *entry)
{
    return is_about_another(entry) && entry->tag && strcmp(entry->tag, "SCHEMA public") == 0;
}

static Doer comment_doer(const Planning *planning, const TocEntry *entry)
{
    if (is_about_extension(entry)) {
        const CatalogExtension *extension = find_extension(planning->facts, entry->tag + 10);
        bool there = planning->plan->from_template1 && extension && extension->present;
        return there ? admin_or_none(planning) : follow(planning, entry);
    }
    if (is_about_schema_public(entry) && is_foreign_public(planning, "public"))
        return admin_or_none(planning);
    return follow(planning, entry);
}

/* What came with the server belongs to its first superuser, whatever the role map makes of that role's name. */
static bool is_about_system(const Planning *planning, const TocEntry *entry)
{
    size_t place;
    for (size_t i = 0; i < entry->n_deps; i++)
        if (dep_of(planning, entry, i, &place))
            return false;
    bool catalog = entry->namespace && strcmp(entry->namespace, "pg_catalog") == 0;
    return catalog || (entry->tag && strncmp(entry->tag, "LANGUAGE ", 9) == 0);
}

static bool is_ours(const Planning *planning, const TocEntry *entry)
{
    return entry->owner && *entry->owner && is_self(planning, entry->owner);
}

/* Grants are made as the object's owner. */
static Doer grant_doer(const Planning *planning, const TocEntry *entry)
{
    Doer made = follow(planning, entry);
    if (made != DOER_SELF)
        return made;
    if (toc_entry_is(entry, "ACL") && is_about_system(planning, entry))
        return admin_or_none(planning);
    if (is_about_schema_public(entry) && is_foreign_public(planning, "public"))
        return admin_or_none(planning);
    return is_ours(planning, entry) ? DOER_SELF : admin_or_none(planning);
}

/* What follows when its table has its owner, who alone may do it. An owner out of reach is told of once, with his
 * tables. */
static Doer late_doer(const Planning *planning, const TocEntry *entry)
{
    return planning->facts->admin_superuser && !is_ours(planning, entry) ? DOER_ADMIN : DOER_SELF;
}

/* The data of an extension's own tables, which belong to who made them. */
static Doer config_doer(const Planning *planning, const TocEntry *entry)
{
    size_t place;
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = dep_of(planning, entry, i, &place);
        if (dep == NULL || !toc_entry_is(dep, "EXTENSION"))
            continue;
        const CatalogExtension *extension = find_extension(planning->facts, dep->tag);
        if (extension && !extension->superuser)
            return planning->plan->make[place];
    }
    return admin_or_none(planning);
}

static Doer maker(const Planning *planning, const TocEntry *entry)
{
    if (toc_entry_is(entry, "EXTENSION"))
        return extension_doer(planning, entry);
    if (toc_entry_is(entry, "ACL") || toc_entry_is(entry, "DEFAULT ACL"))
        return grant_doer(planning, entry);
    if (is_late(planning, entry) && !is_about_another(entry))
        return late_doer(planning, entry);
    if (is_about_another(entry))
        return comment_doer(planning, entry);
    if (rights_is_config(planning->toc, entry))
        return config_doer(planning, entry);
    if (needs_superuser(planning->toc, entry))
        return admin_or_none(planning);
    return DOER_SELF;
}

/* The first dependency that is skipped, or NULL. */
static const TocEntry *skipped_dep(const Planning *planning, const TocEntry *entry)
{
    size_t place;
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = dep_of(planning, entry, i, &place);
        if (dep && planning->plan->make[place] == DOER_NONE)
            return dep;
    }
    return NULL;
}

static const char needs_admin[] = N_("Give a superuser's connection with --admin-db, or restore as a superuser.");

static void plan_making(const Planning *planning, size_t i)
{
    const TocEntry *entry = &planning->toc->entries[i];
    const TocEntry *lacking = skipped_dep(planning, entry);
    Doer doer = lacking ? DOER_NONE : maker(planning, entry);
    planning->plan->make[i] = doer;
    planning->plan->late[i] = is_late(planning, entry);
    if (doer != DOER_NONE)
        return;
    _cleanup_free_ char *lacking_name = lacking ? label(lacking) : NULL;
    _cleanup_free_ char *why = lacking ? xasprintf(_("needs %s, which is skipped"), lacking_name)
                                       : xstrdup(_("needs more rights than there are"));
    Trouble trouble = {.desc = entry->desc, .sqlstate = "42501"};
    Classified verdict = classify(&trouble);
    if (may_be_skipped(entry)) {
        _cleanup_free_ char *skipped = xasprintf(_("is skipped, it %s"), why);
        tell(planning, trouble_severity(verdict.class), "skipped", needs_admin, entry, skipped, verdict.consequence);
    } else {
        tell(planning, FINDING_ERROR, "needs-superuser", needs_admin, entry, why, verdict.consequence);
    }
}

/* Marks the sequences that follow a table. */
static void find_followers(const Planning *planning)
{
    for (size_t i = 0; i < planning->toc->n_entries; i++) {
        const TocEntry *entry = &planning->toc->entries[i];
        size_t place;
        for (size_t j = 0; toc_entry_is(entry, "SEQUENCE OWNED BY") && j < entry->n_deps; j++) {
            const TocEntry *dep = dep_of(planning, entry, j, &place);
            if (dep && toc_entry_is(dep, "SEQUENCE"))
                planning->follows[place] = true;
        }
    }
}

static void count_unreachable(Planning *planning, const TocEntry *entry)
{
    for (size_t i = 0; i < planning->n_unreachable; i++)
        if (strcmp(planning->unreachable[i].role, entry->owner) == 0) {
            planning->unreachable[i].n++;
            return;
        }
    xgrow(&planning->unreachable, &planning->cap_unreachable, planning->n_unreachable);
    planning->unreachable[planning->n_unreachable++] = (Unreachable){.role = entry->owner, .first = entry, .n = 1};
}

static void tell_unreachable(const Planning *planning)
{
    for (size_t i = 0; i < planning->n_unreachable; i++) {
        const Unreachable *unreachable = &planning->unreachable[i];
        _cleanup_free_ char *name = label(unreachable->first);
        findings_add(planning->findings, FINDING_ERROR, "not-a-member", rights_membership_hint,
                     "role \"%s\" is no superuser and may not give objects to role \"%s\" (%zu of them, %s for one)",
                     planning->facts->self, unreachable->role, unreachable->n, name);
    }
}

static void cannot_own(Planning *planning, const TocEntry *entry)
{
    bool public = toc_entry_is(entry, "SCHEMA") && entry->tag && strcmp(entry->tag, "public") == 0;
    if (!public && !toc_entry_is(entry, "PUBLICATION")) {
        count_unreachable(planning, entry);
        return;
    }
    _cleanup_free_ char *why =
        xasprintf(_("should belong to \"%s\", which needs more rights than there are"), entry->owner);
    tell(planning, FINDING_WARNING, "owner-skipped", needs_admin, entry, why,
         public ? N_("it keeps the owner that the new database gives it") : N_("it belongs to the restoring role"));
}

static void plan_owner(Planning *planning, size_t i)
{
    const TocEntry *entry = &planning->toc->entries[i];
    RightsPlan *plan = planning->plan;
    plan->own[i] = DOER_NONE;
    if (!rights_is_owned(entry) || plan->make[i] != DOER_SELF || planning->follows[i])
        return; /* what the administrator makes gets its owner at once */
    bool foreign = toc_entry_is(entry, "SCHEMA") && is_foreign_public(planning, entry->tag);
    if (toc_entry_is(entry, "SCHEMA") && strcmp(entry->owner, "pg_database_owner") == 0)
        return;
    if (!foreign && is_self(planning, entry->owner))
        plan->own[i] = DOER_SELF;
    else if (planning->facts->admin_superuser)
        plan->own[i] = DOER_ADMIN;
    else if (!foreign || !strvec_contains(planning->facts->superusers, entry->owner))
        cannot_own(planning, entry);
}

void rights_plan(const Toc *toc, const RightsFacts *facts, RightsPlan *ret, Findings *findings)
{
    Planning planning = {.toc = toc, .facts = facts, .plan = ret, .findings = findings};
    *ret = (RightsPlan){.make = xcalloc(toc->n_entries + 1, 1),
                        .own = xcalloc(toc->n_entries + 1, 1),
                        .late = xcalloc(toc->n_entries + 1, sizeof(bool))};
    planning.follows = xcalloc(toc->n_entries + 1, sizeof *planning.follows);
    find_followers(&planning);
    for (size_t i = 0; i < toc->n_entries; i++)
        plan_making(&planning, i);
    for (size_t i = 0; i < toc->n_entries; i++)
        plan_owner(&planning, i);
    tell_unreachable(&planning);
    free(planning.unreachable);
    free(planning.follows);
}
