/* What is wrong, or surprising, with a map for a given backup. */
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "rolemap_priv.h"

static bool changes(const RoleUse *use)
{
    return use->new_name == NULL || strcmp(use->new_name, use->name) != 0;
}

static char *format_rule(const RoleRule *rule)
{
    _cleanup_free_ char *old_name = sql_quote_ident(rule->old_name);
    return xasprintf("%s=%s", old_name, rule->new_sql ? rule->new_sql : "@drop");
}

/* "The backup names these roles: a, b, c." */
static char *list_roles(const RoleUses *uses)
{
    enum { MAX_SHOWN = 4096 };
    Buf list = BUF_INIT(MAX_SHOWN);
    size_t shown = 0;
    for (size_t i = 0; i < uses->n; i++) {
        _cleanup_free_ char *name = sql_quote_ident(uses->v[i].name);
        if (!uses->v[i].named || rolemap_is_fixed(uses->v[i].name))
            continue;
        if (buf_printf(&list, NULL, "%s%s", shown++ ? ", " : "", name) < 0)
            break;
    }
    char *text = shown ? xasprintf(_("Correct or remove the rule. The backup names these roles: %s."), buf_str(&list))
                       : xstrdup(_("Remove the rule. The backup names no role."));
    buf_done(&list);
    return text;
}

static void check_rule(const RoleRule *rule, const RoleUses *uses, Findings *findings)
{
    const RoleUse *use = roleuses_find(uses, rule->old_name);
    if (use && use->named)
        return;
    _cleanup_free_ char *text = format_rule(rule), *hint = list_roles(uses);
    if (use)
        findings_add(findings, FINDING_ERROR, "role-rule-unused", hint,
                     "role map rule \"%s\" matches nothing: the backup only mentions the role in %s", text,
                     use->mentioned_in.v[0]);
    else
        findings_add(findings, FINDING_ERROR, "role-rule-unused", hint, "role map rule \"%s\" matches nothing", text);
}

static void check_drop(const RoleUse *use, Findings *findings)
{
    if (use->owns > 0)
        findings_add(findings, FINDING_ERROR, "role-drop-owner",
                     "Map the role to one that takes over what it owns; @drop is for roles with grants alone.",
                     "role \"%s\" is to be dropped, but it owns %zu objects", use->name, use->owns);
    if (use->owns_database)
        findings_add(findings, FINDING_ERROR, "role-drop-owner", "Map the role to one that takes the database over.",
                     "role \"%s\" is to be dropped, but it owns the database", use->name);
    if (use->policies > 0)
        findings_add(findings, FINDING_WARNING, "role-drop-policy",
                     "A policy for this role alone is not restored. Row-level security stays on for its table.",
                     "role \"%s\" is to be dropped, and %zu row-level security policies are for it", use->name,
                     use->policies);
    if (use->user_mappings > 0)
        findings_add(findings, FINDING_WARNING, "role-drop-mapping",
                     "Its user mappings, and the passwords in them, are not restored.",
                     "role \"%s\" is to be dropped, and %zu user mappings of foreign servers are for it", use->name,
                     use->user_mappings);
}

static void check_mentions(const RoleUse *use, Findings *findings)
{
    if (use->mentions == 0 || !use->named || !changes(use))
        return;
    Buf places = BUF_INIT(2048);
    for (size_t i = 0; i < use->mentioned_in.n; i++)
        if (buf_printf(&places, NULL, "%s%s", i ? ", " : "", use->mentioned_in.v[i]) < 0)
            break;
    findings_add(findings, FINDING_WARNING, "role-mentioned",
                 "Names inside strings and bodies of code are not changed. Look whether they mean the role, and change "
                 "them by hand after the restore.",
                 "role \"%s\" gets another name, but its old one stays in strings or code of %s", use->name,
                 buf_str(&places));
    buf_done(&places);
}

static int compare_new_names(const void *left, const void *right)
{
    const RoleUse *a = *(const RoleUse *const *)left, *b = *(const RoleUse *const *)right;
    return strcmp(a->new_name, b->new_name);
}

/* A role has one user mapping a server and one value a setting: when several become one, one of theirs is left. */
static void check_group(const RoleUse **group, size_t n, Findings *findings)
{
    size_t with_mappings = 0, with_settings = 0;
    for (size_t i = 0; i < n; i++) {
        with_mappings += group[i]->user_mappings > 0;
        with_settings += group[i]->settings > 0;
    }
    if (with_mappings > 1)
        findings_add(findings, FINDING_WARNING, "role-merge-mapping",
                     "Where several have one for the same server, the first one in the backup is restored.",
                     "%zu roles with user mappings of foreign servers become one, \"%s\"", with_mappings,
                     group[0]->new_name);
    if (with_settings > 1)
        findings_add(findings, FINDING_WARNING, "role-merge-setting",
                     "Where several set the same parameter, the last value in the backup is restored.",
                     "%zu roles with settings of their own in the database become one, \"%s\"", with_settings,
                     group[0]->new_name);
}

static void check_merges(const RoleUses *uses, Findings *findings)
{
    _cleanup_free_ const RoleUse **sorted = xcalloc(uses->n, sizeof *sorted);
    size_t n = 0, end;
    for (size_t i = 0; i < uses->n; i++)
        if (uses->v[i].new_name)
            sorted[n++] = &uses->v[i];
    qsort(sorted, n, sizeof *sorted, compare_new_names);
    for (size_t start = 0; start < n; start = end) {
        for (end = start + 1; end < n && strcmp(sorted[start]->new_name, sorted[end]->new_name) == 0; end++)
            ;
        check_group(sorted + start, end - start, findings);
    }
}

void rolemap_check(const RoleMap *map, const RoleUses *uses, Findings *findings)
{
    for (size_t i = 0; i < map->n; i++)
        check_rule(&map->v[i], uses, findings);
    for (size_t i = 0; i < uses->n; i++) {
        if (uses->v[i].new_name == NULL)
            check_drop(&uses->v[i], findings);
        check_mentions(&uses->v[i], findings);
    }
    check_merges(uses, findings);
}
