#include "rewrite.h"

#include <stdint.h>
#include <string.h>

#include "kura/mem.h"
#include "rolemap_priv.h"

static void rewrite_done(Rewrite *rewrite)
{
    for (size_t i = 0; i < rewrite->n; i++) {
        free(rewrite->v[i].session_old);
        free(rewrite->v[i].session_new);
        free(rewrite->v[i].key);
    }
    free(rewrite->v);
    free(rewrite->edits);
}

void rewrite_drop(Rewrite *rewrite, RewriteStatement *statement)
{
    rewrite->n_dropped += !statement->dropped;
    statement->dropped = true;
}

/* Edits of the statement that is planned right now: they come in the order of the text. */
static void add_edit(Rewrite *rewrite, RewriteStatement *statement, Edit edit)
{
    xgrow(&rewrite->edits, &rewrite->cap_edits, rewrite->n_edits);
    rewrite->edits[rewrite->n_edits++] = edit;
    statement->n_edits++;
}

static bool same_name(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* What becomes of a role's name somewhere. */
typedef struct Target {
    bool keeps;       /* nothing changes */
    bool removed;     /* @drop, or the same role stands there already */
    const char *name; /* the new name */
    const char *sql;
} Target;

static Target target_of(const RoleMap *map, const RoleRef *ref)
{
    const RoleRule *rule = ref->name ? rolemap_rule(map, ref->name) : NULL;
    if (rule == NULL || same_name(rule->new_name, ref->name))
        return (Target){.keeps = true, .name = ref->name};
    return (Target){.removed = rule->new_name == NULL, .name = rule->new_name, .sql = rule->new_sql};
}

static bool is_repeated(const Target *targets, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (!targets[j].removed && same_name(targets[j].name, targets[i].name) &&
            !(targets[j].keeps && targets[i].keeps))
            return true;
    return false;
}

/* With roles merged, somebody who passed on a right passes it on to himself. He has it; for a right WITH GRANT OPTION
 * the server refuses that, and with it the whole entry. */
static bool grants_to_itself(const RewriteStatement *session, const RoleRef *ref, const Target *target)
{
    return session && same_name(session->session_new, target->name) && !same_name(session->session_old, ref->name);
}

/* A removed element goes with the comma before it, or, when all before it go too, with the one behind it. */
static void edit_element(Rewrite *rewrite, RewriteStatement *statement, const RoleRefs *refs, size_t i,
                         const Target *target, bool any_kept)
{
    const RoleRef *ref = &refs->v[i];
    if (target->removed && any_kept)
        add_edit(rewrite, statement, (Edit){.from = refs->v[i - 1].to, .to = ref->to});
    else if (target->removed && i + 1 < refs->n)
        add_edit(rewrite, statement, (Edit){.from = ref->from, .to = refs->v[i + 1].from});
    else if (!target->removed && !target->keeps)
        add_edit(rewrite, statement, (Edit){.from = ref->name_from, .to = ref->to, .text = target->sql});
}

/* Plans a list of roles; a statement whose list becomes empty has nothing left to say. */
static void plan_list(Rewrite *rewrite, const RoleMap *map, RewriteStatement *statement, const RoleRefs *refs,
                      const RewriteStatement *session)
{
    if (refs->n == 0)
        return;
    _cleanup_free_ Target *targets = xcalloc(refs->n, sizeof *targets);
    bool any_kept = false;
    for (size_t i = 0; i < refs->n; i++) {
        targets[i] = target_of(map, &refs->v[i]);
        targets[i].removed |= is_repeated(targets, i) || grants_to_itself(session, &refs->v[i], &targets[i]);
        edit_element(rewrite, statement, refs, i, &targets[i], any_kept);
        any_kept |= !targets[i].removed;
    }
    if (!any_kept)
        rewrite_drop(rewrite, statement);
}

/* Without its GRANTED BY a grant is the owner's. */
static void plan_granted_by(Rewrite *rewrite, const RoleMap *map, RewriteStatement *statement, const RoleSql *sql)
{
    if (sql->grantor.n == 0)
        return;
    const RoleRef *ref = &sql->grantor.v[0];
    Target target = target_of(map, ref);
    if (target.removed)
        add_edit(rewrite, statement, (Edit){.from = sql->granted_by_from, .to = ref->to});
    else if (!target.keeps)
        add_edit(rewrite, statement, (Edit){.from = ref->name_from, .to = ref->to, .text = target.sql});
}

/* A grantor that is dropped leaves his grants to the owner, who can make them too: SET and RESET go. They also go when
 * the grantor became the owner, since they cost a restore that is not a superuser's the whole entry. */
static int plan_set_session(Rewrite *rewrite, const RoleMap *map, RewriteStatement *statement, const RoleRef *ref,
                            const char *owner, Error *err)
{
    Target target = target_of(map, ref);
    bool needless = target.removed || (!target.keeps && same_name(target.name, owner));
    if (needless && statement->nested)
        return error_set(err, ERR_UNSUPPORTED, "SET SESSION AUTHORIZATION twice without a RESET");
    if (needless) {
        rewrite_drop(rewrite, statement);
        return 0;
    }
    if (!target.keeps)
        add_edit(rewrite, statement, (Edit){.from = ref->name_from, .to = ref->to, .text = target.sql});
    statement->session_old = xstrdup_null(ref->name);
    statement->session_new = xstrdup_null(target.name);
    return 0;
}

/* session is the SET SESSION AUTHORIZATION in force, or NO_STATEMENT. */
static int plan_statement(Rewrite *rewrite, const RoleMap *map, const RoleSql *sql, const char *owner, size_t session,
                          Error *err)
{
    xgrow(&rewrite->v, &rewrite->cap, rewrite->n);
    RewriteStatement *statement = &rewrite->v[rewrite->n++];
    const RewriteStatement *set = session == NO_STATEMENT ? NULL : &rewrite->v[session];
    *statement = (RewriteStatement){
        .kind = sql->kind,
        .from = sql->from,
        .to = sql->to,
        .edits = rewrite->n_edits,
        .grant_option = sql->grant_option_to > sql->grant_option_from,
        .grant_option_from = sql->grant_option_from,
        .grant_option_to = sql->grant_option_to,
        .session = session,
        .nested = set && !set->dropped,
        .grantor = set && !same_name(set->session_new, owner) ? set->session_new : NULL,
    };
    if (sql->kind == ROLE_SQL_SET_SESSION)
        return plan_set_session(rewrite, map, statement, &sql->roles.v[0], owner, err);
    if (sql->kind == ROLE_SQL_RESET_SESSION && set && set->dropped)
        rewrite_drop(rewrite, statement);
    plan_list(rewrite, map, statement, &sql->owners, NULL);
    plan_list(rewrite, map, statement, &sql->roles, sql->kind == ROLE_SQL_GRANT ? set : NULL);
    plan_granted_by(rewrite, map, statement, sql);
    return 0;
}

static int plan(Rewrite *rewrite, const RoleMap *map, const char *owner, const RoleGuard *guard, RoleSql *sql,
                Error *err)
{
    RoleSqlReader reader = rolesql_begin(rewrite->text);
    size_t session = NO_STATEMENT;
    int rc;
    while ((rc = rolesql_next(&reader, sql, err)) > 0) {
        if (sql->kind == ROLE_SQL_OTHER && guard && guard_tokens(guard, sql->tokens, sql->n_tokens, err) < 0)
            return -1;
        if (plan_statement(rewrite, map, sql, owner, session, err) < 0)
            return -1;
        if (sql->kind == ROLE_SQL_SET_SESSION)
            session = rewrite->n - 1;
        else if (sql->kind == ROLE_SQL_RESET_SESSION)
            session = NO_STATEMENT;
    }
    return rc;
}

/* A SET SESSION AUTHORIZATION under which every statement went goes with its RESET. */
static void drop_empty_sessions(Rewrite *rewrite)
{
    _cleanup_free_ size_t *kept = xcalloc(rewrite->n, sizeof *kept);
    _cleanup_free_ bool *lost = xcalloc(rewrite->n, sizeof *lost);
    for (size_t i = 0; i < rewrite->n; i++) {
        const RewriteStatement *statement = &rewrite->v[i];
        if (statement->session == NO_STATEMENT || statement->kind == ROLE_SQL_RESET_SESSION)
            continue;
        if (statement->dropped)
            lost[statement->session] = true;
        else
            kept[statement->session]++;
    }
    for (size_t i = 0; i < rewrite->n; i++) {
        RewriteStatement *statement = &rewrite->v[i];
        size_t set = statement->kind == ROLE_SQL_RESET_SESSION ? statement->session : i;
        bool is_pair = statement->kind == ROLE_SQL_SET_SESSION || set != i;
        if (is_pair && set != NO_STATEMENT && !rewrite->v[set].nested && lost[set] && kept[set] == 0)
            rewrite_drop(rewrite, statement);
    }
}

static void append(Buf *out, const char *text, size_t len)
{
    if (buf_append(out, text, len, NULL) < 0)
        abort(); /* the buffer has no limit of its own: its content is made of the text and the map's names */
}

void rewrite_append(const Rewrite *rewrite, const RewriteStatement *statement, size_t from, size_t to, Buf *out)
{
    size_t position = from;
    for (size_t i = statement->edits; i < statement->edits + statement->n_edits; i++) {
        const Edit *edit = &rewrite->edits[i];
        if (edit->from < from || edit->to > to)
            continue;
        append(out, rewrite->text + position, edit->from - position);
        if (edit->text)
            append(out, edit->text, strlen(edit->text));
        position = edit->to;
    }
    append(out, rewrite->text + position, to - position);
}

static char *write_text(const Rewrite *rewrite)
{
    Buf out = BUF_INIT(SIZE_MAX / 2);
    size_t position = 0;
    for (size_t i = 0; i < rewrite->n; i++) {
        const RewriteStatement *statement = &rewrite->v[i];
        append(&out, rewrite->text + position, statement->from - position);
        if (!statement->dropped)
            rewrite_append(rewrite, statement, statement->from, statement->to, &out);
        position = statement->to;
        if (statement->dropped && rewrite->text[position] == '\n')
            position++;
    }
    append(&out, rewrite->text + position, strlen(rewrite->text + position));
    return (char *)out.data;
}

int rewrite_text(const RoleMap *map, const char *text, const char *owner, const RoleGuard *guard, char **ret,
                 Error *err)
{
    Rewrite rewrite = {.text = text};
    RoleSql sql = {0};
    int rc = plan(&rewrite, map, owner, guard, &sql, err);
    *ret = NULL;
    if (rc == 0 && (rewrite.n_edits > 0 || rewrite.n_dropped > 0)) {
        rewrite_merge(&rewrite);
        drop_empty_sessions(&rewrite);
        *ret = rewrite.n_dropped == rewrite.n ? xstrdup("") : write_text(&rewrite);
    }
    rolesql_done(&sql);
    rewrite_done(&rewrite);
    return rc;
}
