/* Migrations as ten tools keep them in files, and what lies between them and a database. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/schema.h"

static char root[] = "/tmp/kura-schema.XXXXXX";
static Error err;

static int set_up(void **state)
{
    (void)state;
    err = (Error)ERROR_INIT;
    strcpy(root + strlen(root) - 6, "XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    _cleanup_free_ char *command = xasprintf("chmod -R u+rwx %s && rm -rf %s", root, root);
    return system(command);
}

/* A file below root, and the folders above it. */
static void file(const char *path, const char *text)
{
    _cleanup_free_ char *full = xasprintf("%s/%s", root, path);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(full, 0755);
        *at = '/';
    }
    if (file_make(full, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.message);
}

static SchemaHistory read_code(SchemaTool tool)
{
    SchemaHistory history;
    const SchemaSource source = {.root = root};
    if (schema_code_read(tool, &source, &history, &err) < 0)
        fail_msg("%s", err.message);
    return history;
}

static void assert_ids(const SchemaHistory *history, const char *wanted)
{
    _cleanup_(buf_done) Buf ids = BUF_INIT(64 * 1024);
    for (size_t i = 0; i < history->n; i++)
        buf_printf(&ids, NULL, "%s%s%s", i ? " | " : "", history->v[i].id, history->v[i].post ? " (post)" : "");
    assert_string_equal(buf_str(&ids), wanted);
}

/* A database with these rows; "!" in front: it failed. */
static SchemaHistory rows(SchemaTool tool, const char *const *ids)
{
    SchemaHistory history = {.tool = tool, .table = xstrdup("public.t")};
    for (; *ids; ids++) {
        bool failed = (*ids)[0] == '!';
        schema_history_add(&history, *ids + failed, NULL)->failed = failed;
    }
    return history;
}

static void add_list(Buf *out, const char *what, const StrVec *list)
{
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, NULL, "%s%s", i ? " " : what, list->v[i]);
}

static void assert_between(const SchemaHistory *code, SchemaHistory *database, const char *wanted)
{
    SchemaDifference difference;
    _cleanup_(buf_done) Buf text = BUF_INIT(64 * 1024);
    schema_compare(code, database, &difference);
    buf_append_str(&text, schema_state_name(difference.state), NULL);
    add_list(&text, "; pending ", &difference.pending);
    add_list(&text, "; post ", &difference.pending_post);
    add_list(&text, "; unknown ", &difference.unknown);
    add_list(&text, "; changed ", &difference.changed);
    add_list(&text, "; failed ", &difference.failed);
    assert_string_equal(buf_str(&text), wanted);
    schema_difference_done(&difference);
    schema_history_done(database);
}
#define ROWS(tool, ...) rows(tool, (const char *const[]){__VA_ARGS__, NULL})
#define ASSERT_BETWEEN(code, wanted, ...)                                                                              \
    do {                                                                                                               \
        SchemaHistory database_ = ROWS((code)->tool, __VA_ARGS__);                                                     \
        assert_between(code, &database_, wanted);                                                                      \
    } while (0)

static void rails(void **state)
{
    (void)state;
    file("db/migrate/20160220174730_create_accounts.rb", "");
    file("db/migrate/007_ancient.rb", "");
    file("db/migrate/20160221003140_create_users.devise.rb", "");
    file("db/migrate/archive/20150101000000_inner.rb", "");
    file("db/migrate/20160221003140_Upper.rb", "");
    file("db/migrate/README.md", "");
    file("db/migrate/.hidden/1_x.rb", "");
    file("db/post_migrate/20170101000000_backfill.rb", "");
    SchemaHistory code = read_code(SCHEMA_RAILS);
    assert_ids(&code, "7 | 20150101000000 | 20160220174730 | 20160221003140 | 20170101000000 (post)");
    assert_string_equal(code.v[0].title, "007_ancient");
    assert_string_equal(code.v[3].title, "20160221003140_create_users.devise");
    ASSERT_BETWEEN(&code, "equal", "7", "20150101000000", "20160220174730", "20160221003140", "20170101000000");
    ASSERT_BETWEEN(&code, "pending-post; post 20170101000000_backfill", "7", "20150101000000", "20160220174730",
                   "20160221003140");
    ASSERT_BETWEEN(&code, "pending; pending 20160220174730_create_accounts; post 20170101000000_backfill", "7",
                   "20150101000000", "20160221003140");
    ASSERT_BETWEEN(&code, "newer; unknown 20200101000000", "7", "20150101000000", "20160220174730", "20160221003140",
                   "20170101000000", "20200101000000");
    schema_history_done(&code);
}

static void named_directories(void **state)
{
    (void)state;
    SchemaHistory code;
    StrVec dirs = {0}, post = {0};
    file("a/1_one.rb", "");
    file("b/2_two.rb", "");
    strvec_push(&dirs, "a");
    strvec_pushf(&dirs, "%s/b", root);
    strvec_push(&post, "not there");
    const SchemaSource source = {.root = root, .dirs = &dirs, .post_dirs = &post};
    assert_int_equal(schema_code_read(SCHEMA_RAILS, &source, &code, &err), 0);
    assert_ids(&code, "1 | 2");
    schema_history_done(&code);
    strvec_push(&dirs, "c");
    assert_int_equal(schema_code_read(SCHEMA_RAILS, &source, &code, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/c\""));
    strvec_done(&dirs);
    strvec_done(&post);
}

static void ecto(void **state)
{
    (void)state;
    file("priv/repo/migrations/20170320193800_create_user.exs", "");
    file("priv/repo/migrations/.formatter.exs", "");
    file("priv/repo/migrations/optional/20180101000000_more.exs", "");
    SchemaHistory code = read_code(SCHEMA_ECTO);
    assert_ids(&code, "20170320193800 | 20180101000000");
    schema_history_done(&code);
}

static void golang_migrate(void **state)
{
    (void)state;
    file("migrations/000001_init.up.sql", "");
    file("migrations/000001_init.down.sql", "");
    file("migrations/000002_users.up.sql", "");
    file("migrations/10_late.up.pgsql", "");
    SchemaHistory code = read_code(SCHEMA_GOLANG_MIGRATE);
    assert_ids(&code, "1 | 2 | 10");
    ASSERT_BETWEEN(&code, "equal", "10");
    ASSERT_BETWEEN(&code, "pending; pending 10_late", "2");
    ASSERT_BETWEEN(&code, "failed; pending 10_late; failed 2", "!2");
    ASSERT_BETWEEN(&code, "newer; unknown 11", "11");
    SchemaHistory nothing = {.tool = SCHEMA_GOLANG_MIGRATE};
    assert_between(&code, &nothing, "pending; pending 000001_init 000002_users 10_late");
    schema_history_done(&code);
}

static void typeorm(void **state)
{
    (void)state;
    file("migration/1000000000000-Init.js",
         "export class Init1000000000000 {\n    constructor() {\n        this.name = 'Init1000000000000';\n    }\n}\n");
    file("migration/1000000000001-wrong.js", "module.exports = class wrongName1000000000009 {\n"
                                             "    name = 'rightName1000000000002'\n"
                                             "    async up(q) { await q.query(`select name = 'x'`); }\n}\n");
    file("migration/1000000000003-plain.js",
         "export class plain1000000000003 {\n  async up(q) { await q.query(\"UPDATE t SET name = 'admin'\"); }\n}\n");
    file("migration/ 1000000000004-space.ts", "export class space1000000000004 implements MigrationInterface {\n"
                                              "    public readonly name: string = \"space1000000000004\";\n}\n");
    file("migration/1000000000005-two.js",
         "class Helper {}\nexport class two1000000000005 {}\nexport class three1000000000006 {}\n");
    file("migration/types.d.ts", "declare class no1000000000007 {}");
    file("migration/js/1000000000008-helper.js", "export class helper1000000000008 {}");
    SchemaHistory code = read_code(SCHEMA_TYPEORM);
    assert_ids(&code, "space1000000000004 | Init1000000000000 | rightName1000000000002 | plain1000000000003 | "
                      "two1000000000005 | three1000000000006");
    ASSERT_BETWEEN(&code, "newer; pending three1000000000006; unknown fork1100000000000", "space1000000000004",
                   "Init1000000000000", "rightName1000000000002", "plain1000000000003", "two1000000000005",
                   "fork1100000000000");
    schema_history_done(&code);
}

static int32_t flyway_sum(const char *text)
{
    return schema_flyway_checksum(text, strlen(text));
}

static void flyway_checksums(void **state)
{
    (void)state;
    assert_int_equal(flyway_sum(""), 0);
    assert_int_equal(flyway_sum("SELECT 1;"), 78787420);
    assert_int_equal(flyway_sum("SELECT 1;\n"), 78787420);
    assert_int_equal(flyway_sum("\xef\xbb\xbfSELECT 1;"), 78787420);
    assert_int_equal(flyway_sum("\n\r\n\rSELECT 1;\r"), 78787420);
    assert_int_equal(flyway_sum("SELECT 1;\nSELECT 2;"), -1665099012);
    assert_int_equal(flyway_sum("SELECT 1;\r\nSELECT 2;\r\n"), -1665099012);
}

static void flyway(void **state)
{
    (void)state;
    file("db/migration/V1__base.sql", "SELECT 1;\n");
    file("db/migration/sub/V1_2.0__more.sql", "SELECT 1;\nSELECT 2;");
    file("db/migration/V10__late.sql", "");
    file("db/migration/U10__undo.sql", "");
    file("db/migration/R__all_views.sql", "SELECT 1;");
    file("db/migration/R__with_${.sql", "SELECT '${owner}';");
    file("db/migration/Vx__no.sql", "");
    file("db/migration/V1.sql", "");
    SchemaHistory code = read_code(SCHEMA_FLYWAY);
    assert_ids(&code, "R all views | R with ${ | 10 | 1 | 1.2");
    assert_string_equal(code.v[3].checksum, "78787420");
    assert_null(code.v[1].checksum);
    SchemaHistory same = ROWS(SCHEMA_FLYWAY, "1", "1.2", "10", "R all views", "R with ${");
    same.v[0].checksum = xstrdup("78787420");
    same.v[1].checksum = xstrdup("-1665099012");
    same.v[3].checksum = xstrdup("78787420");
    same.v[4].checksum = xstrdup("5");
    assert_between(&code, &same, "equal");
    SchemaHistory differ = ROWS(SCHEMA_FLYWAY, "1", "1.2", "!10", "R all views", "R with ${", "11");
    differ.v[0].checksum = xstrdup("1");
    differ.v[3].checksum = xstrdup("1");
    differ.v[5].foreign = true;
    assert_between(&code, &differ, "failed; pending R__all_views.sql; changed V1__base.sql; failed 10");
    SchemaHistory based = ROWS(SCHEMA_FLYWAY, "1.2", "R all views", "R with ${");
    based.v[0].foreign = based.v[0].baseline = true;
    assert_between(&code, &based, "pending; pending V10__late.sql");
    schema_history_done(&code);
}

static void row_ids(void **state)
{
    (void)state;
    static const struct {
        SchemaTool tool;
        const char *text, *id;
    } cases[] = {
        {SCHEMA_RAILS, "007", "7"},         {SCHEMA_RAILS, "x1", "x1"},   {SCHEMA_RAILS, "", ""},
        {SCHEMA_FLYWAY, "01.002.0", "1.2"}, {SCHEMA_FLYWAY, "0.0", "0"},  {SCHEMA_FLYWAY, "R a 1", "R a 1"},
        {SCHEMA_DIESEL, "00000", "00000"},  {SCHEMA_ALEMBIC, "01", "01"}, {SCHEMA_FLYWAY, "1..2", "1..2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *id = schema_row_id(cases[i].tool, cases[i].text);
        assert_string_equal(id, cases[i].id);
    }
}

static void django(void **state)
{
    (void)state;
    file("shop/apps.py", "class C(AppConfig):\n    name = 'shop'\n    label = 'store'\n");
    file("shop/migrations/__init__.py", "");
    file("shop/migrations/0001_initial.py", "\"\"\"replaces = [('a', 'b')]\n\"\"\"\nclass Migration:\n    pass\n");
    file("shop/migrations/0002_more.py", "");
    file("shop/migrations/0001_squashed_0002.py",
         "class Migration(migrations.Migration):\n    replaces = [(\"store\", \"0001_initial\"),  # ('x', 'y')\n"
         "                ('store', '0002_more')]\n    dependencies = [('auth', '0001')]\n");
    file("inner/blog/migrations/0001_initial.py", "");
    file("venv/lib/site-packages/other/migrations/0001_initial.py", "");
    SchemaHistory code = read_code(SCHEMA_DJANGO);
    assert_ids(&code, "blog.0001_initial | store.0001_initial | store.0001_squashed_0002 | store.0002_more");
    ASSERT_BETWEEN(&code, "equal", "auth.0001_initial", "blog.0001_initial", "store.0001_initial", "store.0002_more");
    ASSERT_BETWEEN(&code, "equal", "blog.0001_initial", "store.0001_squashed_0002");
    ASSERT_BETWEEN(&code, "pending; pending store.0001_squashed_0002 store.0002_more", "blog.0001_initial",
                   "store.0001_initial");
    ASSERT_BETWEEN(&code, "newer; unknown blog.0002_later", "blog.0001_initial", "blog.0002_later",
                   "store.0001_squashed_0002");
    schema_history_done(&code);
}

static void alembic(void **state)
{
    (void)state;
    file("alembic/versions/a1_first.py",
         "\"\"\"first\n\nrevision = 'no'\n\"\"\"\nrevision = 'a1'\ndown_revision = None\n");
    file("alembic/versions/b2_second.py",
         "from typing import Union\nrevision: str = \"b2\"\ndown_revision: Union[str, None] = \"a1\"  # 'zz'\n");
    file("alembic/versions/c3_branch.py", "revision = 'c3'\ndown_revision = 'a1'\n");
    file("alembic/versions/d4_merge.py", "revision = 'd4'\ndown_revision = (\n    'b2',\n    'c3',\n)\n");
    file("alembic/versions/e5_aside.py", "revision = 'e5'\ndown_revision = None\ndepends_on = 'c3'\n");
    SchemaHistory code = read_code(SCHEMA_ALEMBIC);
    assert_ids(&code, "a1 | b2 | c3 | d4 | e5");
    ASSERT_BETWEEN(&code, "equal", "d4", "e5");
    ASSERT_BETWEEN(&code, "pending; pending b2_second d4_merge", "e5");
    ASSERT_BETWEEN(&code, "pending; pending d4_merge e5_aside", "b2", "c3");
    ASSERT_BETWEEN(&code, "newer; pending a1_first b2_second c3_branch d4_merge e5_aside; unknown f6", "f6");
    schema_history_done(&code);
}

/* Each is the other's parent. */
static void a_circle_of_revisions(void **state)
{
    (void)state;
    file("alembic/versions/a.py", "revision = 'a'\ndown_revision = 'b'\n");
    file("alembic/versions/b.py", "revision = 'b'\ndown_revision = ('a', 'b')\n");
    SchemaHistory code = read_code(SCHEMA_ALEMBIC);
    ASSERT_BETWEEN(&code, "equal", "a");
    schema_history_done(&code);
}

static void checksums(void **state)
{
    (void)state;
    file("migrations/1_one.sql", "abc");
    file("migrations/2_two.up.sql", "x");
    file("migrations/2_two.down.sql", "x");
    SchemaHistory code = read_code(SCHEMA_SQLX);
    assert_ids(&code, "1 | 2");
    assert_string_equal(code.v[0].checksum, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                                            "8086072ba1e7cc2358baeca134c825a7");
    SchemaHistory database = ROWS(SCHEMA_SQLX, "1", "!2");
    database.v[0].checksum = xstrdup("00");
    assert_between(&code, &database, "failed; changed 1_one; failed 2");
    schema_history_done(&code);

    file("prisma/migrations/20200101000000_init/migration.sql", "abc");
    file("prisma/migrations/migration_lock.toml", "");
    code = read_code(SCHEMA_PRISMA);
    assert_ids(&code, "20200101000000_init");
    assert_string_equal(code.v[0].checksum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    schema_history_done(&code);
}

static void diesel(void **state)
{
    (void)state;
    file("migrations/2021-09-20-112945_jwt_secret/up.sql", "");
    file("migrations/2021-09-20-112945_jwt_secret/down.sql", "");
    file("migrations/00000000000000_diesel_initial_setup/up.sql", "");
    SchemaHistory code = read_code(SCHEMA_DIESEL);
    assert_ids(&code, "00000000000000 | 20210920112945");
    assert_string_equal(code.v[1].title, "2021-09-20-112945_jwt_secret");
    schema_history_done(&code);
}

static SchemaHistory count_code(SchemaTool tool, const char *version)
{
    SchemaHistory code;
    const SchemaSource source = {.root = root, .version = version};
    assert_int_equal(schema_code_read(tool, &source, &code, &err), 0);
    return code;
}

static void numbers(void **state)
{
    (void)state;
    SchemaHistory code = count_code(SCHEMA_PEERTUBE, "0835");
    ASSERT_BETWEEN(&code, "equal", "835");
    ASSERT_BETWEEN(&code, "pending; pending 835", "99");
    ASSERT_BETWEEN(&code, "newer; unknown 1025", "1025");
    schema_history_done(&code);
    code = count_code(SCHEMA_SYNAPSE, "92");
    SchemaHistory newer = ROWS(SCHEMA_SYNAPSE, "94");
    newer.least = xstrdup("84");
    assert_between(&code, &newer, "equal");
    newer = ROWS(SCHEMA_SYNAPSE, "94");
    newer.least = xstrdup("93");
    assert_between(&code, &newer, "newer; unknown 94");
    schema_history_done(&code);
    const SchemaSource source = {.version = "many"};
    assert_int_equal(schema_code_read(SCHEMA_XORM, &source, &code, &err), -1);
}

/* Whatever the files are, nothing waits, and nothing is read that is no file. */
static void hostile_files(void **state)
{
    (void)state;
    SchemaHistory code;
    const SchemaSource source = {.root = root};
    _cleanup_free_ char *fifo = xasprintf("%s/migration/1000000000000-fifo.js", root),
                        *loop = xasprintf("%s/migration/1000000000001-loop.js", root),
                        *device = xasprintf("%s/migration/1000000000002-zero.js", root);
    file("migration/0-empty.js", "");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink(loop, loop), 0);
    assert_int_equal(symlink("/dev/zero", device), 0);
    assert_int_equal(schema_code_read(SCHEMA_TYPEORM, &source, &code, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "no migrations of TypeORM"));
    file("migration/1-odd.js", "class \xff\xfe class class name = '\nclass x1234567890123 { name = '");
    code = read_code(SCHEMA_TYPEORM);
    assert_ids(&code, "x1234567890123");
    schema_history_done(&code);
    file("alembic/versions/x.py", "revision = ('((((' \"'''\ndown_revision = [[[[");
    code = read_code(SCHEMA_ALEMBIC);
    assert_ids(&code, "((((");
    schema_history_done(&code);
}

static void an_enormous_file(void **state)
{
    (void)state;
    SchemaHistory code;
    const SchemaSource source = {.root = root};
    _cleanup_free_ char *path = xasprintf("%s/migrations/2_large.sql", root);
    file("migrations/1_small.sql", "");
    file("migrations/2_large.sql", "");
    assert_int_equal(truncate(path, 1ll << 40), 0);
    assert_int_equal(schema_code_read(SCHEMA_SQLX, &source, &code, &err), -1);
    assert_non_null(strstr(err.message, "larger than a migration can be"));
}

static void tools_have_names(void **state)
{
    (void)state;
    _cleanup_free_ char *names = schema_tool_names();
    SchemaTool tool;
    for (size_t i = 0; i < SCHEMA_TOOLS; i++) {
        assert_true(schema_tool_parse(schema_tool_name((SchemaTool)i), &tool));
        assert_int_equal(tool, i);
        assert_non_null(strstr(names, schema_tool_name(tool)));
    }
    assert_false(schema_tool_parse("liquibase", &tool));
}

#define SCHEMA_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCHEMA_TEST(rails),
        SCHEMA_TEST(named_directories),
        SCHEMA_TEST(ecto),
        SCHEMA_TEST(golang_migrate),
        SCHEMA_TEST(typeorm),
        SCHEMA_TEST(flyway_checksums),
        SCHEMA_TEST(flyway),
        SCHEMA_TEST(row_ids),
        SCHEMA_TEST(django),
        SCHEMA_TEST(alembic),
        SCHEMA_TEST(a_circle_of_revisions),
        SCHEMA_TEST(checksums),
        SCHEMA_TEST(diesel),
        SCHEMA_TEST(numbers),
        SCHEMA_TEST(hostile_files),
        SCHEMA_TEST(an_enormous_file),
        SCHEMA_TEST(tools_have_names),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
