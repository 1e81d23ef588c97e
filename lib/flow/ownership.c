/* The ownership audit of a restore asks pg_dump itself: the scratch database's schema is dumped, and its TOC is
 * compared with the one that was asked for, entry by entry. So nothing that pg_dump knows about can be forgotten here.
 */
#include <stdlib.h>
#include <string.h>

#include "dumppipe.h"
#include "entryid.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "restore_priv.h"

enum { FINDINGS_MAX = 50 };

typedef struct Comparison {
    Restore *restore;
    const Toc *expected;
    const TocEntry **actual; /* sorted */
    size_t n_actual;
    PGresult *unreadable; /* relations that the session may not read: schema, name, owner; NULL: it reads all */
    Severity severity; /* of a difference: an error, or a warning where two majors of pg_dump word things differently */
    size_t differences;
} Comparison;

static int by_entry(const void *a, const void *b)
{
    return entryid_compare(*(const TocEntry *const *)a, *(const TocEntry *const *)b);
}

static const TocEntry *find(const Comparison *comparison, const TocEntry *key)
{
    const TocEntry **found =
        bsearch(&key, comparison->actual, comparison->n_actual, sizeof *comparison->actual, by_entry);
    return found ? *found : NULL;
}

/* Whether one more difference is to be told. */
static bool differs(Comparison *comparison)
{
    return comparison->differences++ < FINDINGS_MAX;
}

static void differs_in_owner(Comparison *comparison, const TocEntry *expected, const char *actual)
{
    if (entryid_compare_text(actual, expected->owner) == 0)
        return;
    comparison->restore->report->owners_wrong++;
    if (!differs(comparison))
        return;
    _cleanup_free_ char *name = entryid_name(expected);
    findings_add(comparison->restore->findings, comparison->severity, "owner-wrong", NULL,
                 "%s belongs to \"%s\", expected \"%s\"", name, actual, expected->owner);
}

static bool is_ownable(const TocEntry *entry)
{
    bool created = entry->drop_stmt && *entry->drop_stmt;
    return created && !toc_entry_is(entry, "BLOB METADATA") && rights_is_owned(entry);
}

static bool is_acl(const TocEntry *entry)
{
    return toc_entry_is(entry, "ACL") || entryid_is_default_acl(entry);
}

/* Whether an entry is a relation, which bears its bare name, or the grants on it or on its columns, which bear it as
 * SQL does. */
static bool is_about(const TocEntry *entry, const char *relation)
{
    static const char *const kinds[] = {"TABLE ", "SEQUENCE ", "COLUMN "};
    if (!is_acl(entry))
        return entryid_compare_text(entry->tag, relation) == 0;
    _cleanup_free_ char *quoted = sql_quote_ident(relation);
    size_t len = strlen(quoted);
    for (size_t i = 0; entry->tag && i < ARRAY_SIZE(kinds); i++) {
        size_t kind = strlen(kinds[i]);
        if (strncmp(entry->tag, kinds[i], kind) == 0 && strncmp(entry->tag + kind, quoted, len) == 0 &&
            entry->tag[kind + len] == (kinds[i][0] == 'C' ? '.' : 0))
            return true;
    }
    return false;
}

/* Who may not read a relation, its owner included, cannot lock it: pg_dump must leave it out. Its owner is known. */
static const char *unreadable_owner(const Comparison *comparison, const TocEntry *entry)
{
    for (int i = 0; comparison->unreadable && i < PQntuples(comparison->unreadable); i++)
        if (entryid_compare_text(entry->namespace, pg_cell(comparison->unreadable, i, 0)) == 0 &&
            is_about(entry, pg_cell(comparison->unreadable, i, 1)))
            return pg_cell(comparison->unreadable, i, 2);
    return NULL;
}

/* What nobody could give to its owner was told before the restore began. */
static bool owner_was_skipped(const Restore *restore, const TocEntry *entry)
{
    return restore->limited && !restore->aid.superuser && !strvec_contains(&restore->becomes, entry->owner);
}

static void compare_owner(Comparison *comparison, const TocEntry *expected)
{
    if (trouble_lacks(comparison->restore, expected) || owner_was_skipped(comparison->restore, expected))
        return;
    comparison->restore->report->owners_checked++;
    const char *unreadable = unreadable_owner(comparison, expected);
    const TocEntry *actual = unreadable ? NULL : find(comparison, expected);
    if (unreadable || actual) {
        differs_in_owner(comparison, expected, unreadable ? unreadable : actual->owner);
    } else if (!comparison->restore->options->trial /* told by the comparison of the schema */ && differs(comparison)) {
        _cleanup_free_ char *name = entryid_name(expected);
        findings_add(comparison->restore->findings, comparison->severity, "object-missing", NULL,
                     "%s is not in the restored database", name);
    }
}

/* As a statement, which could be run. */
static char *item_text(const AclItem *item)
{
    _cleanup_free_ char *column = item->column ? sql_quote_ident(item->column) : NULL;
    _cleanup_free_ char *grantee = item->grantee ? sql_quote_ident(item->grantee) : NULL;
    _cleanup_free_ char *grantor = item->grantor ? sql_quote_ident(item->grantor) : NULL;
    return xasprintf("%s%s %s%s%s%s ON %s %s %s%s%s%s", item->grant ? "GRANT" : "REVOKE",
                     !item->grant && item->grantable ? " GRANT OPTION FOR" : "", item->privilege, column ? " (" : "",
                     column ? column : "", column ? ")" : "", item->object, item->grant ? "TO" : "FROM",
                     grantee ? grantee : "PUBLIC", item->grant && item->grantable ? " WITH GRANT OPTION" : "",
                     grantor ? " GRANTED BY " : "", grantor ? grantor : "");
}

/* NULL is PUBLIC, the owner or no column: other than any name. */
static bool same_name(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_item(const AclItem *a, const AclItem *b)
{
    return a->grant == b->grant && a->grantable == b->grantable && same_name(a->privilege, b->privilege) &&
           same_name(a->column, b->column) && same_name(a->object, b->object) && same_name(a->grantee, b->grantee) &&
           same_name(a->grantor, b->grantor);
}

static bool has_item(const AclItems *items, const AclItem *wanted)
{
    for (size_t i = 0; i < items->n; i++)
        if (same_item(&items->v[i], wanted))
            return true;
    return false;
}

static bool is_covered(const AclItems *items, const AclItem *wanted)
{
    for (size_t i = 0; i < items->n; i++)
        if (aclitem_covers(&items->v[i], wanted))
            return true;
    return false;
}

/* A schema public that got another name is told as what differs from initdb's: its owner has all, PUBLIC nothing. That
 * is what any other schema begins with, so a copy has no such statements. */
static bool is_default_of_schema(const TocEntry *entry, const AclItem *item, const AclItems *actual)
{
    if (strncmp(item->object, "SCHEMA ", 7) != 0 || strcmp(item->object, "SCHEMA public") == 0 || item->grantor)
        return false;
    if (item->grantee == NULL)
        return !item->grant;
    for (size_t i = 0; i < actual->n; i++)
        if (!actual->v[i].grant && same_name(actual->v[i].grantee, entry->owner))
            return false;
    return item->grant && strcmp(item->privilege, "ALL") == 0 && entryid_compare_text(item->grantee, entry->owner) == 0;
}

static void compare_items(Comparison *comparison, const TocEntry *entry, const AclItems *expected,
                          const AclItems *actual, bool missing)
{
    for (size_t i = 0; i < expected->n; i++) {
        const AclItem *item = &expected->v[i];
        bool to_owner = item->grantee && entryid_compare_text(item->grantee, entry->owner) == 0;
        if (comparison->restore->merges && (!item->grant || to_owner))
            continue; /* merged roles: what the owner has is worded anew */
        if (has_item(actual, item) || (comparison->restore->merges && is_covered(actual, item)))
            continue;
        if (!item->grant && item->grantee)
            continue; /* taken from a role by name: shows in its grants, and is worded only where there was something to
                         take */
        if (missing && is_default_of_schema(entry, item, actual))
            continue;
        RestoreReport *report = comparison->restore->report;
        *(entryid_is_default_acl(entry) ? &report->defaults_wrong : &report->grants_wrong) += 1;
        if (!differs(comparison))
            continue;
        _cleanup_free_ char *name = entryid_name(entry), *text = item_text(item);
        findings_add(comparison->restore->findings, comparison->severity, missing ? "grant-missing" : "grant-extra",
                     NULL, "%s: %s: %s", name, missing ? _("missing") : _("not asked for"), text);
    }
}

static int compare_acl(Comparison *comparison, const TocEntry *expected, const TocEntry *actual, Error *err)
{
    const TocEntry *entry = expected ? expected : actual;
    AclItems want = {0}, have = {0};
    int rc = -1;
    if ((expected && expected->defn && acl_parse(expected->defn, &want, err) < 0) ||
        (actual && actual->defn && acl_parse(actual->defn, &have, err) < 0))
        goto done;
    compare_items(comparison, entry, &want, &have, true);
    if (!comparison->restore->merges)
        compare_items(comparison, entry, &have, &want, false);
    comparison->restore->report->grants_checked += want.n;
    comparison->restore->report->defaults_checked += entryid_is_default_acl(entry) ? want.n : 0;
    rc = 0;
done:
    aclitems_done(&want);
    aclitems_done(&have);
    return rc;
}

static int compare_all(Comparison *comparison, const Toc *actual, Error *err)
{
    const Toc *expected = comparison->expected;
    for (size_t i = 0; i < expected->n_entries; i++) {
        const TocEntry *entry = &expected->entries[i];
        if (is_ownable(entry))
            compare_owner(comparison, entry);
        if (is_acl(entry) && !entryid_is_about_database(entry) && !trouble_lacks(comparison->restore, entry) &&
            !unreadable_owner(comparison, entry) && compare_acl(comparison, entry, find(comparison, entry), err) < 0)
            return -1;
    }
    Comparison back = {.actual = xcalloc(expected->n_entries, sizeof *back.actual), .n_actual = expected->n_entries};
    for (size_t i = 0; i < expected->n_entries; i++)
        back.actual[i] = &expected->entries[i];
    qsort(back.actual, back.n_actual, sizeof *back.actual, by_entry);
    int rc = 0;
    for (size_t i = 0; i < actual->n_entries && rc == 0; i++) {
        const TocEntry *entry = &actual->entries[i];
        if (is_acl(entry) && !entryid_is_about_database(entry) && find(&back, entry) == NULL)
            rc = compare_acl(comparison, NULL, entry, err);
    }
    free(back.actual);
    return rc;
}

size_t check_ownership_locks(const Restore *restore)
{
    size_t n = 0;
    for (size_t i = 0; i < restore->toc->n_entries; i++)
        n += toc_entry_is(&restore->toc->entries[i], "TABLE");
    return n;
}

/* The whole TOC as a backup would read it, large objects included; pg_dump is ended before its data. */
static int read_actual(Restore *restore, const PGresult *unreadable, Toc **ret, Error *err)
{
    PgTools tools = {0};
    Proc *dump = NULL;
    _cleanup_(buf_done) Buf raw = {0};
    _cleanup_(buf_done) Buf rest = {0};
    _cleanup_(strvec_done) StrVec without = {0};
    for (int i = 0; unreadable && i < PQntuples(unreadable); i++) {
        _cleanup_free_ char *schema = sql_quote_ident(pg_cell(unreadable, i, 0));
        _cleanup_free_ char *name = sql_quote_ident(pg_cell(unreadable, i, 1));
        strvec_pushf(&without, "--exclude-table=%s.%s", schema, name);
    }
    PgConn *conn = restore->aid.superuser ? restore->helper : restore->admin;
    int rc = pgtools_find(restore->options->pg_bindir, restore->target.server_version_num / 10000, &tools, err);
    if (rc == 0)
        rc = dumppipe_open(conn, restore->scratch, &tools, &without, &dump, err);
    if (rc == 0)
        rc = dumppipe_read_toc(dump, &raw, &rest, ret, err);
    if (rc < 0 && dump && dumppipe_lacked_locks(dump))
        rc = catalog_lock_full(conn, check_ownership_locks(restore), 1, err);
    proc_free(dump);
    pgtools_done(&tools);
    return rc;
}

/* What pg_dump could not lock as the restoring role. Gives NULL when that is nothing. */
static int find_unreadable(Restore *restore, PGresult **ret, Error *err)
{
    PgConn *conn;
    *ret = NULL;
    if (!restore->limited || restore->aid.superuser)
        return 0;
    if (target_connect(restore, NULL, &conn, err) < 0)
        return -1;
    int rc = catalog_unreadable(conn, ret, err);
    pg_close(conn);
    if (rc == 0 && PQntuples(*ret) == 0) {
        PQclear(*ret);
        *ret = NULL;
    }
    return rc;
}

/* Tells what is left out of the audit. False when pg_dump cannot run at all: it insists on the tables of extensions. */
static bool tell_unreadable(Restore *restore, const PGresult *unreadable)
{
    enum { MEMBER = 3 };
    bool possible = true;
    for (int i = 0; i < PQntuples(unreadable); i++) {
        bool member = pg_cell_bool(unreadable, i, MEMBER);
        possible &= !member;
        const char *schema = pg_cell(unreadable, i, 0), *name = pg_cell(unreadable, i, 1);
        const char *hint = N_("Restore with a superuser's --admin-db to have it audited too.");
        if (member)
            findings_add(restore->findings, FINDING_WARNING, "not-audited", hint,
                         "owners and grants were not audited: role \"%s\" may not read \"%s\".\"%s\", which belongs to "
                         "an extension",
                         restore->self.user, schema, name);
        else
            findings_add(restore->findings, FINDING_NOTE, "not-audited", hint,
                         "the grants on \"%s\".\"%s\" were not audited: its owner \"%s\" may not read it", schema, name,
                         pg_cell(unreadable, i, 2));
    }
    return possible;
}

static int compare_with(Restore *restore, const Toc *actual, PGresult *unreadable, Error *err)
{
    bool same = toc_version_major(actual->dump_version) == toc_version_major(restore->toc->dump_version) &&
                toc_version_major(actual->server_version) == toc_version_major(restore->toc->server_version);
    Comparison comparison = {.restore = restore,
                             .expected = restore->toc,
                             .actual = xcalloc(actual->n_entries, sizeof *comparison.actual),
                             .n_actual = actual->n_entries,
                             .unreadable = unreadable,
                             .severity = same ? FINDING_ERROR : FINDING_WARNING};
    for (size_t i = 0; i < actual->n_entries; i++)
        comparison.actual[i] = &actual->entries[i];
    qsort(comparison.actual, comparison.n_actual, sizeof *comparison.actual, by_entry);
    const RestoreTrial *trial = restore->options->trial;
    int rc = compare_all(&comparison, actual, err);
    free(comparison.actual);
    if (rc == 0 && trial)
        return trial->compare(trial->ctx, restore, actual, same, unreadable == NULL, err);
    if (rc == 0 && comparison.differences > 0 && same) {
        restore->differs = true;
        rc = error_set(err, ERR_FAILED, "owners and grants differ from what was asked for in %zu places",
                       comparison.differences);
    }
    return rc;
}

int check_ownership(Restore *restore, Error *err)
{
    Toc *actual;
    PGresult *unreadable;
    if (find_unreadable(restore, &unreadable, err) < 0)
        return error_wrap(err, "the ownership audit");
    int rc = 0;
    if (unreadable == NULL || tell_unreadable(restore, unreadable)) {
        rc = read_actual(restore, unreadable, &actual, err);
        if (rc < 0) {
            error_wrap(err, "the ownership audit");
        } else {
            rc = compare_with(restore, actual, unreadable, err);
            toc_free(actual);
        }
    }
    PQclear(unreadable);
    return rc;
}
