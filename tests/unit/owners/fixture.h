/* Common to the tests of lib/owners: states made by hand, written and shown as text. */
#ifndef KURA_TEST_OWNERS_FIXTURE_H
#define KURA_TEST_OWNERS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/ownplan.h"

enum { SERVER = 150018 };

static OwnNames *names;

static inline int make_names(void **state)
{
    names = own_names_new();
    return 0;
}

static inline int free_names(void **state)
{
    own_names_free(names);
    return 0;
}

/* "{a=r/b}" */
static inline OwnAcl acl_of(const char *text)
{
    OwnAcl acl = {0};
    Error err = ERROR_INIT;
    if (own_acl_parse(names, text, NULL, &acl, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return acl;
}

/* One line for a list: "a:SELECT,UPDATE/b PUBLIC:USAGE/b a(c):SELECT/b", with a star behind what may be passed on.
 * Valid until the next call. */
static inline const char *show_acl(const OwnAcl *acl)
{
    static char text[4096];
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < acl->n; i++) {
        const OwnGrant *grant = &acl->v[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", i ? " " : "",
                                grant->grantee ? grant->grantee : "PUBLIC");
        if (grant->column)
            len += (size_t)snprintf(text + len, sizeof text - len, "(%s)", grant->column);
        for (size_t bit = 0, n = 0; own_right_name(bit); bit++)
            if (grant->rights & 1u << bit)
                len += (size_t)snprintf(text + len, sizeof text - len, "%c%s%s", n++ ? ',' : ':', own_right_name(bit),
                                        grant->grantable & 1u << bit ? "*" : "");
        len += (size_t)snprintf(text + len, sizeof text - len, "/%s", grant->grantor);
    }
    return text;
}

static inline OwnState new_state(void)
{
    return (OwnState){.names = names, .server_version = SERVER, .database = own_name(names, "app")};
}

/* acl NULL: the default. */
static inline OwnObject *add(OwnState *state, OwnKind kind, const char *schema, const char *name, const char *owner,
                             const char *acl)
{
    _cleanup_free_ char *key = own_key(kind, schema, name);
    OwnObject *object = own_state_add(state, kind, key);
    object->schema = own_name(names, schema);
    object->owner = own_name(names, owner);
    object->sql = object->grant_sql =
        own_name(names, kind == OWN_DATABASE ? name : key + strlen(own_kinds[kind].class_name) + 1);
    object->locks = 1;
    if (acl)
        object->acl = acl_of(acl);
    else
        own_acl_default(kind, object->owner, SERVER, &object->acl);
    return object;
}

/* The statements of a plan, one text. To be freed. */
static inline char *sql_of(const OwnState *from, const OwnState *to)
{
    OwnPlan plan;
    Buf text = BUF_INIT(1 << 20);
    own_plan(from, to, &plan, NULL);
    for (size_t i = 0; i < plan.n; i++)
        buf_append_str(&text, plan.v[i].sql, NULL);
    own_plan_done(&plan);
    return text.len ? (char *)text.data : xstrdup("");
}

#define assert_sql(from, to, wanted)                                                                                   \
    do {                                                                                                               \
        _cleanup_free_ char *sql_ = sql_of(from, to);                                                                  \
        assert_string_equal(sql_, wanted);                                                                             \
    } while (0)

#endif
