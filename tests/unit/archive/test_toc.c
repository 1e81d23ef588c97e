#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "kura/mem.h"

static const char *const names[] = {"custom", "pipe", "plain", "dir/toc.dat"};

static int read_custom(const void *data, size_t len, Error *err)
{
    Toc *toc = NULL;
    int rc = toc_read(data, len, false, NULL, NULL, &toc, err);
    toc_free(toc);
    return rc;
}

/* Writes the TOC and expects that reading it back fails, with a message that holds a text. */
static void assert_refused(const Toc *toc, ErrorCode code, const char *text)
{
    Error err = ERROR_INIT;
    Toc *again = NULL;
    Buf out = written(toc);
    assert_int_equal(toc_read(out.data, out.len, toc->format == TOC_DIRECTORY, NULL, NULL, &again, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, text));
    buf_done(&out);
}

static void what_was_read_is_written_byte_for_byte(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
            Error err = ERROR_INIT;
            Toc *toc;
            size_t used;
            Buf in = fixture_load(fixture_majors[m], names[n]);
            bool directory = strcmp(names[n], "dir/toc.dat") == 0;
            assert_int_equal(toc_read(in.data, in.len, directory, NULL, &used, &toc, &err), 0);
            assert_true(directory ? used == in.len : used < in.len);
            Buf out = written(toc);
            assert_int_equal(out.len, used);
            assert_memory_equal(out.data, in.data, used);
            buf_done(&in);
            buf_done(&out);
            toc_free(toc);
        }
    }
}

static void a_custom_toc_from_a_pipe_becomes_the_toc_dat_of_pg_dump(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        Toc *custom = fixture_toc(fixture_majors[m], "pipe");
        Toc *directory = fixture_toc(fixture_majors[m], "dir/toc.dat");
        Buf expected = fixture_load(fixture_majors[m], "dir/toc.dat");
        memcpy(custom->tm, directory->tm, sizeof custom->tm);
        Buf out = BUF_INIT(1 << 24);
        assert_int_equal(toc_write(custom, TOC_DIRECTORY, &out, NULL), 0);
        assert_int_equal(out.len, expected.len);
        assert_memory_equal(out.data, expected.data, out.len);
        buf_done(&out);
        buf_done(&expected);
        toc_free(custom);
        toc_free(directory);
    }
}

static void a_directory_is_not_written_as_custom(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc = fixture_toc(17, "dir/toc.dat");
    Buf out = BUF_INIT(1 << 20);
    assert_int_equal(toc_write(toc, TOC_CUSTOM, &out, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    buf_done(&out);
    toc_free(toc);
}

static void the_header_says_where_it_comes_from(void **state)
{
    static const int minors[N_MAJORS] = {14, 14, 16, 16};
    for (size_t m = 0; m < N_MAJORS; m++) {
        Toc *toc = fixture_toc(fixture_majors[m], "pipe");
        assert_int_equal(toc->minor, minors[m]);
        assert_string_equal(toc->dbname, "kura_fixture");
        assert_int_equal(toc_version_major(toc->server_version), fixture_majors[m]);
        assert_int_equal(toc_version_major(toc->dump_version), fixture_majors[m]);
        assert_int_equal(toc_compression(toc), TOC_COMPRESSION_GZIP);
        assert_in_range(toc->tm[5], 120, 1000);
        toc_free(toc);
        toc = fixture_toc(fixture_majors[m], "plain");
        assert_int_equal(toc_compression(toc), TOC_COMPRESSION_NONE);
        toc_free(toc);
        if (fixture_majors[m] < 17)
            continue;
        toc = fixture_toc(fixture_majors[m], "zstd");
        assert_int_equal(toc_compression(toc), TOC_COMPRESSION_ZSTD);
        toc_free(toc);
    }
}

static void an_entry_has_the_fields_of_its_object(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        Toc *toc = fixture_toc(fixture_majors[m], "pipe");
        const TocEntry *table = entry_of(toc, "TABLE", "Weird \"Table\" 表");
        assert_string_equal(table->namespace, "app");
        assert_string_equal(table->owner, "kf_owner");
        assert_string_equal(table->table_oid, "1259");
        assert_string_equal(table->table_am, "heap");
        assert_int_equal(table->rel_kind, toc->minor >= 16 ? 'r' : 0);
        assert_int_equal(table->section, SECTION_PRE_DATA);
        assert_false(table->had_dumper);
        assert_int_equal(table->offset_flag, OFFSET_NO_DATA);

        const TocEntry *data = entry_of(toc, "TABLE DATA", "Weird \"Table\" 表");
        assert_string_equal(data->oid, table->oid);
        assert_string_equal(data->table_oid, "0");
        assert_string_equal(data->copy_stmt, "COPY app.\"Weird \"\"Table\"\" 表\" (\"select\", \"Col \"\"A\"\"\", "
                                             "\"列\") FROM stdin;\n");
        assert_int_equal(data->section, SECTION_DATA);
        assert_true(data->had_dumper);
        assert_int_equal(data->offset_flag, OFFSET_NOT_SET);
        assert_int_equal(data->n_deps, 1);
        assert_int_equal(atoi(data->deps[0]), table->dump_id);
        assert_ptr_equal(toc_find(toc, table->dump_id), table);

        assert_null(entry_of(toc, "EXTENSION", "hstore")->owner);
        assert_string_equal(entry_of(toc, "COMMENT", "EXTENSION hstore")->owner, "");
        assert_null(entry_of(toc, "ENCODING", "ENCODING")->namespace);
        toc_free(toc);
    }
}

static void offsets_of_a_seekable_archive_point_at_the_blocks(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        size_t found = 0;
        Toc *toc = fixture_toc(fixture_majors[m], "custom");
        Buf in = fixture_load(fixture_majors[m], "custom");
        for (size_t i = 0; i < toc->n_entries; i++) {
            const TocEntry *entry = &toc->entries[i];
            if (entry->offset_flag != OFFSET_SET)
                continue;
            assert_true(entry->offset + 6 < in.len);
            const uint8_t *block = in.data + entry->offset;
            assert_int_equal(block[0], strcmp(entry->desc, "BLOBS") == 0 ? 3 : 1);
            assert_int_equal(block[2] | block[3] << 8, entry->dump_id);
            found++;
        }
        assert_true(found >= 11);
        buf_done(&in);
        toc_free(toc);
    }
}

static void each_older_version_of_the_format_is_kept(void **state)
{
    for (int minor = 12; minor <= 16; minor++) {
        Toc *toc = fixture_toc(18, "pipe"), *again;
        toc->minor = minor;
        Buf out = written(toc);
        assert_int_equal(toc_read(out.data, out.len, false, NULL, NULL, &again, NULL), 0);
        assert_int_equal(again->minor, minor);
        assert_int_equal(again->n_entries, toc->n_entries);
        const TocEntry *table = entry_of(again, "TABLE", "notes");
        if (minor >= 14)
            assert_string_equal(table->table_am, "heap");
        else
            assert_null(table->table_am);
        assert_int_equal(table->rel_kind, minor >= 16 ? 'r' : 0);
        Buf twice = written(again);
        assert_int_equal(twice.len, out.len);
        assert_memory_equal(twice.data, out.data, out.len);
        buf_done(&out);
        buf_done(&twice);
        toc_free(toc);
        toc_free(again);
    }
}

static void large_objects_have_one_list_before_1_16(void **state)
{
    Toc *toc = fixture_toc(17, "pipe"), *directory;
    for (int minor = 15; minor <= 16; minor++) {
        toc->minor = minor;
        Buf out = BUF_INIT(1 << 20);
        assert_int_equal(toc_write(toc, TOC_DIRECTORY, &out, NULL), 0);
        assert_int_equal(toc_read(out.data, out.len, true, NULL, NULL, &directory, NULL), 0);
        const TocEntry *blobs = entry_of(directory, "BLOBS", NULL);
        _cleanup_free_ char *name = xasprintf("blobs_%d.toc", blobs->dump_id);
        assert_string_equal(blobs->filename, minor == 15 ? "blobs.toc" : name);
        assert_string_equal(entry_of(directory, "TABLE", NULL)->filename, "");
        toc_free(directory);
        buf_done(&out);
    }
    toc_free(toc);
}

static void a_change_is_written(void **state)
{
    Toc *toc = fixture_toc(15, "pipe"), *again;
    TocEntry *entry = entry_of(toc, "TABLE", "notes");
    entry->owner = toc_strdup(toc, "新しい owner");
    entry->tablespace = toc_strndup(toc, "a name and more", 6);
    entry->drop_stmt = toc_strdup(toc, NULL);
    entry->desc = toc_strdup(toc, "TYPE OF ENTRY NOT YET INVENTED");
    assert_null(toc_strndup(toc, NULL, 0));
    _cleanup_free_ char *large = xcalloc(1, 300001);
    memset(large, 'x', 300000);
    entry->defn = toc_strdup(toc, large);
    Buf out = written(toc);
    assert_int_equal(toc_read(out.data, out.len, false, NULL, NULL, &again, NULL), 0);
    const TocEntry *changed = entry_of(again, "TYPE OF ENTRY NOT YET INVENTED", "notes");
    assert_string_equal(changed->owner, "新しい owner");
    assert_string_equal(changed->tablespace, "a name");
    assert_null(changed->drop_stmt);
    assert_string_equal(changed->defn, large);
    buf_done(&out);
    toc_free(toc);
    toc_free(again);
}

static void an_entry_is_found_also_after_others_were_dropped(void **state)
{
    Toc *toc = fixture_toc(15, "pipe");
    for (size_t i = 0; i < toc->n_entries; i++)
        assert_ptr_equal(toc_find(toc, toc->entries[i].dump_id), &toc->entries[i]);
    int dropped = toc->entries[3].dump_id, last = toc->entries[toc->n_entries - 1].dump_id;
    assert_null(toc_find(toc, 0));
    assert_null(toc_find(toc, INT_MAX));
    memmove(&toc->entries[3], &toc->entries[4], (--toc->n_entries - 3) * sizeof *toc->entries);
    assert_null(toc_find(toc, dropped));
    assert_ptr_equal(toc_find(toc, last), &toc->entries[toc->n_entries - 1]);
    TocEntry moved = toc->entries[0];
    toc->entries[0] = toc->entries[7];
    toc->entries[7] = moved;
    for (size_t i = 0; i < toc->n_entries; i++)
        assert_ptr_equal(toc_find(toc, toc->entries[i].dump_id), &toc->entries[i]);
    toc_free(toc);
}

static void a_toc_without_entries_is_one(void **state)
{
    Toc *toc = fixture_toc(18, "pipe"), *again;
    toc->n_entries = 0;
    assert_null(toc_find(toc, 1));
    Buf out = written(toc);
    assert_int_equal(toc_read(out.data, out.len, false, NULL, NULL, &again, NULL), 0);
    assert_int_equal(again->n_entries, 0);
    assert_null(toc_find(again, 1));
    buf_done(&out);
    toc_free(toc);
    toc_free(again);
}

static void what_is_no_archive_is_recognised(void **state)
{
    static char tar[1024];
    memcpy(tar, "global.sql", 10);
    memcpy(tar + 257, "ustar", 5);
    static const char dump[] = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n";
    static const char cluster[] = "--\n-- PostgreSQL database cluster dump\n--\n\n\\restrict abc\n";
    const struct {
        const char *bytes;
        size_t len;
        const char *what, *remedy;
    } files[] = {
        {dump, sizeof dump - 1, "an SQL script", "\\restrict, which psql knows from 13.22"},
        {"\\restrict x\n", 12, "an SQL script", "\\restrict, which psql knows"},
        {cluster, sizeof cluster - 1, "a whole cluster", "psql -X -d postgres"},
        {"\xef\xbb\xbf-- dump", 10, "an SQL script", "psql"},
        {"SET statement_timeout = 0;", 26, "an SQL script", "ON_ERROR_STOP=1 -d DATABASE -f FILE"},
        {"\x1f\x8b\x08\0\0\0", 6, "gzip", "gunzip"},
        {"\x28\xb5\x2f\xfd\x04", 5, "zstd", "zstd -d"},
        {"\x04\x22\x4d\x18\x60", 5, "lz4", "lz4 -d"},
        {"BZh91AY", 7, "bzip2", "bunzip2"},
        {"\xfd"
         "7zXZ",
         5, "xz", "unxz"},
        {"toc.dat\0\0\0", 10, "tar format", "pg_restore"},
        {tar, sizeof tar, "tar file", "pg_restore"},
        {"\x7f"
         "ELF\2",
         5, "does not begin with \"PGDMP\"", "pg_dump -Fc"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        Error err = ERROR_INIT;
        assert_int_equal(read_custom(files[i].bytes, files[i].len, &err), -1);
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, files[i].what));
        assert_non_null(strstr(err.hint, files[i].remedy));
    }
}

static void an_empty_file_is_too_short(void **state)
{
    Error err = ERROR_INIT;
    assert_int_equal(read_custom(NULL, 0, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_int_equal(read_custom("PGD", 3, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
}

static void versions_outside_the_known_ones_are_refused(void **state)
{
    const struct {
        uint8_t major, minor;
        const char *message, *hint;
    } versions[] = {
        {1, 17, "version 1.17; this kura reads 1.12 to 1.16", "newer"},
        {2, 0, "version 2.0;", "newer"},
        {1, 11, "version 1.11;", "older"},
        {0, 14, "version 0.14;", "older"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        Error err = ERROR_INIT;
        Buf in = fixture_load(18, "pipe");
        in.data[5] = versions[i].major;
        in.data[6] = versions[i].minor;
        assert_int_equal(read_custom(in.data, in.len, &err), -1);
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.message, versions[i].message));
        assert_non_null(strstr(err.hint, versions[i].hint));
        assert_non_null(strstr(err.hint, "pg_restore"));
        buf_done(&in);
    }
}

static void file_and_directory_are_not_confused(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc;
    Buf custom = fixture_load(18, "pipe"), directory = fixture_load(18, "dir/toc.dat");
    assert_int_equal(read_custom(directory.data, directory.len, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "Give the directory"));
    assert_int_equal(toc_read(custom.data, custom.len, true, NULL, NULL, &toc, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "Give the file"));
    buf_done(&custom);
    buf_done(&directory);
}

static void limits_hold(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc;
    Buf in = fixture_load(17, "pipe");
    TocLimits limits = {.max_entries = 10, .max_string = 1 << 20};
    assert_int_equal(toc_read(in.data, in.len, false, &limits, NULL, &toc, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "the limit is 10"));
    limits = (TocLimits){.max_entries = 1000, .max_string = 100};
    assert_int_equal(toc_read(in.data, in.len, false, &limits, NULL, &toc, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "the limit is 100"));
    buf_done(&in);
}

static void the_message_names_the_place(void **state)
{
    Error err = ERROR_INIT;
    Toc *toc = fixture_toc(15, "pipe");
    toc->n_entries = 2;
    Buf two = written(toc);
    size_t second = two.len;
    toc->n_entries = 3;
    Buf three = written(toc);
    assert_int_equal(read_custom(three.data, second + 12, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    _cleanup_free_ char *place = xasprintf("entry 3 of 3, catalogue oid, byte %zu", second + 10);
    assert_non_null(strstr(err.message, place));
    buf_done(&two);
    buf_done(&three);
    toc_free(toc);
}

static void values_that_would_do_harm_are_refused(void **state)
{
    static const char *const paths[] = {"../../etc/passwd", "/etc/passwd", "..", ".", "a/b"};
    Toc *toc = fixture_toc(17, "dir/toc.dat");
    TocEntry *entry = entry_of(toc, "TABLE DATA", NULL), before = *entry;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        entry->filename = paths[i];
        assert_refused(toc, ERR_CORRUPT, "file name");
    }
    *entry = before;
    entry->dump_id = 0;
    assert_refused(toc, ERR_CORRUPT, "dump id 0");
    entry->dump_id = -7;
    assert_refused(toc, ERR_CORRUPT, "dump id -7");
    entry->dump_id = toc->entries[0].dump_id;
    assert_refused(toc, ERR_CORRUPT, "both have dump id");
    *entry = before;
    entry->section = 5;
    assert_refused(toc, ERR_CORRUPT, "section 5");
    *entry = before;
    entry->tag = NULL;
    assert_refused(toc, ERR_CORRUPT, "tag");
    *entry = before;
    entry->desc = NULL;
    assert_refused(toc, ERR_CORRUPT, "type");
    *entry = before;
    const char *bad_numbers[] = {"", "12x", "-1", "4294967296", "99999999999999999999", " 1", NULL};
    for (size_t i = 0; i < ARRAY_SIZE(bad_numbers); i++) {
        entry->oid = bad_numbers[i];
        assert_refused(toc, ERR_CORRUPT, "oid");
        entry->oid = before.oid;
        const char *deps[] = {bad_numbers[i]};
        entry->deps = deps;
        if (bad_numbers[i])
            assert_refused(toc, ERR_CORRUPT, "dependencies");
        entry->deps = before.deps;
    }
    entry->oid = "4294967295";
    Buf out = written(toc);
    Toc *again;
    assert_int_equal(toc_read(out.data, out.len, true, NULL, NULL, &again, NULL), 0);
    toc_free(again);
    buf_done(&out);
    toc_free(toc);
}

static void bytes_that_could_not_be_written_back_are_refused(void **state)
{
    Error err = ERROR_INIT;
    Buf in = fixture_load(15, "pipe");
    uint8_t *name = memmem(in.data, in.len, "kura_fixture", 12);
    assert_non_null(name);
    name[3] = 0;
    assert_int_equal(read_custom(in.data, in.len, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "NUL"));
    name[3] = 'a';
    enum { SECONDS = 5 + 6 + 5 }; /* the first integer behind signature, fixed bytes and compression */
    memcpy(in.data + SECONDS, "\1\0\0\0\0", 5);
    assert_int_equal(read_custom(in.data, in.len, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "not an integer"));
    buf_done(&in);
}

static void a_version_string_has_a_major(void **state)
{
    assert_int_equal(toc_version_major("15.18 (Debian 15.18-0+deb12u1)"), 15);
    assert_int_equal(toc_version_major("18beta1"), 18);
    assert_int_equal(toc_version_major("20devel"), 20);
    assert_int_equal(toc_version_major("9.6.24"), 9);
    assert_int_equal(toc_version_major("13"), 13);
    assert_int_equal(toc_version_major(""), -1);
    assert_int_equal(toc_version_major("PostgreSQL 15"), -1);
    assert_int_equal(toc_version_major("99999999999999999999"), -1);
    assert_int_equal(toc_version_major(NULL), -1);
}

static void an_archive_needs_a_pg_restore_of_its_time(void **state)
{
    assert_int_equal(toc_minor_needs(12), 13);
    assert_int_equal(toc_minor_needs(14), 13);
    assert_int_equal(toc_minor_needs(15), 16);
    assert_int_equal(toc_minor_needs(16), 17);
    assert_true(toc_minor_needs(17) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_written_byte_for_byte),
        cmocka_unit_test(a_custom_toc_from_a_pipe_becomes_the_toc_dat_of_pg_dump),
        cmocka_unit_test(a_directory_is_not_written_as_custom),
        cmocka_unit_test(the_header_says_where_it_comes_from),
        cmocka_unit_test(an_entry_has_the_fields_of_its_object),
        cmocka_unit_test(offsets_of_a_seekable_archive_point_at_the_blocks),
        cmocka_unit_test(each_older_version_of_the_format_is_kept),
        cmocka_unit_test(large_objects_have_one_list_before_1_16),
        cmocka_unit_test(a_change_is_written),
        cmocka_unit_test(an_entry_is_found_also_after_others_were_dropped),
        cmocka_unit_test(a_toc_without_entries_is_one),
        cmocka_unit_test(what_is_no_archive_is_recognised),
        cmocka_unit_test(an_empty_file_is_too_short),
        cmocka_unit_test(versions_outside_the_known_ones_are_refused),
        cmocka_unit_test(file_and_directory_are_not_confused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_message_names_the_place),
        cmocka_unit_test(values_that_would_do_harm_are_refused),
        cmocka_unit_test(bytes_that_could_not_be_written_back_are_refused),
        cmocka_unit_test(a_version_string_has_a_major),
        cmocka_unit_test(an_archive_needs_a_pg_restore_of_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
