#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "index_io.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OWNER "\"mode\":\"0644\",\"uid\":1,\"gid\":2,\"mtime\":\"5.000000000\""
#define FILE_HEAD "{\"path\":\"a\",\"type\":\"f\"," OWNER
#define FILE_TAIL "\"hash\":\"" HASH_A "\",\"ctime\":\"6.000000000\",\"inode\":1,\"device\":2"
#define PART(size, offset, length)                                                                                     \
    "{\"blob\":\"" HASH_A ".tar\",\"size\":" #size ",\"offset\":" #offset ",\"length\":" #length "}"

static IndexEntry parsed(const char *line)
{
    Error err = ERROR_INIT;
    IndexEntry entry;
    if (index_entry_parse(line, strlen(line), &entry, &err) < 0)
        fail_msg("%s: %s", line, err.message);
    return entry;
}

static void comes_back_as_it_was(void **state)
{
    static const char *const lines[] = {
        FILE_HEAD ",\"size\":7," FILE_TAIL ",\"parts\":[" PART(100, 10, 3) "," PART(100, 96, 4) "]}\n",
        FILE_HEAD ",\"size\":0," FILE_TAIL "}\n",
        "{\"path\":\"d/\\n\\\"\",\"type\":\"d\",\"mode\":\"1777\",\"uid\":0,\"gid\":4294967295,\"user\":\"root\","
        "\"group\":\"g\",\"mtime\":\"-5.999999999\"}\n",
        "{\"path\":{\"base64\":\"//4=\"},\"type\":\"l\"," OWNER ",\"target\":\"../../etc/passwd\"}\n",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"a/x\",\"size\":9,\"hash\":\"" HASH_A "\"}\n",
        "{\"path\":\"p\",\"type\":\"p\"," OWNER "}\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        Buf again = BUF_INIT(10000);
        IndexEntry entry = parsed(lines[i]);
        assert_int_equal(index_entry_format(&entry, &again, NULL), 0);
        /* Members come in one order only; "size" and "hash" stand before what is of files alone. */
        IndexEntry second = parsed(buf_str(&again));
        assert_string_equal(entry.path, second.path);
        assert_int_equal(entry.n_parts, second.n_parts);
        assert_string_equal(buf_str(&again), lines[i]);
        index_entry_done(&entry);
        index_entry_done(&second);
        buf_done(&again);
    }
}

static void numbers_are_what_they_were(void **state)
{
    IndexEntry entry = {.path = xstrdup("x"),
                        .type = 'f',
                        .mode = 07777,
                        .inode = UINT64_MAX,
                        .device = UINT64_MAX - 1,
                        .mtime_sec = INT64_MIN,
                        .ctime_sec = INT64_MAX,
                        .ctime_nsec = 999999999,
                        .hash = HASH_A};
    Buf line = BUF_INIT(10000);
    assert_int_equal(index_entry_format(&entry, &line, NULL), 0);
    IndexEntry again = parsed(buf_str(&line));
    assert_true(again.inode == UINT64_MAX && again.device == UINT64_MAX - 1);
    assert_true(again.mtime_sec == INT64_MIN && again.ctime_sec == INT64_MAX && again.ctime_nsec == 999999999);
    assert_int_equal(again.mode, 07777);
    index_entry_done(&again);
    index_entry_done(&entry);
    buf_done(&line);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void assert_same_entry(const IndexEntry *a, const IndexEntry *b)
{
    Buf left = BUF_INIT(100000), right = BUF_INIT(100000);
    assert_int_equal(index_entry_format(a, &left, NULL), 0);
    assert_int_equal(index_entry_format(b, &right, NULL), 0);
    assert_string_equal(buf_str(&left), buf_str(&right));
    assert_true(same_text(a->path, b->path) && same_text(a->user, b->user) && same_text(a->group, b->group));
    assert_true(same_text(a->target, b->target));
    buf_done(&left);
    buf_done(&right);
}

static const char *const canonical_lines[] = {
    FILE_HEAD ",\"size\":7," FILE_TAIL ",\"parts\":[" PART(100, 10, 3) "," PART(100, 96, 4) "]}",
    FILE_HEAD ",\"size\":0," FILE_TAIL "}",
    "{\"path\":\"d/\xe8\x94\xb5 "
    "\x7f'\",\"type\":\"d\",\"mode\":\"1777\",\"uid\":0,\"gid\":4294967295,\"user\":\"root\","
    "\"group\":\"g\",\"mtime\":\"-5.999999999\"}",
    "{\"path\":\"l\",\"type\":\"l\"," OWNER ",\"target\":\"../../etc/passwd\"}",
    "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"a/x\",\"size\":9,\"hash\":\"" HASH_A "\"}",
    "{\"path\":\"p\",\"type\":\"p\"," OWNER "}\n",
};

/* The library is asked for nothing that a backup of usual names writes. */
static void what_is_written_is_read_fast(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(canonical_lines); i++) {
        IndexEntry fast, slow;
        Buf again = BUF_INIT(10000);
        size_t len = strlen(canonical_lines[i]);
        if (!index_entry_parse_canonical(canonical_lines[i], len, &fast))
            fail_msg("not read: %s", canonical_lines[i]);
        assert_int_equal(index_entry_parse_json(canonical_lines[i], len, &slow, NULL), 0);
        assert_same_entry(&fast, &slow);
        assert_int_equal(index_entry_format(&fast, &again, NULL), 0);
        assert_memory_equal(again.data, canonical_lines[i], strcspn(canonical_lines[i], "\n"));
        index_entry_done(&fast);
        index_entry_done(&slow);
        buf_done(&again);
    }
}

/* Every single change of a byte, and every line that is cut off: the fast reader accepts none that the library refuses,
 * and reads none otherwise. */
static void both_readers_agree(void **state)
{
    static const char bytes[] = "\"\\{}[],:.-0123456789aefdhlp/\n \x01\x7f\x80\xe8\xff";
    size_t accepted = 0;
    for (size_t i = 0; i < ARRAY_SIZE(canonical_lines); i++) {
        size_t len = strlen(canonical_lines[i]);
        char *line = xstrdup(canonical_lines[i]);
        for (size_t at = 0; at < len; at++) {
            for (size_t k = 0; k < sizeof bytes; k++) { /* a NUL too */
                IndexEntry fast, slow;
                line[at] = bytes[k];
                if (!index_entry_parse_canonical(line, len, &fast))
                    continue;
                accepted++;
                if (index_entry_parse_json(line, len, &slow, NULL) < 0)
                    fail_msg("only the fast reader accepts: %s", line);
                assert_same_entry(&fast, &slow);
                index_entry_done(&fast);
                index_entry_done(&slow);
            }
            line[at] = canonical_lines[i][at];
            IndexEntry entry;
            if (index_entry_parse_canonical(line, at, &entry)) { /* all but the newline */
                assert_int_equal(line[at], '\n');
                index_entry_done(&entry);
            }
        }
        free(line);
    }
    assert_true(accepted > 1000);
}

static void hostile_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "[]",
        "{}",
        "null",
        "{\"path\":\"a\"",
        FILE_HEAD ",\"size\":0," FILE_TAIL "} {}",
        /* paths */
        "{\"path\":\"/etc/passwd\",\"type\":\"d\"," OWNER "}",
        "{\"path\":\"../x\",\"type\":\"d\"," OWNER "}",
        "{\"path\":\"a/../../x\",\"type\":\"d\"," OWNER "}",
        "{\"path\":\"\",\"type\":\"d\"," OWNER "}",
        "{\"path\":\"a/\",\"type\":\"d\"," OWNER "}",
        "{\"path\":\"a\\u0000b\",\"type\":\"d\"," OWNER "}",
        "{\"path\":{\"base64\":\"Li4=\"},\"type\":\"d\"," OWNER "}",
        "{\"path\":7,\"type\":\"d\"," OWNER "}",
        "{\"path\":{\"base64\":\"YQBi\"},\"type\":\"d\"," OWNER "}",
        /* types, modes, owners, times */
        "{\"path\":\"a\",\"type\":\"c\"," OWNER "}",
        "{\"path\":\"a\",\"type\":\"dd\"," OWNER "}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"77777\",\"uid\":1,\"gid\":2,\"mtime\":\"5.000000000\"}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":420,\"uid\":1,\"gid\":2,\"mtime\":\"5.000000000\"}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"0644\",\"uid\":4294967296,\"gid\":2,\"mtime\":\"5.000000000\"}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"0644\",\"uid\":-1,\"gid\":2,\"mtime\":\"5.000000000\"}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"0644\",\"uid\":1,\"gid\":2,\"mtime\":\"5.0\"}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"0644\",\"uid\":1,\"gid\":2,\"mtime\":5}",
        "{\"path\":\"a\",\"type\":\"d\",\"mode\":\"0644\",\"uid\":1,\"gid\":2,\"mtime\":\"99999999999999999999."
        "000000000\"}",
        "{\"path\":\"a\",\"path\":\"b\",\"type\":\"d\"," OWNER "}",
        /* content */
        FILE_HEAD ",\"size\":1," FILE_TAIL "}",
        FILE_HEAD ",\"size\":-1," FILE_TAIL "}",
        FILE_HEAD ",\"size\":0,\"hash\":\"xyz\",\"ctime\":\"6.000000000\",\"inode\":1,\"device\":2}",
        FILE_HEAD ",\"size\":5," FILE_TAIL ",\"parts\":[]}",
        FILE_HEAD ",\"size\":5," FILE_TAIL ",\"parts\":{}}",
        FILE_HEAD ",\"size\":5," FILE_TAIL ",\"parts\":[" PART(100, 0, 4) "]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL ",\"parts\":[" PART(100, 97, 4) "]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL ",\"parts\":[" PART(100, 101, 4) "]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL ",\"parts\":[" PART(100, -1, 4) "]}",
        FILE_HEAD ",\"size\":0," FILE_TAIL ",\"parts\":[" PART(100, 0, 0) "]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL ",\"parts\":[" PART(99999999999, 0, 4) "]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL
                  ",\"parts\":[{\"blob\":\"../../x.tar\",\"size\":4,\"offset\":0,\"length\":4}]}",
        FILE_HEAD ",\"size\":4," FILE_TAIL ",\"parts\":[{\"blob\":\"" HASH_A
                  ".zst\",\"size\":4,\"offset\":0,\"length\":4}]}",
        /* links */
        "{\"path\":\"a\",\"type\":\"l\"," OWNER "}",
        "{\"path\":\"a\",\"type\":\"l\"," OWNER ",\"target\":\"\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"size\":1,\"hash\":\"" HASH_A "\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"/etc/passwd\",\"size\":1,\"hash\":\"" HASH_A "\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"../a\",\"size\":1,\"hash\":\"" HASH_A "\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"b\",\"size\":1,\"hash\":\"" HASH_A "\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"c\",\"size\":1,\"hash\":\"" HASH_A "\"}",
        "{\"path\":\"b\",\"type\":\"h\"," OWNER ",\"target\":\"a\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        Error err = ERROR_INIT;
        IndexEntry entry;
        if (index_entry_parse(lines[i], strlen(lines[i]), &entry, &err) == 0)
            fail_msg("accepted: %s", lines[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

static void the_entry_is_named(void **state)
{
    Error err = ERROR_INIT;
    IndexEntry entry;
    const char *line = "{\"path\":\"photo\\n.png\",\"type\":\"x\"," OWNER "}";
    assert_int_equal(index_entry_parse(line, strlen(line), &entry, &err), -1);
    assert_string_equal(err.message, "\"photo\\x0a.png\": index entry has a missing or wrong \"type\"");
}

/* An index of this text, in one blob. */
static ManifestFileset index_of(Fixture *f, const char *text, uint64_t dirs)
{
    ManifestFileset fileset = {.name = xstrdup("media"), .dirs = dirs, .n_index = 1};
    Buf packed = BUF_INIT(100000);
    fileset.index = xcalloc(1, sizeof *fileset.index);
    assert_int_equal(repo_compress(f->repo, text, strlen(text), &packed, NULL), 0);
    assert_int_equal(blob_put(f->repo, BLOB_ZSTD, packed.data, packed.len, fileset.index, NULL, NULL), 0);
    buf_done(&packed);
    return fileset;
}

static void reading_fails(Fixture *f, const char *text, uint64_t dirs, const char *message)
{
    Error err = ERROR_INIT;
    const IndexEntry *entry;
    ManifestFileset fileset = index_of(f, text, dirs);
    IndexReader *reader = index_reader_new(f->repo, &fileset);
    int rc;
    while ((rc = index_reader_next(reader, &entry, &err)) > 0)
        ;
    assert_int_equal(rc, -1);
    assert_non_null(strstr(err.message, message));
    assert_int_equal(index_reader_next(reader, &entry, &err), 0); /* it stays ended */
    index_reader_free(reader);
    fileset_done(&fileset);
}

#define DIR_LINE(path) "{\"path\":\"" path "\",\"type\":\"d\"," OWNER "}\n"

static void a_hostile_index_is_refused(void **state)
{
    Fixture *f = *state;
    reading_fails(f, DIR_LINE("b") DIR_LINE("a"), 2, "\"a\" is out of order");
    reading_fails(f, DIR_LINE("a") DIR_LINE("a"), 2, "\"a\" is out of order");
    reading_fails(f, DIR_LINE("a"), 2, "the manifest says");
    reading_fails(f, DIR_LINE("a") DIR_LINE("b"), 1, "the manifest says");
    reading_fails(f, "{\"path\":\"a\"", 0, "a line has no end");
    reading_fails(f, DIR_LINE("a") "\n", 1, "not a JSON object");
}

static void cuts_depend_on_names_alone(void **state)
{
    Fixture *f = *state;
    ManifestFileset sets[2] = {{0}};
    for (int round = 0; round < 2; round++) {
        Uploader *uploader = uploader_new(f->repo, 1, 1024 * 1024);
        IndexWriter *writer = index_writer_new(f->repo, uploader);
        for (int i = 0; i < 20000; i++) {
            char path[32];
            snprintf(path, sizeof path, "dir/%06d", i);
            IndexEntry entry = {.path = path, .type = 'd', .mode = 0755, .mtime_sec = round && i == 12345 ? 1 : 0};
            assert_int_equal(index_writer_add(writer, &entry, NULL), 0);
        }
        IndexEntry before = {.path = (char *)(uintptr_t) "dir", .type = 'd'};
        assert_int_equal(index_writer_add(writer, &before, NULL), -1);
        assert_int_equal(index_writer_finish(writer, &sets[round], NULL), 0);
        assert_int_equal(uploader_finish(uploader, NULL, NULL), 0);
        index_writer_free(writer);
        uploader_free(uploader);
    }
    assert_int_equal(sets[0].dirs, 20000);
    assert_int_equal(sets[0].n_index, sets[1].n_index);
    assert_in_range(sets[0].n_index, 4, 39);
    size_t different = 0;
    for (size_t i = 0; i < sets[0].n_index; i++)
        different += strcmp(sets[0].index[i].hash, sets[1].index[i].hash) != 0;
    assert_int_equal(different, 1);
    fileset_done(&sets[0]);
    fileset_done(&sets[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),
        cmocka_unit_test(numbers_are_what_they_were),
        cmocka_unit_test(what_is_written_is_read_fast),
        cmocka_unit_test(both_readers_agree),
        cmocka_unit_test(hostile_lines_are_refused),
        cmocka_unit_test(the_entry_is_named),
        TEST(a_hostile_index_is_refused),
        TEST(cuts_depend_on_names_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
