/* From one state to another, object by object. */
#include "kura/ownplan.h"

#include <string.h>

#include "grantplan.h"
#include "kura/mem.h"
#include "kura/sqllex.h"

enum { STEP_MAX = 64 << 20 };

typedef struct Planner {
    const OwnState *from, *to;
    OwnState final;
    OwnPlan *plan;
    Buf sql; /* of the step that is being written */
    size_t statements;
} Planner;

void own_plan_done(OwnPlan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        free(plan->v[i].sql);
    free(plan->v);
    strvec_done(&plan->impossible);
    *plan = (OwnPlan){0};
}

static void end_step(Planner *planner, unsigned locks)
{
    OwnPlan *plan = planner->plan;
    if (planner->statements == 0)
        return;
    xgrow(&plan->v, &plan->cap, plan->n);
    plan->v[plan->n++] =
        (OwnStep){.sql = xstrdup(buf_str(&planner->sql)), .statements = planner->statements, .locks = locks};
    plan->statements += planner->statements;
    plan->locks += locks;
    buf_clear(&planner->sql);
    planner->statements = 0;
}

/* Gives the object its new owner, as the server will do it, too, to what follows. */
static void change_owner(Planner *planner, OwnObject *object, const char *owner)
{
    if (!(object->flags & OWN_FOLLOWS)) {
        buf_printf(&planner->sql, NULL, "ALTER %s %s OWNER TO ", own_kinds[object->kind].alter, object->sql);
        sql_append_ident(&planner->sql, owner);
        buf_append_str(&planner->sql, ";\n", NULL);
        planner->statements++;
    }
    own_acl_change_owner(&object->acl, object->owner, owner);
    object->owner = owner;
}

/* No statement can name a role that is gone: its grants stay what they are. */
static bool is_gone(const OwnState *roles, const OwnGrant *grant)
{
    return roles->n_roles && ((grant->grantee && own_state_role(roles, grant->grantee) == NULL) ||
                              own_state_role(roles, grant->grantor) == NULL);
}

/* The grants of `acl` that statements can reach, or the others. */
static OwnAcl part_of(const OwnState *roles, const OwnAcl *acl, bool gone)
{
    OwnAcl part = {0};
    for (size_t i = 0; i < acl->n; i++)
        if (is_gone(roles, &acl->v[i]) == gone)
            own_acl_grant(&part, &acl->v[i]);
    return part;
}

static void change_grants(Planner *planner, OwnObject *object, const OwnAcl *wanted)
{
    if (own_acl_equal(&object->acl, wanted))
        return;
    const OwnObject *schema = own_schema_of(&planner->final, object);
    const OwnState *roles = planner->from->n_roles ? planner->from : planner->to;
    OwnAcl gone = part_of(roles, &object->acl, true), reachable = part_of(roles, wanted, false);
    GrantPlan grants = {.object = object,
                        .owner = object->owner,
                        .schema = schema ? &schema->acl : NULL,
                        .roles = roles,
                        .server_version = planner->to->server_version,
                        .acl = part_of(roles, &object->acl, false),
                        .out = &planner->sql,
                        .impossible = &planner->plan->impossible};
    grantplan_reach(&grants, &reachable);
    for (size_t i = 0; i < gone.n; i++)
        own_acl_grant(&grants.acl, &gone.v[i]);
    own_acl_done(&object->acl);
    object->acl = grants.acl;
    planner->statements += grants.statements;
    own_acl_done(&gone);
    own_acl_done(&reachable);
}

static void change_policy(Planner *planner, OwnObject *object, const OwnObject *wanted)
{
    bool same = object->n_roles == wanted->n_roles;
    for (size_t i = 0; same && i < object->n_roles; i++)
        same = object->roles[i] == wanted->roles[i];
    if (same)
        return;
    buf_printf(&planner->sql, NULL, "ALTER %s TO ", object->sql);
    for (size_t i = 0; i < wanted->n_roles; i++) {
        buf_append_str(&planner->sql, i ? ", " : "", NULL);
        if (wanted->roles[i])
            sql_append_ident(&planner->sql, wanted->roles[i]);
        else
            buf_append_str(&planner->sql, "PUBLIC", NULL);
    }
    buf_append_str(&planner->sql, ";\n", NULL);
    planner->statements++;
    own_object_set_roles(object, wanted->roles, wanted->n_roles);
}

static void plan_object(Planner *planner, size_t i)
{
    OwnObject *object = &planner->final.v[i];
    const OwnObject *wanted = &planner->to->v[i];
    unsigned locks = 0;
    if (object->kind == OWN_POLICY) {
        change_policy(planner, object, wanted);
    } else if (object->kind != OWN_USER_MAPPING) {
        if (own_is_ordinary(object) && object->owner != wanted->owner && wanted->owner) {
            change_owner(planner, object, wanted->owner);
            locks = object->locks;
        }
        change_grants(planner, object, &wanted->acl);
    }
    end_step(planner, locks + 1);
}

/* What has the owner of another comes behind it: the other's step has changed its owner then. */
static void plan_kind(Planner *planner, OwnKind kind, unsigned follows)
{
    for (size_t i = 0; i < planner->from->n; i++)
        if (planner->from->v[i].kind == kind && (planner->from->v[i].flags & OWN_FOLLOWS) == follows)
            plan_object(planner, i);
}

void own_plan(const OwnState *from, const OwnState *to, OwnPlan *ret, OwnState *ret_final)
{
    Planner planner = {.from = from, .to = to, .plan = ret, .sql = BUF_INIT(STEP_MAX)};
    *ret = (OwnPlan){0};
    own_state_copy(&planner.final, from);
    for (OwnKind kind = 0; kind < OWN_KIND_COUNT; kind++) {
        plan_kind(&planner, kind, 0);
        plan_kind(&planner, kind, OWN_FOLLOWS);
    }
    buf_done(&planner.sql);
    if (ret_final)
        *ret_final = planner.final;
    else
        own_state_done(&planner.final);
}
