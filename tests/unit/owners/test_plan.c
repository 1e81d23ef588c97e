#include "fixture.h"

static OwnState from, to;

static int begin(void **state)
{
    from = new_state();
    to = new_state();
    return 0;
}

static int end(void **state)
{
    own_state_done(&from);
    own_state_done(&to);
    return 0;
}

/* The same table in both states. */
static void both(const char *owner, const char *acl, const char *new_owner, const char *new_acl)
{
    add(&from, OWN_TABLE, "public", "t", owner, acl);
    add(&to, OWN_TABLE, "public", "t", new_owner, new_acl);
}

static void test_nothing(void **state)
{
    both("a", "{a=r/a}", "a", "{a=r/a}");
    assert_sql(&from, &to, "");
}

static void test_owner(void **state)
{
    both("postgres", NULL, "app", NULL);
    assert_sql(&from, &to, "ALTER TABLE public.t OWNER TO app;\n");
}

/* What comes along with the owner is neither granted nor revoked. */
static void test_owner_takes_grants_along(void **state)
{
    both("a", "{a=r/a,c=w/a,b=d/a}", "b", "{b=rd/b,c=w/b}");
    assert_sql(&from, &to, "ALTER TABLE public.t OWNER TO b;\n");
}

static void test_short_way(void **state)
{
    both("o", "{o=r/o,x=rw/o,=d/o}", "o", "{o=r/o,x=r*/o,\"\\\"Y z\\\"=a/o\"}");
    assert_sql(&from, &to,
               "REVOKE DELETE ON TABLE public.t FROM PUBLIC;\n"
               "REVOKE UPDATE ON TABLE public.t FROM x;\n"
               "GRANT INSERT ON TABLE public.t TO \"Y z\";\n"
               "GRANT SELECT ON TABLE public.t TO x WITH GRANT OPTION;\n");
}

static void test_columns(void **state)
{
    Error err = ERROR_INIT;
    both("o", "{x=r/o}", "o", "{}");
    assert_int_equal(own_acl_parse(names, "{x=r/o}", own_name(names, "c 1"), &from.v[0].acl, &err), 0);
    assert_int_equal(own_acl_parse(names, "{x=rw/o}", own_name(names, "c 1"), &to.v[0].acl, &err), 0);
    /* REVOKE on the table takes it from the column, too */
    assert_sql(&from, &to,
               "REVOKE SELECT ON TABLE public.t FROM x;\n"
               "GRANT SELECT (\"c 1\"), UPDATE (\"c 1\") ON TABLE public.t TO x;\n");
}

/* A grant passed on is taken and made in the name of who passed it on. */
static void test_long_way(void **state)
{
    both("o", "{a=r*/o,b=r*/a,c=r/b}", "o", "{a=r*/o,d=r/a}");
    assert_sql(&from, &to,
               "SET LOCAL ROLE b;\nREVOKE SELECT ON TABLE public.t FROM c CASCADE;\nRESET ROLE;\n"
               "SET LOCAL ROLE a;\nREVOKE SELECT ON TABLE public.t FROM b CASCADE;\nRESET ROLE;\n"
               "REVOKE SELECT ON TABLE public.t FROM a CASCADE;\n"
               "GRANT SELECT ON TABLE public.t TO a WITH GRANT OPTION;\n"
               "SET LOCAL ROLE a;\nGRANT SELECT ON TABLE public.t TO d;\nRESET ROLE;\n");
}

/* a is nearer the owner than b, and passes on what he has from b. */
static void test_option_from_further_out(void **state)
{
    both("o", "{}", "o", "{a=a*/o,b=r*/o,=r/a,a=r*/b}");
    assert_sql(&from, &to,
               "GRANT INSERT ON TABLE public.t TO a WITH GRANT OPTION;\n"
               "GRANT SELECT ON TABLE public.t TO b WITH GRANT OPTION;\n"
               "SET LOCAL ROLE b;\nGRANT SELECT ON TABLE public.t TO a WITH GRANT OPTION;\nRESET ROLE;\n"
               "SET LOCAL ROLE a;\nGRANT SELECT ON TABLE public.t TO PUBLIC;\nRESET ROLE;\n");
}

/* A grantor who may not see the schema is let in for the moment. */
static void test_schema_is_lent(void **state)
{
    add(&from, OWN_SCHEMA, NULL, "shut", "o", "{o=UC/o}");
    add(&to, OWN_SCHEMA, NULL, "shut", "o", "{o=UC/o}");
    add(&from, OWN_TABLE, "shut", "t", "o", "{a=r*/o}");
    add(&to, OWN_TABLE, "shut", "t", "o", "{a=r*/o,b=r/a}");
    _cleanup_free_ char *sql = sql_of(&from, &to);
    assert_non_null(strstr(sql, "GRANT USAGE ON SCHEMA shut TO a;\nSET LOCAL ROLE a;\nGRANT SELECT ON TABLE shut.t TO "
                                "b;\nRESET ROLE;\nREVOKE USAGE ON SCHEMA shut FROM a;\n"));
}

/* The list of a column keeps what a grantor gave who has lost his right since: he gets it back for the moment. */
static void test_orphan(void **state)
{
    Error err = ERROR_INIT;
    both("o", "{}", "o", "{}");
    assert_int_equal(own_acl_parse(names, "{b=w/a}", own_name(names, "c"), &to.v[0].acl, &err), 0);
    assert_sql(&from, &to,
               "GRANT UPDATE ON TABLE public.t TO a WITH GRANT OPTION;\n"
               "SET LOCAL ROLE a;\nGRANT UPDATE (c) ON TABLE public.t TO b;\nRESET ROLE;\n"
               "REVOKE UPDATE ON TABLE public.t FROM a CASCADE;\n");
}

static void test_superuser_grantor_is_impossible(void **state)
{
    OwnPlan plan;
    both("o", "{}", "o", "{b=r/root}");
    static const OwnRole roles[] = {{"root", true}, {"o", false}, {"b", false}};
    from.roles = xcalloc(ARRAY_SIZE(roles), sizeof *from.roles);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        from.roles[from.n_roles++] = (OwnRole){.name = own_name(names, roles[i].name), .superuser = roles[i].superuser};
    OwnState final;
    own_plan(&from, &to, &plan, &final);
    assert_int_equal(plan.impossible.n, 1);
    assert_non_null(strstr(plan.impossible.v[0], "superuser \"root\""));
    assert_string_equal(show_acl(&final.v[0].acl), "");
    own_plan_done(&plan);
    own_state_done(&final);
}

/* No statement can name a role that is gone. */
static void test_gone_role(void **state)
{
    both("o", "{16999=r/o,b=r/o}", "o", "{c=r/o}");
    from.roles = xcalloc(3, sizeof *from.roles);
    for (const char *role = "obc"; *role; role++)
        from.roles[from.n_roles++] = (OwnRole){.name = own_name(names, (char[]){*role, 0})};
    assert_sql(&from, &to, "REVOKE SELECT ON TABLE public.t FROM b;\nGRANT SELECT ON TABLE public.t TO c;\n");
}

/* A column's sequence gets its owner from the table; its grants are its own. */
static void test_follower(void **state)
{
    both("a", NULL, "b", NULL);
    OwnObject *sequence = add(&from, OWN_SEQUENCE, "public", "t_id_seq", "a", "{a=rwU/a}");
    sequence->flags = OWN_FOLLOWS;
    sequence->parent = 1;
    sequence = add(&to, OWN_SEQUENCE, "public", "t_id_seq", "b", "{b=rwU/b,c=U/b}");
    sequence->flags = OWN_FOLLOWS;
    sequence->parent = 1;
    assert_sql(&from, &to, "ALTER TABLE public.t OWNER TO b;\nGRANT USAGE ON SEQUENCE public.t_id_seq TO c;\n");
}

static void test_order(void **state)
{
    add(&from, OWN_TABLE, "s", "t", "a", NULL);
    add(&to, OWN_TABLE, "s", "t", "b", NULL);
    add(&from, OWN_SCHEMA, NULL, "s", "a", NULL);
    add(&to, OWN_SCHEMA, NULL, "s", "b", NULL);
    add(&from, OWN_DATABASE, NULL, "app", "a", NULL);
    add(&to, OWN_DATABASE, NULL, "app", "b", NULL);
    assert_sql(&from, &to, "ALTER DATABASE app OWNER TO b;\nALTER SCHEMA s OWNER TO b;\nALTER TABLE s.t OWNER TO b;\n");
}

static void test_default_privileges(void **state)
{
    own_default_acl(&from, "a", "my schema", "TABLES");
    OwnObject *wanted = own_default_acl(&to, "a", "my schema", "TABLES");
    OwnAcl acl = acl_of("{b=rw/a}");
    wanted->acl = acl;
    assert_sql(&from, &to,
               "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA \"my schema\" GRANT SELECT, UPDATE ON TABLES TO b;\n");
    own_default_acl(&from, "a", NULL, "FUNCTIONS");
    wanted = own_default_acl(&to, "a", NULL, "FUNCTIONS");
    own_acl_done(&wanted->acl);
    wanted->acl = acl_of("{a=X/a}");
    _cleanup_free_ char *sql = sql_of(&from, &to);
    assert_non_null(strstr(sql, "ALTER DEFAULT PRIVILEGES FOR ROLE a REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n"));
    assert_null(own_default_acl(&from, "a", NULL, "THINGS OF THE FUTURE"));
}

static void test_policy(void **state)
{
    _cleanup_free_ char *key = own_key_policy("public", "t", "p q");
    OwnObject *object = own_state_add(&from, OWN_POLICY, key);
    object->sql = object->key;
    own_object_set_roles(object, (const char *const[]){own_name(names, "a")}, 1);
    object = own_state_add(&to, OWN_POLICY, key);
    own_object_set_roles(object, (const char *const[]){own_name(names, "b"), NULL}, 2);
    assert_sql(&from, &to, "ALTER POLICY \"p q\" ON public.t TO PUBLIC, b;\n");
}

/* Any list can be reached from any other, and there is a way back: what the plan says it makes is what was wanted. */
static void test_random_lists(void **state)
{
    static const char *const roles[] = {NULL, "o", "a", "b", "c", "d"};
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        begin(NULL);
        both("o", "{}", round % 3 ? "o" : "a", "{}");
        OwnState *states[] = {&from, &to};
        for (size_t s = 0; s < 2; s++) {
            OwnObject *object = &states[s]->v[0];
            const char *able[8] = {object->owner};
            size_t n_able = 1;
            for (int i = rand_r(&seed) % 8; i > 0; i--) {
                const char *to_role = roles[rand_r(&seed) % ARRAY_SIZE(roles)];
                bool option = to_role && rand_r(&seed) % 2;
                OwnGrant grant = {.grantee = own_name(names, to_role),
                                  .grantor = able[(size_t)rand_r(&seed) % n_able],
                                  .column = rand_r(&seed) % 3 ? NULL : own_name(names, "c"),
                                  .rights = rand_r(&seed) % 2 ? own_right('r') : own_right('r') | own_right('w')};
                grant.grantable = option ? grant.rights : 0;
                own_acl_grant(&object->acl, &grant);
                if (option && grant.column == NULL && n_able < ARRAY_SIZE(able))
                    able[n_able++] = grant.grantee;
            }
        }
        OwnPlan there, back;
        OwnState final, again;
        own_plan(&from, &to, &there, &final);
        own_plan(&final, &from, &back, &again);
        assert_true(own_acl_equal(&final.v[0].acl, &to.v[0].acl));
        assert_true(own_acl_equal(&again.v[0].acl, &from.v[0].acl));
        assert_ptr_equal(again.v[0].owner, from.v[0].owner);
        assert_int_equal(there.impossible.n + back.impossible.n, 0);
        own_plan_done(&there);
        own_plan_done(&back);
        own_state_done(&final);
        own_state_done(&again);
        end(NULL);
    }
    begin(NULL);
}

#define each(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_nothing),
        each(test_owner),
        each(test_short_way),
        each(test_owner_takes_grants_along),
        each(test_columns),
        each(test_long_way),
        each(test_option_from_further_out),
        each(test_orphan),
        each(test_schema_is_lent),
        each(test_follower),
        each(test_superuser_grantor_is_impossible),
        each(test_order),
        each(test_default_privileges),
        each(test_policy),
        each(test_random_lists),
        each(test_gone_role),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
