/* Messages of real servers and pg_restores, 13 to 18, in English and Japanese (tests/fixtures/messages.json, made by
 * make-messages.sh): which entry each is about, and what it means. The language changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "classify.h"
#include "kura/mem.h"
#include "restoremsg.h"

static json_t *corpus;

static int load_corpus(void **state)
{
    json_error_t error;
    corpus = json_load_file(FIXTURES "/messages.json", 0, &error);
    return corpus ? 0 : -1;
}

static int free_corpus(void **state)
{
    json_decref(corpus);
    return 0;
}

static const char *text(const json_t *record, const char *key)
{
    return json_string_value(json_object_get(record, key));
}

static void read_said(const json_t *record, RestoreMessages *messages)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(record, "said"), i, line) restoremsg_line(messages, json_string_value(line));
    restoremsg_end(messages);
}

static const RestoreMessage *error_number(const RestoreMessages *messages, size_t number)
{
    for (size_t i = 0; i < messages->n; i++)
        if (messages->v[i].error && number-- == 0)
            return &messages->v[i];
    return NULL;
}

static size_t count_errors(const RestoreMessages *messages)
{
    size_t n = 0;
    for (size_t i = 0; i < messages->n; i++)
        n += messages->v[i].error;
    return n;
}

/* What the first error of each case means, and its SQLSTATE; the server's own where it has none here. */
static const struct {
    const char *name, *sqlstate;
    TroubleClass class;
} wanted[] = {
    {"duplicates", "23505", TROUBLE_ACTION},
    {"orphans", "23503", TROUBLE_ACTION},
    {"table-there", "42P07", TROUBLE_LOSS},
    {"no-type", "42704", TROUBLE_LOSS},
    {"no-table", "42P01", TROUBLE_ACTION},
    {"schema-there", "42P06", TROUBLE_HARMLESS},
    {"comment", "42501", TROUBLE_HARMLESS},
    {"extension", "42501", TROUBLE_ACTION},
    {"event-trigger", "42501", TROUBLE_ACTION},
    {"publication", "42501", TROUBLE_ACTION},
    {"cast", "42501", TROUBLE_ACTION},
    {"wrapper", "42501", TROUBLE_ACTION},
    {"c-function", "42501", TROUBLE_ACTION},
    {"not-a-member", "42501", TROUBLE_ACTION},
    {"grant-nobody", "42704", TROUBLE_ACTION},
    {"copy-syntax", "22P02", TROUBLE_LOSS},
    {"copy-check", "23514", TROUBLE_LOSS},
    {"no-sequence", "42P01", TROUBLE_LOSS},
    {"policy", "42P01", TROUBLE_ACTION},
    {"row-security", "42P01", TROUBLE_ACTION},
    {"trigger", "42P01", TROUBLE_ACTION},
    {"view", "42703", TROUBLE_ACTION},
    {"contents", "22012", TROUBLE_ACTION},
    {"large-object", "23505", TROUBLE_LOSS},
    {"hostile", "42P07", TROUBLE_LOSS},
    {"long-statement", "42723", TROUBLE_ACTION},
    {"parameter-of-17", "42704", TROUBLE_HARMLESS},
    {"parameter-of-18", "42704", TROUBLE_HARMLESS},
};

static void check_record(const json_t *record)
{
    RestoreMessages messages = {0};
    read_said(record, &messages);
    const char *name = text(record, "case"), *type = text(record, "type");
    const char *state = json_string_value(json_array_get(json_object_get(record, "states"), 0));
    const RestoreMessage *first = error_number(&messages, 0);
    size_t i = 0;
    while (i < ARRAY_SIZE(wanted) && strcmp(wanted[i].name, name) != 0)
        i++;
    if (i == ARRAY_SIZE(wanted) || first == NULL || state == NULL)
        fail_msg("case \"%s\": %s", name, first ? "not known here, or without a state" : "no error was read");
    Trouble trouble = {
        .sqlstate = state, .desc = *type ? type : NULL, .command = first->command, .preamble = first->preamble};
    Classified verdict = classify(&trouble);
    if (strcmp(state, wanted[i].sqlstate) != 0 || verdict.class != wanted[i].class)
        fail_msg("%s: %s, %s; wanted %s, %s", name, state, trouble_class_name(verdict.class), wanted[i].sqlstate,
                 trouble_class_name(wanted[i].class));
    assert_non_null(verdict.consequence);
    assert_int_equal(verdict.class == TROUBLE_HARMLESS, verdict.next == NULL);
    if ((first->dump_id > 0) != (*type != 0) && strcmp(name, "hostile") != 0)
        fail_msg("%s of %d: the entry is %d", name, (int)json_integer_value(json_object_get(record, "version")),
                 first->dump_id);
    restoremsg_done(&messages);
}

static void test_every_message(void **state)
{
    size_t i;
    json_t *record;
    json_array_foreach(corpus, i, record) check_record(record);
    assert_true(i >= 200);
}

/* Each server error is read exactly once: as many as are in the server's log. A name that looks like a line of
 * pg_restore's can add one; it never hides one. */
static void test_every_error_is_read(void **state)
{
    size_t i;
    json_t *record;
    json_array_foreach(corpus, i, record)
    {
        RestoreMessages messages = {0};
        read_said(record, &messages);
        size_t made = json_array_size(json_object_get(record, "states"));
        bool hostile = strcmp(text(record, "case"), "hostile") == 0;
        if (hostile ? count_errors(&messages) < made : count_errors(&messages) != made)
            fail_msg("%s of %d, %s: %zu errors were read, the server made %zu", text(record, "case"),
                     (int)json_integer_value(json_object_get(record, "version")), text(record, "language"),
                     count_errors(&messages), made);
        restoremsg_done(&messages);
    }
}

/* The same case of the same version in another language: equal but for the text. */
static void test_language_changes_nothing(void **state)
{
    size_t other_words = 0;
    for (size_t i = 0; i + 1 < json_array_size(corpus); i += 2) {
        const json_t *english = json_array_get(corpus, i), *japanese = json_array_get(corpus, i + 1);
        assert_string_equal(text(english, "case"), text(japanese, "case"));
        assert_string_equal(text(english, "language"), "C");
        assert_string_equal(text(japanese, "language"), "ja_JP.UTF-8");
        assert_true(json_equal(json_object_get(english, "states"), json_object_get(japanese, "states")));
        RestoreMessages a = {0}, b = {0};
        read_said(english, &a);
        read_said(japanese, &b);
        assert_int_equal(count_errors(&a), count_errors(&b));
        for (size_t e = 0; e < count_errors(&a); e++) {
            const RestoreMessage *x = error_number(&a, e), *y = error_number(&b, e);
            assert_int_equal(x->dump_id, y->dump_id);
            assert_int_equal(x->preamble, y->preamble);
            assert_string_equal(x->command ? x->command : "", y->command ? y->command : "");
            other_words += strcmp(x->text, y->text) != 0;
        }
        restoremsg_done(&a);
        restoremsg_done(&b);
    }
    assert_true(other_words >= 100); /* the servers did speak Japanese */
}

/* A statement is run again as it was read: it must be whole, whatever its length. */
static void test_long_statement_is_whole(void **state)
{
    size_t i, seen = 0;
    json_t *record;
    json_array_foreach(corpus, i, record)
    {
        if (strcmp(text(record, "case"), "long-statement") != 0)
            continue;
        RestoreMessages messages = {0};
        read_said(record, &messages);
        const char *command = error_number(&messages, 0)->command;
        assert_true(strlen(command) > 1800);
        assert_string_equal(command + strlen(command) - strlen("RETURN 1; END$$;"), "RETURN 1; END$$;");
        restoremsg_done(&messages);
        seen++;
    }
    assert_int_equal(seen, 8);
}

static void test_server_that_gave_way(void **state)
{
    static const char *const states[] = {"53100", "53200", "57P01", "08006", "58030", "XX001"};
    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        assert_int_equal(classify(&(Trouble){.sqlstate = states[i], .desc = "COMMENT"}).class, TROUBLE_LOSS);
    assert_int_equal(classify(&(Trouble){.sqlstate = "57014", .desc = "INDEX"}).class, TROUBLE_ACTION);
}

static void test_unknown_is_never_harmless(void **state)
{
    assert_int_equal(classify(&(Trouble){0}).class, TROUBLE_LOSS);
    assert_int_equal(classify(&(Trouble){.desc = "SOMETHING NEW", .sqlstate = ""}).class, TROUBLE_ACTION);
    assert_int_equal(classify(&(Trouble){.desc = "TABLE DATA", .sqlstate = ""}).class, TROUBLE_LOSS);
    assert_int_equal(classify(&(Trouble){.preamble = true, .sqlstate = "", .command = "SET x = 0"}).class,
                     TROUBLE_LOSS);
    assert_int_equal(classify(&(Trouble){.preamble = true, .sqlstate = "42704", .command = "SELECT f()"}).class,
                     TROUBLE_LOSS);
}

/* An owner is recognised by the statement's grammar, not by its text. */
static void test_owner_statements(void **state)
{
    Trouble trouble = {.sqlstate = "42501", .desc = "TABLE", .command = "ALTER TABLE public.t OWNER TO \"x y\";"};
    assert_int_equal(classify(&trouble).class, TROUBLE_ACTION);
    trouble.command = "CREATE TABLE t (a text DEFAULT 'ALTER TABLE t OWNER TO x');";
    assert_int_equal(classify(&trouble).class, TROUBLE_LOSS);
    trouble.command = "ALTER TABLE t ADD CHECK (a <> ' OWNER TO ');";
    assert_int_equal(classify(&trouble).class, TROUBLE_LOSS);
}

/* Steps of kura's own, and what to do before another attempt. */
static void test_own_statements(void **state)
{
    static const struct {
        const char *desc, *state, *command;
        TroubleClass class;
    } own[] = {
        {"DATABASE", "42501", "ALTER DATABASE \"a b\" OWNER TO x", TROUBLE_ACTION},
        {"DATABASE PROPERTIES", "42704", "ALTER DATABASE a SET nothing TO 'x'", TROUBLE_ACTION},
        {"ACL", "42501", NULL, TROUBLE_ACTION},
        {"BLOB METADATA", "42501", "ALTER LARGE OBJECT 1 OWNER TO x", TROUBLE_ACTION},
        {"ANALYZE", "22012", "ANALYZE a.b", TROUBLE_ACTION},
        {"ANALYZE", "53100", "ANALYZE a.b", TROUBLE_LOSS},
        {"ACCESS PROBE", "42501", NULL, TROUBLE_ACTION},
    };
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        Trouble trouble = {.desc = own[i].desc, .sqlstate = own[i].state, .command = own[i].command};
        Classified verdict = classify(&trouble);
        assert_int_equal(verdict.class, own[i].class);
        assert_non_null(verdict.next);
        assert_string_not_equal(verdict.consequence, "the object is missing");
    }
    assert_non_null(trouble_next("53100"));
    assert_non_null(trouble_next("53400")); /* by its class */
    assert_null(trouble_next("22012"));
    assert_null(trouble_next(""));
}

static void test_exit_status_follows(void **state)
{
    assert_int_equal(trouble_severity(TROUBLE_HARMLESS), FINDING_NOTE);
    assert_int_equal(trouble_severity(TROUBLE_ACTION), FINDING_WARNING);
    assert_int_equal(trouble_severity(TROUBLE_LOSS), FINDING_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message),
        cmocka_unit_test(test_every_error_is_read),
        cmocka_unit_test(test_language_changes_nothing),
        cmocka_unit_test(test_long_statement_is_whole),
        cmocka_unit_test(test_server_that_gave_way),
        cmocka_unit_test(test_unknown_is_never_harmless),
        cmocka_unit_test(test_owner_statements),
        cmocka_unit_test(test_own_statements),
        cmocka_unit_test(test_exit_status_follows),
    };
    return cmocka_run_group_tests_name("classify", tests, load_corpus, free_corpus);
}
