/* INI, HJSON, Elixir's configuration, and URLs. */
#include "fixture.h"
#include "kura/app.h"

#include "kura/mem.h"
#include "site.h"

static void tells(Format format, const char *text, const char *message)
{
    const char *told = read_text(format, text);
    if (strstr(told, message) == NULL)
        fail_msg("\"%s\": \"%s\" does not tell \"%s\"", text, told, message);
}

static void ini(void **state)
{
    assert_string_equal(read_text(ini_settings,
                                  "\xef\xbb\xbfTOP = 1 ; c\r\n[a b]\r\nk : v\r\nq = `x;#` # c\nt = \"\"\"y\"z\"\"\"\n"
                                  "u = 'v w'\n# c\n; c\nhash = a#b\nempty =\nk = again\n[DEFAULT]\nd=1\n"),
                        "");
    assert_string_equal(value("TOP"), "1");
    assert_string_equal(value("a b.k"), "again");
    assert_string_equal(value("a b.q"), "x;#");
    assert_string_equal(value("a b.t"), "y\"z");
    assert_string_equal(value("a b.u"), "v w");
    assert_string_equal(value("a b.hash"), "a");
    assert_string_equal(value("a b.empty"), "");
    assert_string_equal(value("d"), "1");
    _cleanup_free_ char *quoted = written("a b.q"), *again = written("a b.k");
    assert_string_equal(quoted, "`x;#`");
    assert_string_equal(again, "again");
    tells(ini_settings, "[a\n", "file:1: a section has no");
    tells(ini_settings, "a\n", "file:1: a line has no");
    tells(ini_settings, "a = `b\nc`\n", "does not end on its line");
    assert_true(strstr(read_bytes(ini_settings, "a=\0b", 4), "zero byte") != NULL);
}

static void hjson(void **state)
{
    assert_string_equal(read_text(hjson_settings,
                                  "{\n# c\na: text with # sign // all of it\n\"b\": 5 # c\nc: [1, two\n 'three']\n"
                                  "d: {e: true, f: null}, g: \"\\u00e9\\ud83d\\ude00\\n\"\nh: 5 five\n}\n"),
                        "");
    assert_string_equal(value("a"), "text with # sign // all of it");
    assert_string_equal(value("b"), "5");
    assert_string_equal(value("c[0]"), "1");
    assert_string_equal(value("c[1]"), "two");
    assert_string_equal(value("c[2]"), "three");
    assert_string_equal(value("d.e"), "true");
    assert_null(value("d.f"));
    assert_string_equal(value("g"), "é😀\n");
    assert_string_equal(value("h"), "5 five");
    _cleanup_free_ char *b = written("b");
    assert_string_equal(b, "5");
    assert_string_equal(read_text(hjson_settings, "a: 1\nb: 2\n"), "");
    assert_string_equal(value("b"), "2");
    tells(hjson_settings, "{a: 1", "ends too early"); /* the text is "1": its line ends it */
    tells(hjson_settings, "{a 1}", "no \":\"");
    tells(hjson_settings, "{a: \"x\n\"}", "does not end on its line");
    tells(hjson_settings, "{a: \"\\x\"}", "invalid escape");
    tells(hjson_settings, "{a: \"\\ud800\"}", "invalid \\u");
    tells(hjson_settings, "{a: \"\\u12\"}", "invalid \\u");
    tells(hjson_settings, "{a: 1\na: 2}", "twice");
    tells(hjson_settings, "{a: 1\n}\nx", "behind the end");
    tells(hjson_settings, "/* a", "a comment does not end");
    tells(hjson_settings, "{a: ]}", "a value is missing");
    tells(hjson_settings, "{a: [x\n\f", "a value is missing"); /* white space that is none of JSON's: no endless list */
    _cleanup_free_ char *deep = xmalloc(5001);
    memset(deep, '[', 5000);
    memcpy(deep, "a:", 2);
    deep[5000] = 0;
    tells(hjson_settings, deep, "nested too deeply");
}

static void elixir(void **state)
{
    assert_string_equal(
        read_text(
            elixir_settings,
            "import Config\nconfig :app, Some.Repo,\n  user: \"a\\\"#b\\\\\", # c, d: 1\n  port: 5_432,\n  on: true, "
            "off: nil,\n"
            "  a: :atom, m: Some.Module,\n  computed: System.get_env(\"X\", \"y\"),\n  sum: 1 + 2,\n  joined: \"a\" <> "
            "\"b\",\n"
            "  inside: \"x #{y}\",\n  list: [1, 2, \"]\"], opts: [one: 1, two: [three: 3]],\n  last: \"end\"\n"
            "config(:app, key: \"v\")\n  config :app, [other: \"w\"]\n"
            "doc = \"\"\"\nconfig :app, no: \"x\"\n\"\"\"\n# config :app, no: \"x\"\nconfig :app, key: \"later\"\n"),
        "");
    assert_string_equal(value("app.Some.Repo.user"), "a\"#b\\");
    assert_string_equal(value("app.Some.Repo.port"), "5432");
    assert_string_equal(value("app.Some.Repo.on"), "true");
    assert_null(value("app.Some.Repo.off"));
    assert_string_equal(value("app.Some.Repo.a"), "atom");
    assert_string_equal(value("app.Some.Repo.m"), "Some.Module");
    assert_null(value("app.Some.Repo.computed"));
    assert_string_equal(finding_of_text(), "app-value");
    assert_null(value("app.Some.Repo.sum"));
    assert_null(value("app.Some.Repo.joined"));
    assert_null(value("app.Some.Repo.inside"));
    assert_null(value("app.Some.Repo.list"));
    assert_string_equal(value("app.Some.Repo.opts.two.three"), "3");
    assert_string_equal(value("app.Some.Repo.last"), "end");
    assert_string_equal(value("app.key"), "later");
    assert_string_equal(value("app.other"), "w");
    assert_null(value("app.no"));
    _cleanup_free_ char *user = written("app.Some.Repo.user");
    assert_string_equal(user, "\"a\\\"#b\\\\\"");
    static const char *const broken[] = {"config",  "config :a", "config :a, b: \"",    "config :a, b: [",
                                         "config(", "\"\"\"",    "config :a, b: [c: [", "config :a, b: '\\",
                                         "((((",    "))))",      "config :a, B, c:"};
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
        assert_string_equal(read_text(elixir_settings, broken[i]), "");
}

static void urls(void **state)
{
    static const struct {
        const char *url, *host, *port, *user, *password, *database, *sslmode;
    } cases[] = {
        {"postgresql://u:p%40%2f%25@h.example:6432/d%20b?sslmode=require&pool=5", "h.example", "6432", "u", "p@/%",
         "d b", "require"},
        {"postgres://u@[2001:db8::1]:5433/d", "2001:db8::1", "5433", "u", NULL, "d", NULL},
        {"postgres://[::1]/d", "::1", NULL, NULL, NULL, "d", NULL},
        {"postgresql:///d?host=/run/postgresql&port=5434", "/run/postgresql", "5434", NULL, NULL, "d", NULL},
        {"postgresql://%2Frun%2Fpostgresql/d", "/run/postgresql", NULL, NULL, NULL, "d", NULL},
        {"redis://:se@cret@r:6380/2", "r", "6380", NULL, "se@cret", "2", NULL},
        {"redis://r", "r", NULL, NULL, NULL, NULL, NULL},
        {"unix:///run/redis.sock?db=3", "/run/redis.sock", NULL, NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AppServer server = {0};
        Error err = ERROR_INIT;
        assert_int_equal(app_server_read_url(cases[i].url, &server, &err), 0);
        const char *got[] = {server.host, server.port, server.user, server.password, server.database, server.sslmode},
                   *wanted[] = {cases[i].host,     cases[i].port,     cases[i].user,
                                cases[i].password, cases[i].database, cases[i].sslmode};
        for (size_t k = 0; k < ARRAY_SIZE(got); k++)
            assert_string_equal(got[k] ? got[k] : "(none)", wanted[k] ? wanted[k] : "(none)");
        app_server_done(&server);
    }
    static const char *const wrong[] = {"",
                                        "h/d",
                                        "postgres:/h",
                                        "postgres://u:secret%@h",
                                        "postgres://u:secret%zz@h",
                                        "postgres://h%00/d",
                                        "postgres://[::1/d",
                                        "?://x"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        AppServer server = {0};
        Error err = ERROR_INIT;
        assert_int_equal(app_server_read_url(wrong[i], &server, &err), -1);
        assert_null(strstr(err.message, "secret"));
        app_server_done(&server);
    }
}

static void urls_with_certificates(void **state)
{
    AppServer server = {0};
    Error err = ERROR_INIT;
    static const char url[] = "postgres://u@h/d?sslmode=verify-full&sslrootcert=/etc/ssl/my%27ca.pem&pool=5&sslcert=c";
    assert_int_equal(app_server_read_url(url, &server, &err), 0);
    _cleanup_free_ char *conninfo = app_conninfo(&server, true);
    assert_string_equal(
        conninfo, "host='h' dbname='d' user='u' sslmode='verify-full' sslrootcert='/etc/ssl/my\\'ca.pem' sslcert='c'");
    app_server_done(&server);
    assert_int_equal(app_server_read_url("postgres://u@h/d?sslrootcert=%zz", &server, &err), -1);
    app_server_done(&server);
}

static void connection_strings(void **state)
{
    char host[] = "h", port[] = "1", database[] = "d 'x'\\", user[] = "u", password[] = "p'w";
    AppServer server = {.host = host, .port = port, .database = database, .user = user, .password = password};
    _cleanup_free_ char *without = app_conninfo(&server, false), *with = app_conninfo(&server, true);
    assert_string_equal(without, "host='h' port='1' dbname='d \\'x\\'\\\\' user='u'");
    assert_string_equal(with, "host='h' port='1' dbname='d \\'x\\'\\\\' user='u' password='p\\'w'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ini),
        cmocka_unit_test(hjson),
        cmocka_unit_test(elixir),
        cmocka_unit_test(urls),
        cmocka_unit_test(urls_with_certificates),
        cmocka_unit_test(connection_strings),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    forget();
    return failed;
}
