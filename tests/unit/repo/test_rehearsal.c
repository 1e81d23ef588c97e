#include "fixture.h"

#include <math.h>

#include "jsonnode_priv.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

static Rehearsal *parse(const Buf *text)
{
    Rehearsal *rehearsal = NULL;
    if (rehearsal_parse(text->data, text->len, &rehearsal, &err) < 0)
        fail_msg("%s", err.message);
    return rehearsal;
}

static void the_document(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal();
    _cleanup_(buf_done) Buf golden = BUF_INIT(GOLDEN_MAX), text = BUF_INIT(GOLDEN_MAX);
    read_golden("rehearsal.json", &golden);
    format_rehearsal(sample, &text);
    assert_string_equal(buf_str(&text), buf_str(&golden));
}

static void round_trip_is_exact(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf golden = BUF_INIT(GOLDEN_MAX), text = BUF_INIT(GOLDEN_MAX);
    read_golden("rehearsal.json", &golden);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *back = parse(&golden);
    format_rehearsal(back, &text);
    assert_string_equal(buf_str(&text), buf_str(&golden));
}

static void assert_head_equal(const Rehearsal *a, const Rehearsal *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->backup, b->backup);
    assert_string_equal(a->host, b->host);
    assert_string_equal(a->error, b->error);
    assert_string_equal(a->hint, b->hint);
    assert_string_equal(a->kept, b->kept);
    assert_string_equal(a->newest_row_where, b->newest_row_where);
    assert_int_equal(a->verdict, b->verdict);
    assert_int_equal(a->source_version_num, b->source_version_num);
    assert_int_equal(a->server_version_num, b->server_version_num);
    assert_int_equal(a->estimated_bytes, b->estimated_bytes);
    assert_int_equal(a->database_bytes, b->database_bytes);
    assert_true(a->seconds == b->seconds && a->backup_age == b->backup_age);
    assert_true(a->newest_row_age == b->newest_row_age && a->restore_seconds == b->restore_seconds);
}

static void assert_run_equal(const RehearsalRun *a, const RehearsalRun *b)
{
    assert_string_equal(a->command, b->command);
    assert_string_equal(a->output, b->output);
    assert_true(a->timed_out == b->timed_out && a->truncated == b->truncated && a->seconds == b->seconds);
    assert_int_equal(a->status, b->status);
    assert_int_equal(b->n_changes, 3);
    assert_null(b->changes[0].before);
    assert_string_equal(b->changes[0].after, "FOREIGN KEY (a)");
    assert_null(b->changes[1].after);
    assert_int_equal(b->changes[1].kind, SCHEMA_REMOVED);
    assert_int_equal(b->n_locks, 1);
    assert_true(b->locks[0].seconds == 3.5);
    assert_int_equal(b->n_rows, 2);
    assert_int_equal(b->rows[0].after, 9);
}

static void values_come_back(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal();
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    format_rehearsal(sample, &text);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *back = parse(&text);
    assert_head_equal(sample, back);
    assert_int_equal(back->n_phases, 2);
    assert_true(back->phases[1].start == 1.75 && back->phases[1].seconds == 61.001);
    assert_int_equal(back->n_proofs, 2);
    assert_null(back->proofs[0].skipped);
    assert_int_equal(back->proofs[0].failed, 1);
    assert_string_equal(back->proofs[1].skipped, "no extension \"amcheck\"");
    assert_int_equal(back->n_tables, 2);
    assert_string_equal(back->tables[0].schema, "caf\xe9");
    assert_string_equal(back->tables[0].name, "<script>alert(1)</script>");
    assert_int_equal(back->filesets[0].sampled_bytes, 99);
    assert_int_equal(back->findings[0].severity, FINDING_ERROR);
    assert_null(back->findings[1].hint);
    assert_true(back->has_run);
    assert_run_equal(&sample->run, &back->run);
}

/* A rehearsal that could do nothing, of a backup without rows that tell their age. */
static Rehearsal *small_rehearsal(const char *id)
{
    Rehearsal *rehearsal = rehearsal_new();
    rehearsal->id = xstrdup(id);
    rehearsal->backup = xstrdup(SAMPLE_ID);
    rehearsal->app = xstrdup("a");
    rehearsal->host = xstrdup("h");
    rehearsal->kura_version = xstrdup("0.1.0");
    rehearsal->started = xstrdup("2026-11-22T03:15:00Z");
    rehearsal->finished = xstrdup("2026-11-22T03:15:00Z");
    rehearsal->backup_started = xstrdup("2026-11-22T03:15:00Z");
    rehearsal->backup_finished = xstrdup("2026-11-22T03:15:00Z");
    return rehearsal;
}

static void commit(const char *id)
{
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = small_rehearsal(id);
    if (rehearsal_commit(repo, rehearsal, &err) < 0)
        fail_msg("%s", err.message);
}

static void an_empty_one(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *back = NULL;
    commit(REHEARSAL_ID);
    assert_int_equal(rehearsal_load(repo, REHEARSAL_ID, &back, &err), 0);
    assert_int_equal(back->verdict, VERDICT_PASSED);
    assert_false(back->has_run);
    assert_true(back->newest_row_age < 0);
    assert_null(back->error);
    assert_int_equal(back->n_tables + back->n_phases + back->n_proofs + back->n_findings + back->n_filesets, 0);
}

static void durations_are_kept_to_the_millisecond(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *small = small_rehearsal(REHEARSAL_ID), *back = NULL;
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    small->seconds = 0.1 + 0.2;
    small->restore_seconds = 123456789.9876543;
    small->backup_age = -1.25;
    format_rehearsal(small, &text);
    assert_non_null(strstr(buf_str(&text), "\"seconds\": 0.3,"));
    assert_non_null(strstr(buf_str(&text), "\"restore_seconds\": 123456789.988,"));
    back = parse(&text);
    assert_true(back->seconds == 0.3 && back->restore_seconds == 123456789.988 && back->backup_age == -1.25);
}

static void commit_and_load(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal(), *back = NULL;
    _cleanup_(buf_done) Buf before = BUF_INIT(GOLDEN_MAX), after = BUF_INIT(GOLDEN_MAX);
    assert_int_equal(rehearsal_commit(repo, sample, &err), 0);
    assert_int_equal(count_objects("rehearsals/" REHEARSAL_ID ".json"), 1);
    assert_int_equal(rehearsal_load(repo, REHEARSAL_ID, &back, &err), 0);
    format_rehearsal(sample, &before);
    format_rehearsal(back, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
    assert_int_equal(rehearsal_commit(repo, sample, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
}

static void assert_not_committed(const Rehearsal *rehearsal, const char *part)
{
    assert_int_equal(rehearsal_commit(repo, rehearsal, &err), -1);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
    assert_int_equal(count_objects("rehearsals/"), 0);
}

static void an_unreadable_one_is_not_committed(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal();
    sample->run.status = -1;
    assert_not_committed(sample, "run.status is out of range: -1");
    sample->run.status = 0;
    sample->seconds = NAN;
    assert_not_committed(sample, "seconds is missing");
    sample->seconds = -0.5;
    assert_not_committed(sample, "seconds is out of range");
    sample->seconds = 1;
    free(steal(sample->proofs[0].title));
    assert_not_committed(sample, "proofs[0].title");
    sample->proofs[0].title = xstrdup("");
    free(steal(sample->id));
    assert_not_committed(sample, "id");
    sample->id = xstrdup("../kura");
    assert_not_committed(sample, "no id");
}

static void loading_what_is_not_there(void **state)
{
    (void)state;
    Rehearsal *back;
    const char *const ids[] = {REHEARSAL_ID, "../kura", "", "x"};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(rehearsal_load(repo, ids[i], &back, &err), -1);
        assert_int_equal(err.code, ERR_NOT_FOUND);
        assert_non_null(strstr(err.message, "there is no rehearsal"));
    }
    commit("20261122T031500Z-a-0001");
    _cleanup_(buf_done) Buf text = BUF_INIT(GOLDEN_MAX);
    assert_int_equal(store_get(store, "rehearsals/20261122T031500Z-a-0001.json", 0, UINT64_MAX, &text, &err), 0);
    put_object("rehearsals/20261122T031500Z-a-0002.json", buf_str(&text));
    assert_int_equal(rehearsal_load(repo, "20261122T031500Z-a-0002", &back, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "20261122T031500Z-a-0001"));
}

/* Backups and rehearsals are not taken for each other. */
static void listing(void **state)
{
    (void)state;
    _cleanup_(strvec_done) StrVec list = {0}, backups = {0};
    assert_int_equal(rehearsal_list(repo, &list, &err), 0);
    assert_int_equal(list.n, 0);
    commit("20261123T031500Z-a-0001");
    commit("20261122T031500Z-b-0001");
    put_object("rehearsals/README", "x");
    put_object("rehearsals/20261122T031501Z-a-0001.json.old", "x");
    put_object("rehearsals/deep/20261122T031501Z-a-0001.json", "x");
    put_object("backups/20261122T031500Z-c-0001.json", "x");
    assert_int_equal(rehearsal_list(repo, &list, &err), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.v[0], "20261122T031500Z-b-0001");
    assert_string_equal(list.v[1], "20261123T031500Z-a-0001");
    assert_int_equal(manifest_list(repo, &backups, &err), 0);
    assert_int_equal(backups.n, 1);
}

static void ids(void **state)
{
    (void)state;
    _cleanup_free_ char *one = rehearsal_new_id(repo, "caf\xe9"), *two = rehearsal_new_id(repo, "caf\xe9");
    assert_string_not_equal(one, two);
    commit(one);
    commit(two);
    assert_int_equal(count_objects("rehearsals/"), 2);
}

static void commit_of(const char *id, const char *app)
{
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = small_rehearsal(id);
    free(rehearsal->app);
    rehearsal->app = xstrdup(app);
    assert_int_equal(rehearsal_commit(repo, rehearsal, &err), 0);
}

/* Those before this one, of the same application and of none that looks alike in an id. */
static void earlier_ones(void **state)
{
    (void)state;
    size_t n;
    Rehearsal **list;
    commit_of("20261120T031500Z-a_b-0001", "a.b");
    commit_of("20261121T031500Z-a_b-0001", "a_b");
    commit_of("20261121T031500Z-a_b-0002", "a.b");
    commit_of("20261121T031500Z-c-0001", "c");
    commit_of("20261122T031500Z-a_b-0001", "a.b");
    commit_of("20261123T031500Z-a_b-0001", "a.b");
    commit_of("20261124T031500Z-a_b-0001", "a.b");
    put_object("rehearsals/20261122T041500Z-a_b-0001.json", "damaged");
    _cleanup_(rehearsal_free_cleanup) Rehearsal *now = small_rehearsal("20261123T031500Z-a_b-0001");
    free(now->app);
    now->app = xstrdup("a.b");
    assert_int_equal(rehearsal_earlier(repo, now, 10, &list, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_string_equal(list[0]->id, "20261120T031500Z-a_b-0001");
    assert_string_equal(list[2]->id, "20261122T031500Z-a_b-0001");
    rehearsals_free(list, n);
    assert_int_equal(rehearsal_earlier(repo, now, 2, &list, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(list[0]->id, "20261121T031500Z-a_b-0002");
    rehearsals_free(list, n);
    assert_int_equal(rehearsal_earlier(repo, now, 0, &list, &n, &err), 0);
    assert_int_equal(n, 0);
    rehearsals_free(list, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(the_document),
        REPO_TEST(round_trip_is_exact),
        REPO_TEST(values_come_back),
        REPO_TEST(an_empty_one),
        REPO_TEST(durations_are_kept_to_the_millisecond),
        REPO_TEST(commit_and_load),
        REPO_TEST(an_unreadable_one_is_not_committed),
        REPO_TEST(loading_what_is_not_there),
        REPO_TEST(listing),
        REPO_TEST(ids),
        REPO_TEST(earlier_ones),
    };
    return cmocka_run_group_tests_name("rehearsal", tests, NULL, NULL);
}
