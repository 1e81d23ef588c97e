/* Another major, another operating system: what a restore into them cannot do is said before the first statement, what
 * it does differently is told. */
#include <stdlib.h>
#include <string.h>

#include "kura/databases.h"
#include "kura/mem.h"
#include "kura/newsql.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "restore_priv.h"

enum { FIRST_WITH_DATABASE_OWNER = 140000, FIRST_WITH_PROVIDERS = 150000, FIRST_WITH_TRANSACTION_TIMEOUT = 17 };

/* ---- an older server ---- */

static void tell_new_sql(Restore *restore, const NewSql *found, int major)
{
    const TocEntry *entry = found->first;
    _cleanup_free_ char *hint =
        xasprintf(_("Change that in the source and back it up again, or restore into PostgreSQL %d "
                    "or newer."),
                  found->since);
    findings_add(
        restore->findings, FINDING_ERROR, "newer-sql", hint,
        ngettext("PostgreSQL %d does not have %s (since %d); %zu object needs it, the first is %s %s%s%s",
                 "PostgreSQL %d does not have %s (since %d); %zu objects need it, the first is %s %s%s%s", found->n),
        major, words_get(found->what), found->since, found->n, entry->desc, entry->namespace ? entry->namespace : "",
        entry->namespace && *entry->namespace ? "." : "", entry->tag ? entry->tag : "");
}

static void check_predefined_roles(Restore *restore, int major)
{
    const RoleUses *uses = &restore->report->roles;
    for (size_t i = 0; i < uses->n; i++) {
        const char *name = uses->v[i].new_name;
        int since = name ? newsql_role_since(name) : 0;
        if (since <= major || strcmp(name, "pg_database_owner") == 0 || uses->v[i].grants + uses->v[i].owns == 0)
            continue;
        findings_add(restore->findings, FINDING_ERROR, "newer-role",
                     "Revoke what it has in the source, and back it up again.",
                     "PostgreSQL %d does not have the role %s (since %d), which owns %zu objects and has %zu grants",
                     major, name, since, uses->v[i].owns, uses->v[i].grants);
    }
}

/* Before PostgreSQL 14 the schema public has an owner like any other: the database's stands for it. */
static void replace_database_owner(Restore *restore)
{
    const TocEntry *database = toc_find_first(restore->toc, "DATABASE", "");
    if (database == NULL || database->owner == NULL || *database->owner == 0)
        return;
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        TocEntry *entry = &restore->toc->entries[i];
        if (entry->owner && strcmp(entry->owner, "pg_database_owner") == 0)
            entry->owner = toc_strdup(restore->toc, database->owner);
    }
}

int check_downgrade(Restore *restore, Error *err)
{
    int major = restore->target.server_version_num / 10000;
    NewSqls list;
    if (major >= toc_version_major(restore->toc->server_version) || !restore->options->allow_downgrade)
        return 0;
    if (newsql_find(restore->toc, major, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.n; i++)
        tell_new_sql(restore, &list.v[i], major);
    newsqls_done(&list);
    check_predefined_roles(restore, major);
    if (restore->target.server_version_num < FIRST_WITH_DATABASE_OWNER)
        replace_database_owner(restore);
    return 0;
}

void check_preamble(Restore *restore)
{
    int major = restore->target.server_version_num / 10000;
    if (restore->tools.major >= FIRST_WITH_TRANSACTION_TIMEOUT && major < FIRST_WITH_TRANSACTION_TIMEOUT)
        findings_add(restore->findings, FINDING_NOTE, "setting-dropped", NULL,
                     "pg_restore %d sets transaction_timeout, which PostgreSQL %d does not know: it goes without",
                     restore->tools.major, major);
}

/* ---- another operating system ---- */

typedef struct Locale {
    char *encoding, *provider, *collate, *ctype;
    char *name; /* the locale of ICU or the builtin provider; else NULL */
} Locale;

static void locale_done(Locale *locale)
{
    free(locale->encoding);
    free(locale->provider);
    free(locale->collate);
    free(locale->ctype);
    free(locale->name);
}

static void set_text(char **text, char *value)
{
    free(*text);
    *text = value;
}

static void take_option(Locale *locale, const SqlToken *name, const SqlToken *value)
{
    char *text = value->kind == SQL_STRING ? sql_string_value(value) : sql_ident_value(value);
    if (sql_is_word(name, "encoding"))
        set_text(&locale->encoding, text);
    else if (sql_is_word(name, "locale_provider"))
        set_text(&locale->provider, text);
    else if (sql_is_word(name, "lc_collate"))
        set_text(&locale->collate, text);
    else if (sql_is_word(name, "lc_ctype"))
        set_text(&locale->ctype, text);
    else if (sql_is_word(name, "icu_locale") || sql_is_word(name, "builtin_locale"))
        set_text(&locale->name, text);
    else if (sql_is_word(name, "locale")) {
        set_text(&locale->collate, xstrdup_null(text));
        set_text(&locale->ctype, text);
    } else
        free(text);
}

/* From the text of CREATE DATABASE: name = value, again and again. */
static int read_locale(const TocEntry *database, Locale *ret, Error *err)
{
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n, kept = 0;
    if (database == NULL || database->defn == NULL)
        return 0;
    if (sql_tokens(database->defn, strlen(database->defn), &tokens, &n, err) < 0)
        return error_wrap(err, "the archive's CREATE DATABASE");
    for (size_t i = 0; i < n; i++)
        if (tokens[i].kind != SQL_SPACE && tokens[i].kind != SQL_COMMENT)
            tokens[kept++] = tokens[i];
    for (size_t i = 1; i + 1 < kept; i++)
        if (tokens[i].kind == SQL_OPERATOR && tokens[i].len == 1 && tokens[i].start[0] == '=')
            take_option(ret, &tokens[i - 1], &tokens[i + 1]);
    if (ret->provider == NULL)
        ret->provider = xstrdup("libc");
    return 0;
}

static bool is_plain(const char *name)
{
    return name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}

/* The statement that asks the target's library for the locale. */
static char *probe_statement(const Locale *locale)
{
    _cleanup_free_ char *collate = sql_quote_literal(locale->collate ? locale->collate : "C");
    _cleanup_free_ char *ctype = sql_quote_literal(locale->ctype ? locale->ctype : "C");
    _cleanup_free_ char *name = sql_quote_literal(locale->name ? locale->name : "");
    if (strcmp(locale->provider, "icu") == 0)
        return xasprintf("CREATE COLLATION pg_temp.kura_probe (PROVIDER = icu, LOCALE = %s)", name);
    return xasprintf("CREATE COLLATION pg_temp.kura_probe (PROVIDER = libc, LC_COLLATE = %s, LC_CTYPE = %s)", collate,
                     ctype);
}

static void locale_missing(Restore *restore, const Locale *locale, const char *why)
{
    bool icu = strcmp(locale->provider, "icu") == 0;
    findings_add(
        restore->findings, FINDING_ERROR, "locale-missing",
        icu ? N_("Use a server that was built with ICU and knows the locale; where icu_validation_level is error, "
                 "warning "
                 "lets PostgreSQL take the closest one it knows.")
            : N_("Install it on the host of the server (on Debian: /etc/locale.gen, then locale-gen), and restart "
                 "PostgreSQL, which learns of it then."),
        "the target does not have the locale of the database, %s (%s): %s",
        icu               ? locale->name ? locale->name : ""
        : locale->collate ? locale->collate
                          : "",
        locale->provider, why);
}

static void compare_version(Restore *restore, const Locale *locale, const char *actual)
{
    const char *before = restore->manifest ? restore->manifest->database.facts.collation_version : NULL;
    if (before == NULL || actual == NULL || strcmp(before, actual) == 0)
        return;
    findings_add(
        restore->findings, FINDING_NOTE, "collation-version",
        "A restore builds every index anew, so nothing needs REINDEX here; a partitioned table whose bounds are "
        "text may refuse rows. What was copied as files, or was there before the system was upgraded, needs "
        "REINDEX DATABASE, then ALTER DATABASE .. REFRESH COLLATION VERSION.",
        "text sorts by version %s of the %s collations on the target, it did by version %s at the source", actual,
        locale->provider, before);
}

/* A collation that is rolled back tells both: whether the locale is there, and its version. It cannot be asked for in a
 * database of another encoding, nor without the right to temporary objects. */
static int probe_locale(Restore *restore, const Locale *locale, Error *err)
{
    Error refused = ERROR_INIT;
    _cleanup_free_ char *statement = probe_statement(locale);
    _cleanup_free_ char *version = NULL;
    int rc = pg_exec(restore->admin, "BEGIN", err);
    if (rc == 0 && pg_exec(restore->admin, statement, &refused) == 0)
        rc = pg_query_value(restore->admin,
                            "SELECT pg_catalog.pg_collation_actual_version(oid) FROM pg_catalog.pg_collation"
                            " WHERE collname = 'kura_probe' AND collnamespace = pg_catalog.pg_my_temp_schema()",
                            0, NULL, &version, err);
    if (rc < 0 || pg_exec(restore->admin, "ROLLBACK", err) < 0)
        return -1;
    if (refused.code != ERR_NONE && refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    if (strcmp(refused.sqlstate, "22023") == 0 || strcmp(refused.sqlstate, "0A000") == 0)
        locale_missing(restore, locale, refused.message);
    compare_version(restore, locale, version);
    return 0;
}

static bool can_probe(Restore *restore, const Locale *locale)
{
    const char *here = PQparameterStatus(pg_raw(restore->admin), "server_encoding");
    if (strcmp(locale->provider, "icu") == 0)
        return locale->name != NULL;
    return strcmp(locale->provider, "libc") == 0 && !(is_plain(locale->collate) && is_plain(locale->ctype)) && here &&
           locale->encoding && strcmp(here, locale->encoding) == 0;
}

static void compare_text(Restore *restore, const char *what, const char *now, const char *then)
{
    if (now == NULL || then == NULL || strcmp(now, then) == 0)
        return;
    findings_add(restore->findings, FINDING_WARNING, "database-locale-differs",
                 "It cannot be changed later. To have the present one, dump and restore by hand into a database made "
                 "with it.",
                 "the %s of database \"%s\" is %s now, and %s in the restored one", what, restore->database, now, then);
}

/* Neither can be altered, so a swap changes them under the application. */
static int compare_existing(Restore *restore, const Locale *locale, Error *err)
{
    uint32_t existing;
    CatalogLocale now;
    if (!restore->options->swap || restore->target.database_empty)
        return 0;
    if (catalog_database_oid(restore->admin, restore->database, &existing, err) < 0)
        return -1;
    if (existing == 0)
        return 0;
    if (catalog_database_locale(restore->admin, existing, &now, err) < 0)
        return -1;
    compare_text(restore, _("encoding"), now.encoding, locale->encoding);
    compare_text(restore, _("locale provider"), now.provider, locale->provider);
    compare_text(restore, _("collation"), now.name ? now.name : now.collate,
                 locale->name ? locale->name : locale->collate);
    compare_text(restore, _("character type"), now.ctype, locale->ctype);
    catalog_locale_done(&now);
    return 0;
}

int check_locale(Restore *restore, Error *err)
{
    _cleanup_(locale_done) Locale locale = {0};
    if (read_locale(toc_find_first(restore->toc, "DATABASE", ""), &locale, err) < 0)
        return -1;
    if (locale.provider == NULL)
        return 0;
    if (strcmp(locale.provider, "libc") == 0)
        restore->no_provider = restore->target.server_version_num < FIRST_WITH_PROVIDERS;
    if (can_probe(restore, &locale) && probe_locale(restore, &locale, err) < 0)
        return -1;
    return compare_existing(restore, &locale, err);
}
