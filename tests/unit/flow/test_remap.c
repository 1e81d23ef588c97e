#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../archive/fixture.h"
#include "kura/export.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "scratch.h"

static const char *const custom_names[] = {"custom", "pipe", "plain"};
static const char rules[] =
    "kf_owner=app_production,kf_reader=\"The Readers\",kf_writer=kf_a_much_longer_name_than_before";

static int set_up(void **state)
{
    *state = scratch_new();
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

static RoleMap *map_of(const char *text)
{
    Error err = ERROR_INIT;
    RoleMap *map = rolemap_new();
    if (text[0] && rolemap_add(map, text, &err) < 0)
        fail_msg("%s", err.message);
    return map;
}

static char *fixture_path(int major, const char *name)
{
    return xasprintf("%s/archives/pg%d.%s", FIXTURES, major, name);
}

/* Remaps under the rules into <dir>/<name>, which must work. */
static char *remapped(const char *dir, const char *archive, const char *name, const char *rule_text)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    RoleUses uses = {0};
    RoleMap *map = map_of(rule_text);
    char *out = xasprintf("%s/%s", dir, name);
    if (remap_run(archive, out, map, &uses, &findings, &err) < 0)
        fail_msg("%s: %s", archive, err.message);
    const RoleUse *owner = roleuses_find(&uses, "kf_owner");
    assert_non_null(owner);
    assert_true(owner->owns > 0);
    assert_string_equal(owner->new_name, rule_text[0] ? "app_production" : "kf_owner");
    rolemap_free(map);
    roleuses_done(&uses);
    findings_done(&findings);
    return out;
}

/* Remaps, which must fail and leave no trace in dir. */
static void assert_refused(const char *dir, const char *archive, const char *rule_text, ErrorCode code,
                           Findings *findings, Error *err)
{
    RoleUses uses = {0};
    Findings own = FINDINGS_INIT;
    RoleMap *map = map_of(rule_text);
    size_t before = count_names(dir);
    _cleanup_free_ char *out = xasprintf("%s/refused", dir);
    assert_int_equal(remap_run(archive, out, map, &uses, findings ? findings : &own, err), -1);
    if (err->code != code)
        fail_msg("%s: %s", error_code_name(err->code), err->message);
    assert_int_equal(count_names(dir), before);
    assert_int_equal(uses.n, 0);
    findings_done(&own);
    rolemap_free(map);
}

static void for_each_custom(void **state, void (*check)(const char *dir, const char *archive, const char *name))
{
    for (size_t i = 0; i < N_MAJORS; i++)
        for (size_t j = 0; j < ARRAY_SIZE(custom_names); j++) {
            _cleanup_free_ char *archive = fixture_path(fixture_majors[i], custom_names[j]);
            _cleanup_free_ char *name = xasprintf("%d.%s", fixture_majors[i], custom_names[j]);
            check(*state, archive, name);
        }
}

static void for_each_directory(void **state, void (*check)(const char *dir, const char *archive, const char *name))
{
    for (size_t i = 0; i < N_MAJORS; i++) {
        _cleanup_free_ char *archive = fixture_path(fixture_majors[i], "dir");
        _cleanup_free_ char *name = xasprintf("%d.dir", fixture_majors[i]);
        check(*state, archive, name);
    }
}

static void check_identical(const char *dir, const char *archive, const char *name)
{
    _cleanup_free_ char *out = remapped(dir, archive, name, "");
    Buf diff = RUN("diff", "-r", archive, out);
    assert_int_equal(diff.len, 0);
    buf_done(&diff);
}

static void without_a_rule_every_byte_is_the_same(void **state)
{
    for_each_custom(state, check_identical);
    for_each_directory(state, check_identical);
}

static void check_owners(const char *old_path, const char *new_path)
{
    Toc *old, *new;
    assert_int_equal(archive_open_toc(old_path, &old, NULL, NULL), 0);
    assert_int_equal(archive_open_toc(new_path, &new, NULL, NULL), 0);
    assert_int_equal(old->n_entries, new->n_entries);
    size_t mapped = 0;
    for (size_t i = 0; i < old->n_entries; i++) {
        const TocEntry *before = &old->entries[i], *after = &new->entries[i];
        assert_int_equal(before->dump_id, after->dump_id);
        if (before->owner == NULL) {
            assert_null(after->owner);
        } else if (strcmp(before->owner, "kf_owner") == 0) {
            assert_string_equal(after->owner, "app_production");
            mapped++;
        } else if (strncmp(before->owner, "kf_", 3) != 0) {
            assert_string_equal(after->owner, before->owner);
        }
        assert_true(after->owner == NULL || strcmp(after->owner, "kf_owner") != 0);
    }
    assert_true(mapped > 10);
    toc_free(old);
    toc_free(new);
}

/* The block at an entry's offset begins with its kind and the dump id. */
static void check_offsets(const Buf *bytes, const Toc *toc)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (entry->offset_flag != OFFSET_SET)
            continue;
        assert_true(entry->offset + 6 < bytes->len);
        const uint8_t *at = bytes->data + entry->offset;
        assert_int_equal(at[0], strcmp(entry->desc, "BLOBS") == 0 ? 3 : 1);
        assert_int_equal(at[2] | at[3] << 8 | at[4] << 16 | at[5] << 24, entry->dump_id);
    }
}

static void check_custom(const char *dir, const char *archive, const char *name)
{
    _cleanup_free_ char *out = remapped(dir, archive, name, rules);
    check_owners(archive, out);
    Buf before = file_load(archive), after = file_load(out);
    Toc *toc;
    size_t used_before, used_after;
    assert_int_equal(archive_open_toc(archive, &toc, &used_before, NULL), 0);
    toc_free(toc);
    assert_int_equal(archive_open_toc(out, &toc, &used_after, NULL), 0);
    assert_true(used_after != used_before);
    assert_int_equal(before.len - used_before, after.len - used_after);
    assert_memory_equal(before.data + used_before, after.data + used_after, before.len - used_before);
    check_offsets(&after, toc);
    toc_free(toc);
    buf_done(&before);
    buf_done(&after);
}

static void custom_archives_get_new_owners_and_keep_their_data(void **state)
{
    for_each_custom(state, check_custom);
}

static void check_directory(const char *dir, const char *archive, const char *name)
{
    _cleanup_free_ char *out = remapped(dir, archive, name, rules);
    check_owners(archive, out);
    Buf diff = RUN("diff", "-r", "-x", "toc.dat", archive, out);
    assert_int_equal(diff.len, 0);
    buf_done(&diff);
}

static void directories_get_new_owners_and_keep_their_data(void **state)
{
    for_each_directory(state, check_directory);
}

static void pg_restore_accepts_the_result_and_finds_all_rows(void **state)
{
    const char *names[] = {"custom", "pipe", "plain", "dir"};
    for (int major = 13; major <= 15; major += 2)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            _cleanup_free_ char *archive = fixture_path(major, names[i]);
            _cleanup_free_ char *name = xasprintf("%d.%s", major, names[i]);
            _cleanup_free_ char *out = remapped(*state, archive, name, rules);
            Buf list = RUN(PG_RESTORE, "--list", out);
            assert_non_null(strstr(buf_str(&list), " TABLE app notes app_production\n"));
            assert_null(strstr(buf_str(&list), " kf_owner\n"));
            Buf before = data_of(archive), after = data_of(out);
            assert_true(before.len > 1000);
            assert_string_equal(buf_str(&before), buf_str(&after));
            buf_done(&list);
            buf_done(&before);
            buf_done(&after);
        }
}

static void a_map_that_does_not_fit_writes_nothing(void **state)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    _cleanup_free_ char *archive = fixture_path(15, "custom");
    assert_refused(*state, archive, "kf_owner=a,kf_ovner=b", ERR_FAILED, &findings, &err);
    assert_int_equal(findings_count(&findings, FINDING_ERROR), 1);
    findings_done(&findings);
}

static void what_exists_is_not_overwritten(void **state)
{
    _cleanup_free_ char *out = xasprintf("%s/out", (char *)*state);
    _cleanup_free_ char *with_slash = xasprintf("%s/", out);
    _cleanup_free_ char *custom = fixture_path(15, "custom"), *dir = fixture_path(15, "dir");
    RoleMap *map = map_of("");
    for (int as_link = 0; as_link < 2; as_link++) {
        Error err = ERROR_INIT;
        Findings findings = FINDINGS_INIT;
        RoleUses uses = {0};
        if (as_link)
            assert_int_equal(symlink("nowhere", out), 0);
        else
            file_save(out, "mine", 4);
        assert_int_equal(remap_run(custom, out, map, &uses, &findings, &err), -1);
        assert_int_equal(err.code, ERR_EXISTS);
        assert_int_equal(remap_run(dir, with_slash, map, &uses, &findings, &err), -1);
        assert_int_equal(err.code, ERR_EXISTS);
        assert_int_equal(count_names(*state), 1);
        assert_int_equal(unlink(out), 0);
    }
    rolemap_free(map);
}

static void a_missing_directory_for_the_result_is_told(void **state)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    RoleUses uses = {0};
    RoleMap *map = map_of("");
    _cleanup_free_ char *archive = fixture_path(15, "custom");
    _cleanup_free_ char *out = xasprintf("%s/none/out", (char *)*state);
    assert_int_equal(remap_run(archive, out, map, &uses, &findings, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, out));
    rolemap_free(map);
}

static void the_result_is_as_open_as_the_archive(void **state)
{
    Buf bytes = fixture_load(15, "custom");
    _cleanup_free_ char *archive = xasprintf("%s/in", (char *)*state);
    file_save(archive, bytes.data, bytes.len);
    assert_int_equal(chmod(archive, 0640), 0);
    _cleanup_free_ char *out = remapped(*state, archive, "out", rules);
    struct stat st;
    assert_int_equal(stat(out, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    buf_done(&bytes);
}

static void a_damaged_archive_leaves_nothing_behind(void **state)
{
    Error err = ERROR_INIT;
    Buf bytes = fixture_load(15, "custom");
    _cleanup_free_ char *archive = xasprintf("%s/in", (char *)*state);
    file_save(archive, bytes.data, 5000);
    assert_refused(*state, archive, "", ERR_TRUNCATED, NULL, &err);
    assert_non_null(strstr(err.message, archive));
    file_save(archive, "", 0);
    assert_refused(*state, archive, "", ERR_TRUNCATED, NULL, &err);
    file_save(archive, "--\n-- PostgreSQL database dump\n--\n\n", 36);
    assert_refused(*state, archive, "", ERR_UNSUPPORTED, NULL, &err);
    buf_done(&bytes);
}

/* A data offset that points into the TOC cannot be moved with the data. */
static void an_impossible_offset_is_refused(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc = fixture_toc(15, "custom");
    TocEntry *entry = entry_of(toc, "TABLE DATA", NULL);
    assert_int_equal(entry->offset_flag, OFFSET_SET);
    entry->offset = 17;
    Buf bytes = written(toc);
    _cleanup_free_ char *archive = xasprintf("%s/in", (char *)*state);
    file_save(archive, bytes.data, bytes.len);
    assert_refused(*state, archive, rules, ERR_CORRUPT, NULL, &err);
    assert_non_null(strstr(err.message, "byte 17"));
    buf_done(&bytes);
    toc_free(toc);
}

static char *copied_directory(const char *dir)
{
    char *copy = xasprintf("%s/in", dir);
    _cleanup_free_ char *fixture = fixture_path(15, "dir");
    Buf out = RUN("cp", "-r", fixture, copy);
    buf_done(&out);
    return copy;
}

static void links_and_directories_in_an_archive_are_refused(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *archive = copied_directory(*state);
    _cleanup_free_ char *extra = xasprintf("%s/3537.dat", archive);
    assert_int_equal(symlink("/etc/passwd", extra), 0);
    assert_refused(*state, archive, rules, ERR_UNSUPPORTED, NULL, &err);
    assert_non_null(strstr(err.message, extra));
    assert_true(err.hint[0] != 0);
    unlink(extra);
    assert_int_equal(mkdir(extra, 0700), 0);
    assert_refused(*state, archive, rules, ERR_UNSUPPORTED, NULL, &err);
    rmdir(extra);
    assert_int_equal(mkfifo(extra, 0600), 0);
    assert_refused(*state, archive, rules, ERR_UNSUPPORTED, NULL, &err);
}

static void a_directory_needs_a_toc_of_its_own(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *archive = copied_directory(*state);
    _cleanup_free_ char *toc = xasprintf("%s/toc.dat", archive);
    _cleanup_free_ char *moved = xasprintf("%s/elsewhere", (char *)*state);
    assert_int_equal(rename(toc, moved), 0);
    assert_refused(*state, archive, rules, ERR_NOT_FOUND, NULL, &err);
    assert_true(err.hint[0] != 0);
    assert_int_equal(symlink(moved, toc), 0);
    assert_refused(*state, archive, rules, ERR_IO, NULL, &err);
}

static void a_file_name_that_leads_outside_is_refused(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *archive = copied_directory(*state);
    _cleanup_free_ char *path = xasprintf("%s/toc.dat", archive);
    Toc *toc = fixture_toc(15, "dir/toc.dat");
    entry_of(toc, "TABLE DATA", NULL)->filename = "../../../etc/passwd";
    Buf bytes = written(toc);
    file_save(path, bytes.data, bytes.len);
    assert_refused(*state, archive, rules, ERR_CORRUPT, NULL, &err);
    buf_done(&bytes);
    toc_free(toc);
}

static void what_is_no_file_is_not_read(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc;
    _cleanup_free_ char *fifo = xasprintf("%s/fifo", (char *)*state);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(archive_open_toc(fifo, &toc, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_int_equal(archive_open_toc("/dev/null", &toc, NULL, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_int_equal(archive_open_toc("/nonexistent", &toc, NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(archive_open_toc("/nonexistent", &toc, NULL, NULL), -1);
}

/* Longer than what is read at first. */
static void a_long_toc_is_read_to_its_end(void **state)
{
    enum { LONG = 5 * 1024 * 1024 };
    Toc *toc = fixture_toc(15, "custom"), *again;
    char *defn = xmalloc(LONG + 1);
    memset(defn, '-', LONG);
    defn[LONG] = 0;
    TocEntry *entry = entry_of(toc, "SCHEMA", NULL);
    entry->defn = defn;
    Buf bytes = written(toc);
    size_t len = bytes.len, used;
    buf_append(&bytes, "data", 4, NULL);
    _cleanup_free_ char *archive = xasprintf("%s/in", (char *)*state);
    file_save(archive, bytes.data, bytes.len);
    assert_int_equal(archive_open_toc(archive, &again, &used, NULL), 0);
    assert_int_equal(used, len);
    assert_string_equal(entry_of(again, "SCHEMA", NULL)->defn, defn);
    free(defn);
    buf_done(&bytes);
    toc_free(toc);
    toc_free(again);
}

static int interrupted_body(void *ctx)
{
    const char *names[] = {"custom", "dir"};
    _cleanup_free_ char *out = xasprintf("%s/out", (char *)ctx);
    stop_install();
    raise(SIGTERM);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        Error err = ERROR_INIT;
        Findings findings = FINDINGS_INIT;
        RoleUses uses = {0};
        _cleanup_free_ char *archive = fixture_path(15, names[i]);
        RoleMap *map = rolemap_new();
        if (remap_run(archive, out, map, &uses, &findings, &err) != -1 || err.code != ERR_INTERRUPTED)
            return 1;
        rolemap_free(map);
    }
    return 0;
}

static void a_stop_leaves_nothing_behind(void **state)
{
    run_forked(interrupted_body, *state);
    assert_int_equal(count_names(*state), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_rule_every_byte_is_the_same),
        TEST(custom_archives_get_new_owners_and_keep_their_data),
        TEST(directories_get_new_owners_and_keep_their_data),
        TEST(pg_restore_accepts_the_result_and_finds_all_rows),
        TEST(a_map_that_does_not_fit_writes_nothing),
        TEST(what_exists_is_not_overwritten),
        TEST(a_missing_directory_for_the_result_is_told),
        TEST(the_result_is_as_open_as_the_archive),
        TEST(a_damaged_archive_leaves_nothing_behind),
        TEST(an_impossible_offset_is_refused),
        TEST(links_and_directories_in_an_archive_are_refused),
        TEST(a_directory_needs_a_toc_of_its_own),
        TEST(a_file_name_that_leads_outside_is_refused),
        TEST(what_is_no_file_is_not_read),
        TEST(a_long_toc_is_read_to_its_end),
        TEST(a_stop_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
