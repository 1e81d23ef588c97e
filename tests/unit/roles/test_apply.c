/* A map applied to entries: what each form of statement becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"
#include "toc_builder.h"

static RoleMap *map_of(const char *rules)
{
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    if (rules[0] && rolemap_add(map, rules, &err) < 0)
        fail_msg("%s: %s", rules, err.message);
    return map;
}

static Toc *applied(const char *rules, const EntrySpec *entries, size_t n)
{
    RoleMap *map = map_of(rules);
    Toc *toc = build_toc(entries, n);
    Error err = ERROR_INIT;
    assert_non_null(toc);
    if (rolemap_apply(map, toc, &err) < 0)
        fail_msg("%s: %s: %s", rules, entries[0].defn, err.message);
    rolemap_free(map);
    return toc;
}

static void check_text(const char *what, const char *seen, const char *expected)
{
    if (seen == NULL || expected == NULL) {
        assert_true(seen == expected);
        return;
    }
    if (strcmp(seen, expected) != 0)
        fail_msg("%s:\n%s\ninstead of\n%s", what, seen, expected);
}

typedef struct Case {
    const char *rules, *before, *after; /* after NULL: as before */
} Case;

/* The entry is owned by boss. */
static void check_cases(const char *desc, const Case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        EntrySpec entry = {.desc = desc, .owner = "boss", .defn = cases[i].before};
        Toc *toc = applied(cases[i].rules, &entry, 1);
        check_text(cases[i].before, toc->entries[0].defn, cases[i].after ? cases[i].after : cases[i].before);
        toc_free(toc);
    }
}

static void test_grant(void **state)
{
    static const Case cases[] = {
        {"a=b", "GRANT SELECT ON TABLE public.a TO a;\n", "GRANT SELECT ON TABLE public.a TO b;\n"},
        {"a=\"B c\"", "GRANT SELECT,INSERT ON TABLE t TO a WITH GRANT OPTION;\n",
         "GRANT SELECT,INSERT ON TABLE t TO \"B c\" WITH GRANT OPTION;\n"},
        {"\"we ird\"=weird", "GRANT ALL ON SCHEMA s TO \"we ird\";\n", "GRANT ALL ON SCHEMA s TO weird;\n"},
        {"\"a\"\"b\"=\"c\"\"d\"", "REVOKE ALL ON TABLE t FROM \"a\"\"b\";\n",
         "REVOKE ALL ON TABLE t FROM \"c\"\"d\";\n"},
        {"\"Stra\xC3\x9F"
         "e\"=\"\xE6\x97\xA5\xE6\x9C\xAC\"",
         "GRANT ALL ON LANGUAGE plpgsql TO \"Stra\xC3\x9F"
         "e\";\n",
         "GRANT ALL ON LANGUAGE plpgsql TO \"\xE6\x97\xA5\xE6\x9C\xAC\";\n"},
        {"\"new\nline\"=\"back\\slash\"", "GRANT ALL ON TYPE s.t TO \"new\nline\";\n",
         "GRANT ALL ON TYPE s.t TO \"back\\slash\";\n"},
        {"\"a=b\"=\"c,d\"", "GRANT ALL ON DOMAIN s.t TO \"a=b\";\n", "GRANT ALL ON DOMAIN s.t TO \"c,d\";\n"},
        {"\"current_user\"=\"session_user\"", "GRANT ALL ON TYPE s.t TO \"current_user\";\n",
         "GRANT ALL ON TYPE s.t TO \"session_user\";\n"},
        {"\"current_user\"=a", "GRANT ALL ON TYPE s.t TO current_user, \"current_user\";\n",
         "GRANT ALL ON TYPE s.t TO current_user, a;\n"},
        {"user=\"select\",\"a;b\"=x", "GRANT ALL ON TABLE t TO \"user\", \"a;b\";\n",
         "GRANT ALL ON TABLE t TO \"select\", x;\n"},
        {"a=b", "GRANT SELECT(a),UPDATE(\"a\", to_) ON TABLE a.a TO a;\n",
         "GRANT SELECT(a),UPDATE(\"a\", to_) ON TABLE a.a TO b;\n"},
        {"a=b", "GRANT ALL ON FUNCTION a.a(a integer, \"TO\" a.\"a,(\") TO a;\n",
         "GRANT ALL ON FUNCTION a.a(a integer, \"TO\" a.\"a,(\") TO b;\n"},
        {"a=b", "GRANT ALL ON PROCEDURE a.\"f;x\"(IN a a) TO a;\nGRANT ALL ON FUNCTION a.agg(a) TO a;\n",
         "GRANT ALL ON PROCEDURE a.\"f;x\"(IN a a) TO b;\nGRANT ALL ON FUNCTION a.agg(a) TO b;\n"},
        {"a=b", "GRANT ALL ON AGGREGATE a.agg(VARIADIC \"any\") TO a;\n",
         "GRANT ALL ON AGGREGATE a.agg(VARIADIC \"any\") TO b;\n"},
        {"a=b", "GRANT USAGE ON FOREIGN SERVER a TO a;\nGRANT ALL ON FOREIGN DATA WRAPPER a TO a;\n",
         "GRANT USAGE ON FOREIGN SERVER a TO b;\nGRANT ALL ON FOREIGN DATA WRAPPER a TO b;\n"},
        {"a=b", "GRANT SET,ALTER SYSTEM ON PARAMETER work_mem TO a;\n",
         "GRANT SET,ALTER SYSTEM ON PARAMETER work_mem TO b;\n"},
        {"a=b", "GRANT SELECT ON LARGE OBJECT 16401 TO a;\n", "GRANT SELECT ON LARGE OBJECT 16401 TO b;\n"},
        {"a=b", "GRANT CONNECT ON DATABASE a TO GROUP a;\n", "GRANT CONNECT ON DATABASE a TO GROUP b;\n"},
        {"a=b,c=d", "GRANT ALL ON SEQUENCE s TO a, x,\n\tc -- a\n;", "GRANT ALL ON SEQUENCE s TO b, x,\n\td -- a\n;"},
        {"a=b,g=h", "GRANT SELECT ON TABLE t TO a WITH GRANT OPTION GRANTED BY g;",
         "GRANT SELECT ON TABLE t TO b WITH GRANT OPTION GRANTED BY h;"},
        {"g=@drop", "GRANT SELECT ON TABLE t TO a GRANTED BY g;", "GRANT SELECT ON TABLE t TO a;"},
        {"g=h", "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM a GRANTED BY g CASCADE;",
         "REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM a GRANTED BY h CASCADE;"},
        {"a=b,*=c",
         "REVOKE ALL ON SCHEMA public FROM PUBLIC;\nGRANT ALL ON SCHEMA public TO pg_database_owner;\n"
         "GRANT ALL ON SCHEMA public TO \"public\";\nGRANT ALL ON SCHEMA public TO CURRENT_USER;\n",
         NULL},
        {"*=c", "GRANT SELECT ON TABLE t TO \"PUBLIC\";\n", "GRANT SELECT ON TABLE t TO c;\n"},
        {"a=b,b=a", "GRANT SELECT ON TABLE t TO a;\nGRANT INSERT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO b;\nGRANT INSERT ON TABLE t TO a;\n"},
        {"a=b", "GRANT SELECT ON TABLE t TO A;\nGRANT SELECT ON TABLE t TO \"A\";\n",
         "GRANT SELECT ON TABLE t TO b;\nGRANT SELECT ON TABLE t TO \"A\";\n"},
        {"a=a", "GRANT SELECT ON TABLE t TO A, \"a\";\nGRANT SELECT ON TABLE t TO a;\nGRANT SELECT ON TABLE t TO a;\n",
         NULL},
        {"data=x", "GRANT ALL ON TABLE t TO U&\"d\\0061t\\+000061\";", "GRANT ALL ON TABLE t TO x;"},
        {"a=b", "/* a */ GRANT /* TO a */ ALL ON TABLE t TO a /* a */; -- TO a;\n",
         "/* a */ GRANT /* TO a */ ALL ON TABLE t TO b /* a */; -- TO a;\n"},
        {"a=b", "SELECT pg_catalog.binary_upgrade_set_record_init_privs(true);\nGRANT ALL ON TABLE t TO a;\n",
         "SELECT pg_catalog.binary_upgrade_set_record_init_privs(true);\nGRANT ALL ON TABLE t TO b;\n"},
    };
    check_cases("ACL", cases, ARRAY_SIZE(cases));
}

static void test_drop_grant(void **state)
{
    static const Case cases[] = {
        {"a=@drop", "GRANT SELECT ON TABLE t TO a;\n", ""},
        {"a=@drop", "REVOKE ALL ON TABLE t FROM a;\nGRANT SELECT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO b;\n"},
        {"a=@drop", "GRANT SELECT ON TABLE t TO b;\nGRANT SELECT ON TABLE t TO a;\n",
         "GRANT SELECT ON TABLE t TO b;\n"},
        {"a=@drop", "GRANT SELECT ON TABLE t TO a, b, c;\n", "GRANT SELECT ON TABLE t TO b, c;\n"},
        {"a=@drop", "GRANT SELECT ON TABLE t TO b,a , c;\n", "GRANT SELECT ON TABLE t TO b , c;\n"},
        {"a=@drop,c=@drop", "GRANT SELECT ON TABLE t TO a, c, b;\n", "GRANT SELECT ON TABLE t TO b;\n"},
        {"a=@drop,c=@drop", "GRANT SELECT ON TABLE t TO b, c, a;\n", "GRANT SELECT ON TABLE t TO b;\n"},
        {"a=@drop,c=@drop,b=x", "GRANT SELECT ON TABLE t TO a, b, c, d;\n", "GRANT SELECT ON TABLE t TO x, d;\n"},
        {"a=@drop,c=@drop", "GRANT SELECT ON TABLE t TO a, c;\n", ""},
        {"a=@drop", "GRANT SELECT ON TABLE t TO PUBLIC, a;\n", "GRANT SELECT ON TABLE t TO PUBLIC;\n"},
    };
    check_cases("ACL", cases, ARRAY_SIZE(cases));
}

static void test_session(void **state)
{
    static const Case cases[] = {
        {"g=h", "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n",
         "SET SESSION AUTHORIZATION h;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n"},
        /* A dropped grantor leaves his grants to the owner. */
        {"g=@drop", "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO a;\n"},
        {"g=@drop", "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nSET SESSION AUTHORIZATION DEFAULT;\n",
         "GRANT SELECT ON TABLE t TO a;\n"},
        /* A grantor that became the owner needs no SET. */
        {"g=boss", "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO a;\n"},
        {"g=new,boss=new",
         "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO a;\n"},
        /* Nothing left between SET and RESET. */
        {"a=@drop",
         "GRANT ALL ON TABLE t TO b;\nSET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\n"
         "RESET SESSION AUTHORIZATION;\n",
         "GRANT ALL ON TABLE t TO b;\n"},
        {"a=@drop", "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n", ""},
        {"a=@drop",
         "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nGRANT SELECT ON TABLE t TO b;\n"
         "RESET SESSION AUTHORIZATION;\n",
         "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO b;\nRESET SESSION AUTHORIZATION;\n"},
        {"*=x", "SET SESSION AUTHORIZATION CURRENT_USER;\nRESET SESSION AUTHORIZATION;\n", NULL},
        {"*=x", "SET SESSION AUTHORIZATION DEFAULT;\n", NULL},
    };
    check_cases("ACL", cases, ARRAY_SIZE(cases));
}

static void test_merge(void **state)
{
    static const Case cases[] = {
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a;\nGRANT SELECT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO c;\n"},
        {"a=c", "GRANT SELECT ON TABLE t TO c;\nGRANT SELECT ON TABLE t TO a;\nGRANT INSERT ON TABLE t TO a;\n",
         "GRANT SELECT ON TABLE t TO c;\nGRANT INSERT ON TABLE t TO c;\n"},
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a;\nGRANT SELECT ON TABLE t TO b WITH GRANT OPTION;\n",
         "GRANT SELECT ON TABLE t TO c WITH GRANT OPTION;\n"},
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a WITH GRANT OPTION;\nGRANT SELECT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO c WITH GRANT OPTION;\n"},
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a;\nGRANT SELECT,INSERT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO c;\nGRANT SELECT,INSERT ON TABLE t TO c;\n"},
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a, x, b;\n", "GRANT SELECT ON TABLE t TO c, x;\n"},
        {"a=c", "GRANT SELECT ON TABLE t TO a, c;\n", "GRANT SELECT ON TABLE t TO c;\n"},
        {"x=y", "GRANT SELECT ON TABLE t TO c, c, x;\n", "GRANT SELECT ON TABLE t TO c, c, y;\n"},
        /* The order of REVOKE and GRANT has a meaning and stays. */
        {"a=c,b=c", "REVOKE ALL ON TABLE t FROM a;\nGRANT SELECT ON TABLE t TO b;\n",
         "REVOKE ALL ON TABLE t FROM c;\nGRANT SELECT ON TABLE t TO c;\n"},
        {"a=c,b=c", "GRANT SELECT ON TABLE t TO a;\nREVOKE ALL ON TABLE t FROM x;\nGRANT SELECT ON TABLE t TO b;\n",
         "GRANT SELECT ON TABLE t TO c;\nREVOKE ALL ON TABLE t FROM x;\nGRANT SELECT ON TABLE t TO c;\n"},
        {"a=c,b=c", "REVOKE ALL ON TABLE t FROM a;\nREVOKE ALL ON TABLE t FROM b;\nGRANT SELECT ON TABLE t TO a;\n",
         "REVOKE ALL ON TABLE t FROM c;\nGRANT SELECT ON TABLE t TO c;\n"},
        /* Grants of two grantors are two, unless the grantors became one. */
        {"a=c,b=c",
         "GRANT SELECT ON TABLE t TO a;\nSET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO b;\n"
         "RESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO c;\nSET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO c;\n"
         "RESET SESSION AUTHORIZATION;\n"},
        {"g=boss",
         "GRANT SELECT ON TABLE t TO a;\nSET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\n"
         "RESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO a;\n"},
        {"g=h",
         "SET SESSION AUTHORIZATION g;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n"
         "SET SESSION AUTHORIZATION h;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n",
         "SET SESSION AUTHORIZATION h;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n"},
        /* Who passed a right on to himself has it already. */
        {"a=c,b=c",
         "GRANT SELECT ON TABLE t TO a WITH GRANT OPTION;\nSET SESSION AUTHORIZATION a;\n"
         "GRANT SELECT ON TABLE t TO b WITH GRANT OPTION;\nRESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO c WITH GRANT OPTION;\n"},
        {"a=c,b=c",
         "GRANT SELECT,INSERT ON TABLE t TO a WITH GRANT OPTION;\nSET SESSION AUTHORIZATION a;\n"
         "GRANT SELECT ON TABLE t TO b;\nGRANT SELECT ON TABLE t TO x;\nRESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT,INSERT ON TABLE t TO c WITH GRANT OPTION;\nSET SESSION AUTHORIZATION c;\n"
         "GRANT SELECT ON TABLE t TO x;\nRESET SESSION AUTHORIZATION;\n"},
        /* .. even over others. */
        {"a=c,b=c",
         "GRANT SELECT ON TABLE t TO a WITH GRANT OPTION;\nSET SESSION AUTHORIZATION a;\n"
         "GRANT SELECT ON TABLE t TO d WITH GRANT OPTION;\nRESET SESSION AUTHORIZATION;\n"
         "SET SESSION AUTHORIZATION d;\nGRANT SELECT ON TABLE t TO b WITH GRANT OPTION;\n"
         "RESET SESSION AUTHORIZATION;\n",
         "GRANT SELECT ON TABLE t TO c WITH GRANT OPTION;\nSET SESSION AUTHORIZATION c;\n"
         "GRANT SELECT ON TABLE t TO d WITH GRANT OPTION;\nRESET SESSION AUTHORIZATION;\n"},
    };
    check_cases("ACL", cases, ARRAY_SIZE(cases));
}

static void test_default_acl(void **state)
{
    static const Case cases[] = {
        {"x=y,a=b", "ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA x GRANT SELECT ON TABLES  TO a;\n",
         "ALTER DEFAULT PRIVILEGES FOR ROLE y IN SCHEMA x GRANT SELECT ON TABLES  TO b;\n"},
        {"x=y,revoke=r",
         "ALTER DEFAULT PRIVILEGES FOR ROLE x, revoke IN SCHEMA revoke, \"x\" REVOKE ALL ON FUNCTIONS FROM x;\n",
         "ALTER DEFAULT PRIVILEGES FOR ROLE y, r IN SCHEMA revoke, \"x\" REVOKE ALL ON FUNCTIONS FROM y;\n"},
        {"x=y", "ALTER DEFAULT PRIVILEGES FOR USER x REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n",
         "ALTER DEFAULT PRIVILEGES FOR USER y REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n"},
        {"x=@drop", "ALTER DEFAULT PRIVILEGES FOR ROLE x REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n", ""},
        {"a=@drop",
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON TYPES TO a;\n"
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON TYPES TO b;\n",
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON TYPES TO b;\n"},
        {"a=c,b=c",
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON SCHEMAS TO a;\n"
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON SCHEMAS TO b WITH GRANT OPTION;\n",
         "ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT ALL ON SCHEMAS TO c WITH GRANT OPTION;\n"},
        {"a=b", "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO a;",
         "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO b;"},
    };
    check_cases("DEFAULT ACL", cases, ARRAY_SIZE(cases));
}

static void test_policy(void **state)
{
    static const Case cases[] = {
        {"a=b", "CREATE POLICY a ON a.a TO a, \"B\" USING ((a = 'a'::name)) WITH CHECK ((\"to\" = a));\n",
         "CREATE POLICY a ON a.a TO b, \"B\" USING ((a = 'a'::name)) WITH CHECK ((\"to\" = a));\n"},
        {"\"B\"=b,a=c",
         "CREATE POLICY \"to\" ON \"on\".\"for\" AS RESTRICTIVE FOR SELECT TO a, \"B\" WITH CHECK (true);\n",
         "CREATE POLICY \"to\" ON \"on\".\"for\" AS RESTRICTIVE FOR SELECT TO c, b WITH CHECK (true);\n"},
        {"a=b,c=b", "CREATE POLICY p ON t TO a, c USING (true);\n", "CREATE POLICY p ON t TO b USING (true);\n"},
        {"a=@drop", "CREATE POLICY p ON t TO a, c USING (true);\n", "CREATE POLICY p ON t TO c USING (true);\n"},
        /* Without TO it would be for everyone: the policy goes. */
        {"a=@drop,c=@drop", "CREATE POLICY p ON t FOR INSERT TO a, c WITH CHECK (true);\n", ""},
        {"a=@drop", "CREATE POLICY p ON t TO a;\n", ""},
        {"*=b", "CREATE POLICY p ON t USING ((CURRENT_USER = owner));\n", NULL},
        {"*=b", "CREATE POLICY p ON t TO PUBLIC USING (true);\n", NULL},
    };
    check_cases("POLICY", cases, ARRAY_SIZE(cases));
}

static void test_policy_comment(void **state)
{
    const EntrySpec entries[] = {
        {.desc = "POLICY", .defn = "CREATE POLICY p ON t TO a;\n", .drop_stmt = "DROP POLICY p ON t;\n"},
        {.desc = "POLICY", .defn = "CREATE POLICY q ON t TO b;\n", .drop_stmt = "DROP POLICY q ON t;\n"},
        {.desc = "COMMENT", .defn = "COMMENT ON POLICY p ON t IS 'p';\n", .dep = "1"},
        {.desc = "COMMENT", .defn = "COMMENT ON POLICY q ON t IS 'q';\n", .dep = "2"},
        {.desc = "ACL", .defn = "GRANT ALL ON TABLE t TO x;\n", .dep = "1"},
    };
    Toc *toc = applied("a=@drop", entries, ARRAY_SIZE(entries));
    check_text("policy", toc->entries[0].defn, "");
    check_text("drop", toc->entries[0].drop_stmt, "");
    check_text("comment", toc->entries[2].defn, "");
    for (size_t i = 1; i < ARRAY_SIZE(entries); i += i == 1 ? 2 : 1)
        check_text("kept", toc->entries[i].defn, entries[i].defn);
    toc_free(toc);
}

static void test_database_properties(void **state)
{
    static const Case cases[] = {
        {"app=prod",
         "ALTER DATABASE app SET work_mem TO '8MB';\nALTER ROLE app IN DATABASE app SET search_path TO 'app', "
         "'public';\n",
         "ALTER DATABASE app SET work_mem TO '8MB';\nALTER ROLE prod IN DATABASE app SET search_path TO 'app', "
         "'public';\n"},
        {"a=@drop,b=c", "ALTER ROLE a IN DATABASE d SET x.y TO ';';\nALTER USER b IN DATABASE d RESET ALL;\n",
         "ALTER USER c IN DATABASE d RESET ALL;\n"},
        {"a=@drop", "ALTER ROLE a IN DATABASE d SET role TO 'a';\n", ""},
        {"*=c", "ALTER ROLE \"A b\" SET x TO y;\n", "ALTER ROLE c SET x TO y;\n"},
        {"d=x",
         "ALTER DATABASE d IS_TEMPLATE = true;\nUPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname "
         "= 'd';\n",
         NULL},
    };
    check_cases("DATABASE PROPERTIES", cases, ARRAY_SIZE(cases));
}

static void test_user_mapping(void **state)
{
    static const struct {
        const char *rules, *user, *tag, *new_user, *new_tag;
    } cases[] = {
        {"a=b", "a", "USER MAPPING a SERVER a", "b", "USER MAPPING b SERVER a"},
        {"\"we ird\"=\"A b\"", "\"we ird\"", "USER MAPPING we ird SERVER a", "\"A b\"", "USER MAPPING A b SERVER a"},
        {"\"a\"\"b\"=c", "\"a\"\"b\"", "USER MAPPING a\"b SERVER a", "c", "USER MAPPING c SERVER a"},
        {"a=b", "a", "another tag", "b", "another tag"},
        {"*=b", "PUBLIC", "USER MAPPING public SERVER a", "PUBLIC", "USER MAPPING public SERVER a"},
        {"*=b", "USER", "x", "USER", "x"},
        {"user=b", "\"user\"", "USER MAPPING user SERVER a", "b", "USER MAPPING b SERVER a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *defn = xasprintf("CREATE USER MAPPING FOR %s SERVER a OPTIONS (\"user\" 'a');\n",
                                              cases[i].user),
                            *drop = xasprintf("DROP USER MAPPING IF EXISTS FOR %s SERVER a;\n", cases[i].user),
                            *new_defn = xasprintf("CREATE USER MAPPING FOR %s SERVER a OPTIONS (\"user\" 'a');\n",
                                                  cases[i].new_user),
                            *new_drop = xasprintf("DROP USER MAPPING IF EXISTS FOR %s SERVER a;\n", cases[i].new_user);
        EntrySpec entry = {
            .desc = "USER MAPPING", .tag = cases[i].tag, .owner = "boss", .defn = defn, .drop_stmt = drop};
        Toc *toc = applied(cases[i].rules, &entry, 1);
        check_text(defn, toc->entries[0].defn, new_defn);
        check_text(drop, toc->entries[0].drop_stmt, new_drop);
        check_text(cases[i].tag, toc->entries[0].tag, cases[i].new_tag);
        toc_free(toc);
    }
}

static void test_user_mappings_merged(void **state)
{
    const EntrySpec entries[] = {
        {.desc = "USER MAPPING",
         .defn = "CREATE USER MAPPING FOR a SERVER s;\n",
         .drop_stmt = "DROP USER MAPPING FOR a SERVER s;\n"},
        {.desc = "USER MAPPING",
         .defn = "CREATE USER MAPPING FOR b SERVER s;\n",
         .drop_stmt = "DROP USER MAPPING FOR b SERVER s;\n"},
        {.desc = "USER MAPPING",
         .defn = "CREATE USER MAPPING FOR b SERVER r;\n",
         .drop_stmt = "DROP USER MAPPING FOR b SERVER r;\n"},
        {.desc = "USER MAPPING",
         .defn = "CREATE USER MAPPING FOR x SERVER s;\n",
         .drop_stmt = "DROP USER MAPPING FOR x SERVER s;\n"},
    };
    Toc *toc = applied("a=c,b=c,x=@drop", entries, ARRAY_SIZE(entries));
    check_text("first", toc->entries[0].defn, "CREATE USER MAPPING FOR c SERVER s;\n");
    check_text("second", toc->entries[1].defn, "");
    check_text("second", toc->entries[1].drop_stmt, "");
    check_text("other server", toc->entries[2].defn, "CREATE USER MAPPING FOR c SERVER r;\n");
    check_text("dropped", toc->entries[3].defn, "");
    check_text("dropped", toc->entries[3].drop_stmt, "");
    toc_free(toc);
}

static void test_owner(void **state)
{
    const EntrySpec entries[] = {
        {.desc = "TABLE", .owner = "a", .defn = "CREATE TABLE a (a text DEFAULT 'a');", .drop_stmt = "DROP TABLE a;"},
        {.desc = "TABLE DATA", .owner = "we ird"},
        {.desc = "EXTENSION", .owner = NULL, .defn = "CREATE EXTENSION a;", .drop_stmt = "DROP EXTENSION a;"},
        {.desc = "COMMENT", .owner = "", .defn = "COMMENT ON TABLE a IS 'a';"},
        {.desc = "SCHEMA", .owner = "pg_database_owner", .defn = "CREATE SCHEMA a;", .drop_stmt = "DROP SCHEMA a;"},
        {.desc = "SUBSCRIPTION",
         .owner = "b",
         .defn = "CREATE SUBSCRIPTION b CONNECTION 'user=a';",
         .drop_stmt = "DROP"},
        {.desc = "ACL", .owner = "gone", .defn = "GRANT ALL ON TABLE a TO x;"},
    };
    static const char *const owners[] = {"new \"a\"", "*", NULL, "", "pg_database_owner", "*", ""};
    Toc *toc = applied("a=\"new \"\"a\"\"\",gone=@drop,*=\"*\"", entries, ARRAY_SIZE(entries));
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        check_text("owner", toc->entries[i].owner, owners[i]);
        if (i + 1 < ARRAY_SIZE(entries))
            check_text("definition", toc->entries[i].defn, entries[i].defn);
    }
    toc_free(toc);
}

static void check_refused(const char *rules, const EntrySpec *entries, size_t n, ErrorCode code, const char *message)
{
    RoleMap *map = map_of(rules);
    Toc *toc = build_toc(entries, n);
    Error err = ERROR_INIT;
    if (rolemap_apply(map, toc, &err) == 0)
        fail_msg("%s: %s was taken", rules, entries[n - 1].defn);
    assert_int_equal(err.code, code);
    if (strstr(err.message, message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", message, err.message);
    toc_free(toc);
    rolemap_free(map);
}

static void test_drop_owner(void **state)
{
    EntrySpec entry = {
        .desc = "FUNCTION", .tag = "f()", .namespace = "s", .owner = "a", .defn = "x", .drop_stmt = "DROP"};
    check_refused("a=@drop", &entry, 1, ERR_USAGE, "FUNCTION s.f(): role \"a\" is to be dropped, but it is the owner");
}

static void test_not_understood(void **state)
{
    static const struct {
        const char *desc, *rules, *defn;
    } refused[] = {
        {"QUEUE", "a=b", "CREATE QUEUE q FOR a;"},
        {"QUEUE", "a=b", "CREATE QUEUE q FOR \"a\";"},
        {"QUEUE", "a=@drop", "CREATE QUEUE q FOR a;"},
        {"QUEUE", "a=b", "CREATE QUEUE q FOR 'a';"},
        {"QUEUE", "a=b", "CREATE QUEUE q FOR U&\"!0061\" UESCAPE '!';"},
        {"QUEUE", "a=b", "CREATE QUEUE q FOR U&\"\\zz\";"},
        {"QUEUE", "*=b", "CREATE QUEUE q FOR boss;"},
        {"ACL", "a=b", "GRANT a TO x;"},
        {"ACL", "a=b", "SET SESSION AUTHORIZATION 'a';"},
        {"ACL", "a=b", "GRANT SELECT ON TABLE t TO a WITH ADMIN OPTION;"},
        {"ACL", "a=b", "GRANT SELECT ON TABLE t TO U&\"!0061\" UESCAPE '!';"},
        {"DEFAULT ACL", "a=b", "ALTER DEFAULT PRIVILEGES FOR ROLE a DROP EVERYTHING;"},
        {"POLICY", "a=b", "CREATE POLICY p ON t TO a b;"},
        {"USER MAPPING", "a=b", "CREATE USER MAPPING a SERVER s;"},
        {"ACL", "a=@drop", "SET SESSION AUTHORIZATION g; SET SESSION AUTHORIZATION a; GRANT ALL ON TABLE t TO b;"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        EntrySpec entry = {.desc = refused[i].desc, .tag = "q", .owner = "boss", .defn = refused[i].defn};
        check_refused(refused[i].rules, &entry, 1, ERR_UNSUPPORTED, "applying the role map to");
    }
    static const Case taken[] = {
        {"a=b", "CREATE QUEUE q FOR c AS ab, \"A\" -- a\n;", NULL},
        {"*=b", "CREATE QUEUE q FOR c;", NULL}, /* nobody says that c is a role */
        {"a=a", "CREATE QUEUE q FOR a;", NULL},
    };
    check_cases("QUEUE", taken, ARRAY_SIZE(taken));
    EntrySpec with_drop = {.desc = "QUEUE", .owner = "boss", .defn = "x", .drop_stmt = "DROP QUEUE FOR a"};
    check_refused("a=b", &with_drop, 1, ERR_UNSUPPORTED, "names \"a\"");
}

static void test_corrupt(void **state)
{
    static const char *const descs[] = {"ACL", "DEFAULT ACL", "POLICY", "USER MAPPING", "DATABASE PROPERTIES", "QUEUE"};
    static const char *const texts[] = {"GRANT \"", "GRANT ALL ON TABLE t TO z; 'x", "/* /*", "$a$ $b$"};
    for (size_t i = 0; i < ARRAY_SIZE(descs); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
            EntrySpec entry = {.desc = descs[i], .defn = texts[j]};
            check_refused("a=b", &entry, 1, ERR_CORRUPT, "unterminated");
        }
    }
}

/* What a map does not change keeps even its place in memory. */
static void test_untouched(void **state)
{
    const EntrySpec entries[] = {
        {.desc = "TABLE", .owner = "a", .defn = "CREATE TABLE a ();", .drop_stmt = "DROP TABLE a;"},
        {.desc = "ACL", .owner = "a", .defn = "GRANT ALL ON TABLE t TO A; GRANT ALL ON TABLE t TO \"a\";"},
        {.desc = "DEFAULT ACL",
         .owner = "a",
         .defn = "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT ALL ON TABLES TO a, a;"},
        {.desc = "POLICY", .owner = "a", .defn = "CREATE POLICY p ON t TO \"a\", a;"},
        {.desc = "USER MAPPING",
         .owner = "a",
         .tag = "USER MAPPING a SERVER s",
         .defn = "CREATE USER MAPPING FOR a SERVER s;",
         .drop_stmt = "DROP USER MAPPING FOR a SERVER s;"},
        {.desc = "DATABASE PROPERTIES", .owner = "a", .defn = "ALTER ROLE a IN DATABASE a SET x TO y;"},
        {.desc = "ACL", .owner = "a", .defn = NULL},
        {.desc = "QUEUE", .owner = "a", .defn = "a"},
    };
    static const char *const maps[] = {"", "a=a", "*=a", "other=x", "other=@drop"};
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
        RoleMap *map = map_of(maps[i]);
        Toc *toc = build_toc(entries, ARRAY_SIZE(entries));
        TocEntry before[ARRAY_SIZE(entries)];
        memcpy(before, toc->entries, sizeof before);
        assert_int_equal(rolemap_apply(map, toc, NULL), 0);
        assert_memory_equal(before, toc->entries, sizeof before);
        toc_free(toc);
        rolemap_free(map);
    }
}

/* Every prefix of every statement: done or refused, no more. */
static void test_prefixes(void **state)
{
    static const char *const texts[][2] = {
        {"ACL",
         "SET SESSION AUTHORIZATION \"a\"; REVOKE GRANT OPTION FOR ALL ON TABLE t FROM a, b GRANTED BY a CASCADE;\n"
         "GRANT SELECT(a) ON TABLE \"a\".t TO GROUP a, PUBLIC WITH GRANT OPTION;\nRESET SESSION AUTHORIZATION;"},
        {"DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE a, b IN SCHEMA a, b REVOKE ALL ON TABLES FROM a;"},
        {"POLICY", "CREATE POLICY a ON a.b AS PERMISSIVE FOR ALL TO a, \"b\" USING ('a' = $$a$$) WITH CHECK (true);"},
        {"USER MAPPING", "CREATE USER MAPPING IF NOT EXISTS FOR a SERVER s OPTIONS (password 'a''b');"},
        {"DATABASE PROPERTIES", "ALTER DATABASE a SET b TO 'c';\nALTER ROLE a IN DATABASE a SET b TO 'a';"},
        {"UNKNOWN", "CREATE UNKNOWN a 'a' \"b\" /* a */ $a$ a $a$;"},
    };
    static const char *const maps[] = {"a=c,b=c", "a=@drop", "*=boss"};
    for (size_t i = 0; i < ARRAY_SIZE(texts) * ARRAY_SIZE(maps); i++) {
        const char *const *text = texts[i % ARRAY_SIZE(texts)];
        RoleMap *map = map_of(maps[i / ARRAY_SIZE(texts)]);
        for (size_t len = 0; len <= strlen(text[1]); len++) {
            _cleanup_free_ char *prefix = xstrndup(text[1], len);
            EntrySpec entry = {.desc = text[0], .owner = "boss", .defn = prefix, .drop_stmt = prefix};
            Toc *toc = build_toc(&entry, 1);
            Error err = ERROR_INIT;
            if (rolemap_apply(map, toc, &err) < 0)
                assert_true(err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
            toc_free(toc);
        }
        rolemap_free(map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grant),          cmocka_unit_test(test_drop_grant),
        cmocka_unit_test(test_session),        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_default_acl),    cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_comment), cmocka_unit_test(test_database_properties),
        cmocka_unit_test(test_user_mapping),   cmocka_unit_test(test_user_mappings_merged),
        cmocka_unit_test(test_owner),          cmocka_unit_test(test_drop_owner),
        cmocka_unit_test(test_not_understood), cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_untouched),      cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
