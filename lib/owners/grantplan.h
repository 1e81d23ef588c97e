/* The GRANT and REVOKE statements that take an object's access control list to another. */
#ifndef KURA_OWNERS_GRANTPLAN_H
#define KURA_OWNERS_GRANTPLAN_H

#include "kura/ownplan.h"

typedef struct GrantPlan {
    const OwnObject *object; /* its names and kind */
    const char *owner;       /* when the statements run */
    const OwnAcl *schema;    /* grants on the schema it is in, then; NULL: it is in none */
    const OwnState *roles;   /* to know superusers */
    int server_version;
    OwnAcl acl; /* owned: at first what there is, in the end what there will be */
    Buf *out;
    size_t statements;
    StrVec *impossible;
} GrantPlan;

void grantplan_reach(GrantPlan *plan, const OwnAcl *wanted);

#endif
