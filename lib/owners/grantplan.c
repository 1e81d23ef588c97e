/* Whoever REVOKEs or GRANTs as the owner or a superuser does it as the owner: grants by others can be taken and made
 * only in their name (SET ROLE). Two ways lead from list to list. Where all that changes was granted by the owner and
 * nobody passed it on, the difference is enough. Else everything goes, those that were passed on furthest first, and
 * comes back, those nearest the owner first. */
#include "grantplan.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

static bool is_default_acl(const OwnObject *object)
{
    return own_kinds[object->kind].alter == NULL;
}

/* ---- statements ---- */

/* "SELECT, INSERT", or "SELECT (a), INSERT (a)". */
static void write_rights(GrantPlan *plan, uint32_t rights, const char *column)
{
    uint32_t all = own_rights(plan->object->kind, column != NULL, plan->server_version);
    if (column == NULL || rights == all) {
        _cleanup_free_ char *text = own_rights_text(rights, all);
        buf_append_str(plan->out, text, NULL);
    }
    bool first = true;
    for (size_t bit = 0; column && own_right_name(bit); bit++) {
        if (rights != all && !(rights & 1u << bit))
            continue;
        if (rights != all)
            buf_printf(plan->out, NULL, "%s%s", first ? "" : ", ", own_right_name(bit));
        if (rights != all || first) {
            buf_append_str(plan->out, " (", NULL);
            sql_append_ident(plan->out, column);
            buf_append_str(plan->out, ")", NULL);
        }
        first = false;
    }
}

static void write_role(GrantPlan *plan, const char *role)
{
    if (role)
        sql_append_ident(plan->out, role);
    else
        buf_append_str(plan->out, "PUBLIC", NULL);
}

static void write_target(GrantPlan *plan)
{
    const OwnObject *object = plan->object;
    buf_printf(plan->out, NULL, " ON %s", own_kinds[object->kind].grant);
    if (!is_default_acl(object))
        buf_printf(plan->out, NULL, " %s", object->grant_sql);
}

/* "ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA y ", where it is about these. */
static void write_prefix(GrantPlan *plan)
{
    const OwnObject *object = plan->object;
    if (!is_default_acl(object))
        return;
    buf_append_str(plan->out, "ALTER DEFAULT PRIVILEGES FOR ROLE ", NULL);
    sql_append_ident(plan->out, object->owner);
    if (object->schema) {
        buf_append_str(plan->out, " IN SCHEMA ", NULL);
        sql_append_ident(plan->out, object->schema);
    }
    buf_append_str(plan->out, " ", NULL);
}

static void end_statement(GrantPlan *plan)
{
    buf_append_str(plan->out, ";\n", NULL);
    plan->statements++;
}

static void grant(GrantPlan *plan, const OwnGrant *what)
{
    uint32_t plain = what->rights & ~what->grantable;
    for (int with_option = 0; with_option < 2; with_option++) {
        uint32_t rights = with_option ? what->grantable : plain;
        if (rights == 0)
            continue;
        write_prefix(plan);
        buf_append_str(plan->out, "GRANT ", NULL);
        write_rights(plan, rights, what->column);
        write_target(plan);
        buf_append_str(plan->out, " TO ", NULL);
        write_role(plan, what->grantee);
        buf_append_str(plan->out, with_option ? " WITH GRANT OPTION" : "", NULL);
        end_statement(plan);
    }
    own_acl_grant(&plan->acl, what);
}

static void revoke(GrantPlan *plan, const OwnGrant *what, bool cascade)
{
    write_prefix(plan);
    buf_append_str(plan->out, what->rights ? "REVOKE " : "REVOKE GRANT OPTION FOR ", NULL);
    write_rights(plan, what->rights ? what->rights : what->grantable, what->column);
    write_target(plan);
    buf_append_str(plan->out, " FROM ", NULL);
    write_role(plan, what->grantee);
    buf_append_str(plan->out, cascade ? " CASCADE" : "", NULL);
    end_statement(plan);
    own_acl_revoke(&plan->acl, what);
}

/* ---- the short way ---- */

static bool granted_further(const OwnAcl *acl, const char *role)
{
    for (size_t i = 0; i < acl->n; i++)
        if (acl->v[i].grantor == role)
            return true;
    return false;
}

/* What `acl` has of a grant. */
static OwnGrant same_of(const OwnAcl *acl, const OwnGrant *what)
{
    const OwnGrant *found = own_acl_find(acl, what->column, what->grantee, what->grantor);
    return found ? *found : (OwnGrant){.column = what->column, .grantee = what->grantee, .grantor = what->grantor};
}

static bool is_simple(const GrantPlan *plan, const OwnAcl *wanted)
{
    if (is_default_acl(plan->object))
        return true;
    for (size_t i = 0; i < plan->acl.n; i++) {
        const OwnGrant *held = &plan->acl.v[i];
        OwnGrant want = same_of(wanted, held);
        bool loses = (held->rights & ~want.rights) || (held->grantable & ~want.grantable);
        bool changes = want.rights != held->rights || want.grantable != held->grantable;
        if (held->grantor != plan->owner
                ? changes
                : loses && held->grantee != plan->owner && held->grantee && granted_further(&plan->acl, held->grantee))
            return false;
    }
    for (size_t i = 0; i < wanted->n; i++)
        if (wanted->v[i].grantor != plan->owner && same_of(&plan->acl, &wanted->v[i]).rights == 0)
            return false;
    return true;
}

static void revoke_surplus(GrantPlan *plan, const OwnAcl *wanted, bool columns)
{
    OwnAcl before;
    own_acl_copy(&before, &plan->acl);
    for (size_t i = 0; i < before.n; i++) {
        if ((before.v[i].column != NULL) != columns)
            continue;
        OwnGrant held = same_of(&plan->acl, &before.v[i]), want = same_of(wanted, &held), surplus = held;
        surplus.rights = held.rights & ~want.rights;
        surplus.grantable = 0;
        if (surplus.rights)
            revoke(plan, &surplus, false);
        surplus.rights = 0;
        surplus.grantable = held.grantable & want.rights & ~want.grantable;
        if (surplus.grantable)
            revoke(plan, &surplus, false);
    }
    own_acl_done(&before);
}

static void grant_missing(GrantPlan *plan, const OwnAcl *wanted)
{
    for (size_t i = 0; i < wanted->n; i++) {
        OwnGrant want = wanted->v[i], held = same_of(&plan->acl, &want), missing = want;
        missing.grantable = want.grantable & ~held.grantable;
        missing.rights = (want.rights & ~held.rights) | missing.grantable;
        if (missing.rights && want.grantor == plan->owner)
            grant(plan, &missing);
    }
}

/* ---- the long way ---- */

/* Roles with a grant option, by how many others stand between them and the owner. */
typedef struct Chain {
    const char **v;
    size_t n;
} Chain;

static bool chain_has(const Chain *chain, const char *role)
{
    for (size_t i = 0; i < chain->n; i++)
        if (chain->v[i] == role)
            return true;
    return false;
}

/* Grantors of the list from the owner outwards; those that nothing leads to come last. */
static Chain chain_of(const OwnAcl *acl, const char *owner)
{
    Chain chain = {.v = xcalloc(2 * acl->n + 1, sizeof *chain.v)};
    chain.v[chain.n++] = owner;
    for (size_t at = 0; at < chain.n; at++)
        for (size_t i = 0; i < acl->n; i++)
            if (acl->v[i].grantor == chain.v[at] && acl->v[i].grantable && acl->v[i].grantee &&
                !chain_has(&chain, acl->v[i].grantee))
                chain.v[chain.n++] = acl->v[i].grantee;
    for (size_t i = 0; i < acl->n; i++)
        if (!chain_has(&chain, acl->v[i].grantor))
            chain.v[chain.n++] = acl->v[i].grantor;
    return chain;
}

/* What a role may pass on, of the whole object or of a column. */
static uint32_t option_of(const OwnAcl *acl, const char *role, const char *column)
{
    uint32_t option = 0;
    for (size_t i = 0; i < acl->n; i++)
        if (acl->v[i].grantee == role && (acl->v[i].column == NULL || acl->v[i].column == column))
            option |= acl->v[i].grantable;
    return option;
}

static uint32_t held_of_owner(const GrantPlan *plan, const char *role)
{
    const OwnGrant *held = own_acl_find(&plan->acl, NULL, role, plan->owner);
    return held ? held->rights : 0;
}

static bool may_use_schema(const GrantPlan *plan, const char *role)
{
    if (plan->schema == NULL)
        return true;
    for (size_t i = 0; i < plan->schema->n; i++) {
        const OwnGrant *held = &plan->schema->v[i];
        if ((held->grantee == NULL || held->grantee == role) && held->rights & own_right('U'))
            return true;
    }
    return false;
}

static void lend_schema(GrantPlan *plan, const char *role, bool give)
{
    buf_append_str(plan->out, give ? "GRANT USAGE ON SCHEMA " : "REVOKE USAGE ON SCHEMA ", NULL);
    sql_append_ident(plan->out, plan->object->schema);
    buf_append_str(plan->out, give ? " TO " : " FROM ", NULL);
    write_role(plan, role);
    end_statement(plan);
}

static void set_role(GrantPlan *plan, const char *role)
{
    if (role) {
        buf_append_str(plan->out, "SET LOCAL ROLE ", NULL);
        write_role(plan, role);
    } else {
        buf_append_str(plan->out, "RESET ROLE", NULL);
    }
    end_statement(plan);
}

/* What a grantor lacks for a grant, as a loan of the owner's. */
static OwnGrant loan_for(const GrantPlan *plan, const OwnGrant *what)
{
    uint32_t lacking = what->rights & ~option_of(&plan->acl, what->grantor, what->column);
    return (OwnGrant){.grantee = what->grantor, .grantor = plan->owner, .rights = lacking, .grantable = lacking};
}

/* Takes a loan back. REVOKE on a table reaches the role's own columns, too: what it had there comes again. */
static void take_back(GrantPlan *plan, const OwnGrant *loan, uint32_t had)
{
    OwnAcl before;
    own_acl_copy(&before, &plan->acl);
    OwnGrant rights = *loan, options = *loan;
    rights.rights = loan->rights & ~had;
    rights.grantable = options.rights = 0;
    options.grantable = loan->rights & had;
    if (rights.rights)
        revoke(plan, &rights, true);
    if (options.grantable)
        revoke(plan, &options, true);
    for (size_t i = 0; i < before.n; i++) {
        OwnGrant again = before.v[i], left = same_of(&plan->acl, &again);
        if (again.column == NULL || again.grantee != loan->grantee || again.grantor != plan->owner)
            continue;
        again.grantable &= ~left.grantable;
        again.rights = (again.rights & ~left.rights) | again.grantable;
        if (again.rights)
            grant(plan, &again);
    }
    own_acl_done(&before);
}

/* Runs one statement in a grantor's name, who for that time may see the schema and pass on what he passes on. A list of
 * a column's grants is not cleaned when its grantor loses the option on the table, so such an orphan can stand there,
 * and be wanted. */
static void as_grantor(GrantPlan *plan, const OwnGrant *what, bool give)
{
    OwnGrant loan = loan_for(plan, what);
    uint32_t had = held_of_owner(plan, what->grantor);
    bool schema = !may_use_schema(plan, what->grantor);
    if (schema)
        lend_schema(plan, what->grantor, true);
    if (loan.rights)
        grant(plan, &loan);
    set_role(plan, what->grantor);
    if (give)
        grant(plan, what);
    else
        revoke(plan, what, true);
    set_role(plan, NULL);
    if (loan.rights)
        take_back(plan, &loan, had);
    if (schema)
        lend_schema(plan, what->grantor, false);
}

/* A superuser's grants are recorded as the owner's: nothing can be done in his name. */
static bool can_be_named(GrantPlan *plan, const char *grantor)
{
    if (!own_is_superuser(plan->roles, grantor))
        return true;
    strvec_pushf(plan->impossible,
                 _("grants of superuser \"%s\" on %s, which is not his, cannot be taken or made again"), grantor,
                 plan->object->key);
    return false;
}

static void revoke_all_of(GrantPlan *plan, const char *grantor)
{
    if (grantor != plan->owner && granted_further(&plan->acl, grantor) && !can_be_named(plan, grantor))
        return;
    for (size_t i = 0; i < plan->acl.n;) {
        OwnGrant held = plan->acl.v[i];
        if (held.grantor != grantor) {
            i++;
            continue;
        }
        if (grantor != plan->owner) {
            as_grantor(plan, &held, false);
        } else {
            OwnGrant all = {.grantee = held.grantee, .grantor = grantor};
            for (size_t j = 0; j < plan->acl.n; j++) /* the whole object's and all columns' at once */
                if (plan->acl.v[j].grantor == grantor && plan->acl.v[j].grantee == held.grantee)
                    all.rights |= plan->acl.v[j].rights;
            revoke(plan, &all, true);
        }
        i = 0;
    }
}

static void leave_out(const OwnAcl *wanted, const char *grantor, bool *made)
{
    for (size_t i = 0; i < wanted->n; i++)
        made[i] |= wanted->v[i].grantor == grantor;
}

/* Whoever may pass on one right may be waiting for another, from somebody further from the owner. */
static void grant_what_can_be(GrantPlan *plan, const OwnAcl *wanted, bool *made)
{
    bool progress;
    do {
        progress = false;
        for (size_t i = 0; i < wanted->n; i++) {
            if (made[i] || loan_for(plan, &wanted->v[i]).rights)
                continue;
            made[i] = progress = true;
            as_grantor(plan, &wanted->v[i], true);
        }
    } while (progress);
}

static void grant_all(GrantPlan *plan, const OwnAcl *wanted)
{
    bool *made = xcalloc(wanted->n + 1, sizeof *made);
    Chain chain = chain_of(wanted, plan->owner);
    for (size_t i = 0; i < wanted->n; i++)
        if (wanted->v[i].grantor == plan->owner)
            grant(plan, &wanted->v[i]);
    leave_out(wanted, plan->owner, made);
    for (size_t i = 0; i < chain.n; i++)
        if (chain.v[i] != plan->owner && !can_be_named(plan, chain.v[i]))
            leave_out(wanted, chain.v[i], made);
    grant_what_can_be(plan, wanted, made);
    for (size_t i = 0; i < wanted->n; i++) /* no option leads to these */
        if (!made[i])
            as_grantor(plan, &wanted->v[i], true);
    free(chain.v);
    free(made);
}

static void rebuild(GrantPlan *plan, const OwnAcl *wanted)
{
    Chain chain = chain_of(&plan->acl, plan->owner);
    for (size_t i = chain.n; i-- > 0;)
        revoke_all_of(plan, chain.v[i]);
    free(chain.v);
    grant_all(plan, wanted);
}

void grantplan_reach(GrantPlan *plan, const OwnAcl *wanted)
{
    if (own_acl_equal(&plan->acl, wanted))
        return;
    if (!is_simple(plan, wanted)) {
        rebuild(plan, wanted);
        return;
    }
    revoke_surplus(plan, wanted, false);
    revoke_surplus(plan, wanted, true);
    grant_missing(plan, wanted);
}
