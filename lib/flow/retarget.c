#include "retarget.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* Whether DATABASE behind this word is followed by a database's name (and is not itself the name of a role). */
static bool takes_database(const SqlToken *before)
{
    return before && (sql_is_word(before, "create") || sql_is_word(before, "alter") || sql_is_word(before, "in") ||
                      sql_is_word(before, "on"));
}

/* Such a clause is a word, perhaps "=", and a name. */
static bool begins_dropped(const SqlToken *token, int drop)
{
    return ((drop & DROP_TABLESPACE) && sql_is_word(token, "tablespace")) ||
           ((drop & DROP_PROVIDER) && sql_is_word(token, "locale_provider"));
}

int retarget(const char *sql, const char *name, int drop, StrVec *ret, Error *err)
{
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n;
    if (sql_tokens(sql, strlen(sql), &tokens, &n, err) < 0)
        return -1;
    _cleanup_(buf_done) Buf out = BUF_INIT(64 * 1024 * 1024);
    bool after_database = false, dropping = false, has_words = false;
    const SqlToken *before = NULL;
    for (size_t i = 0; tokens[i].kind != SQL_END; i++) {
        const SqlToken *token = &tokens[i];
        bool ident = token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT;
        if (sql_is_punct(token, ";")) {
            if (has_words)
                strvec_push(ret, buf_str(&out));
            buf_clear(&out);
            has_words = dropping = after_database = false;
            before = NULL;
            continue;
        }
        if (token->kind == SQL_COMMENT)
            continue;
        if (begins_dropped(token, drop)) {
            dropping = true;
            continue;
        }
        if (dropping) {
            dropping = !ident;
            continue;
        }
        if (after_database && ident) {
            sql_append_ident(&out, name);
            after_database = false;
        } else if (buf_append(&out, token->start, token->len, err) < 0) {
            return -1;
        } else if (token->kind != SQL_SPACE) {
            after_database = sql_is_word(token, "database") && takes_database(before);
        }
        if (token->kind != SQL_SPACE)
            before = token;
        has_words |= token->kind != SQL_SPACE;
    }
    if (has_words)
        strvec_push(ret, buf_str(&out));
    return 0;
}

int retarget_check(const StrVec *statements, const char *desc, Error *err)
{
    static const char *const forms[] = {
        "CREATE DATABASE ", "ALTER DATABASE ", "COMMENT ON DATABASE ",       "GRANT ",
        "REVOKE ",          "ALTER ROLE ",     "SET SESSION AUTHORIZATION ", "RESET SESSION AUTHORIZATION"};
    for (size_t i = 0; i < statements->n; i++) {
        const char *sql = statements->v[i] + strspn(statements->v[i], " \t\r\n");
        size_t form = 0;
        while (form < ARRAY_SIZE(forms) && strncmp(sql, forms[form], strlen(forms[form])) != 0)
            form++;
        bool known = form < ARRAY_SIZE(forms);
        if (known && strncmp(sql, "ALTER ROLE ", 11) == 0)
            known = strstr(sql, " IN DATABASE ") != NULL;
        if (known && (strncmp(sql, "GRANT ", 6) == 0 || strncmp(sql, "REVOKE ", 7) == 0))
            known = strstr(sql, " ON DATABASE ") != NULL;
        if (!known)
            return error_set(err, ERR_CORRUPT,
                             "the archive's %s entry holds a statement that pg_dump does not write there: %.200s", desc,
                             sql);
    }
    return 0;
}
