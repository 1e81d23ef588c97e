/* The data part of archives, checked against the files of the directory archive of the same database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "allocated.h"
#include "fixture.h"
#include "kura/datablocks.h"
#include "kura/mem.h"

typedef struct Memory {
    const uint8_t *data;
    size_t len, pos;
    size_t at_once; /* most bytes a read gives */
} Memory;

static ssize_t memory_read(void *ctx, void *out, size_t len, Error *err)
{
    Memory *memory = ctx;
    size_t n = memory->len - memory->pos;
    n = n < len ? n : len;
    n = n < memory->at_once ? n : memory->at_once;
    memcpy(out, memory->data + memory->pos, n);
    memory->pos += n;
    return (ssize_t)n;
}

/* What came: one object a table or large object. */
typedef struct Object {
    bool is_blob;
    uint32_t id;
    Buf data;
    bool complete;
} Object;

typedef struct Collected {
    Object v[64];
    size_t n;
} Collected;

static int begin(Collected *all, bool is_blob, uint32_t id)
{
    assert_true(all->n < ARRAY_SIZE(all->v));
    all->v[all->n++] = (Object){.is_blob = is_blob, .id = id, .data = BUF_INIT(1 << 26)};
    return 0;
}

static int table_begin(void *ctx, int dump_id, Error *err)
{
    return begin(ctx, false, (uint32_t)dump_id);
}

static int blob_begin(void *ctx, uint32_t oid, Error *err)
{
    return begin(ctx, true, oid);
}

static int take_data(void *ctx, const void *data, size_t len, Error *err)
{
    Collected *all = ctx;
    return buf_append(&all->v[all->n - 1].data, data, len, err);
}

static int take_end(void *ctx, Error *err)
{
    Collected *all = ctx;
    all->v[all->n - 1].complete = true;
    return 0;
}

static void collected_done(Collected *all)
{
    for (size_t i = 0; i < all->n; i++)
        buf_done(&all->v[i].data);
    all->n = 0;
}

static int read_blocks(const void *data, size_t len, size_t at_once, int compression, size_t expected, Collected *all,
                       Error *err)
{
    Memory memory = {.data = data, .len = len, .at_once = at_once};
    const ByteSource source = {memory_read, &memory};
    const DataBlockSink sink = {table_begin, take_data, take_end, blob_begin, take_data, take_end, all};
    return datablocks_read(&source, compression, expected, &sink, err);
}

/* An archive's data part and what its TOC says about it. */
typedef struct Part {
    Buf file;
    const uint8_t *data;
    size_t len;
    int compression;
    size_t blocks;
} Part;

static Part data_part(int major, const char *name)
{
    Part part = {.file = fixture_load(major, name)};
    Toc *toc;
    size_t used;
    assert_int_equal(toc_read(part.file.data, part.file.len, false, NULL, &used, &toc, NULL), 0);
    part.data = part.file.data + used;
    part.len = part.file.len - used;
    part.compression = toc_compression(toc);
    for (size_t i = 0; i < toc->n_entries; i++)
        part.blocks += toc->entries[i].had_dumper;
    toc_free(toc);
    assert_true(part.blocks >= 11);
    return part;
}

static void assert_same_as_file(int major, const Object *object)
{
    char name[64];
    snprintf(name, sizeof name, object->is_blob ? "dir/blob_%u.dat.gz" : "dir/%u.dat.gz", object->id);
    _cleanup_free_ char *path = xasprintf("%s/archives/pg%d.%s", FIXTURES, major, name);
    gzFile file = gzopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    static char text[1 << 20];
    int n = gzread(file, text, sizeof text);
    assert_in_range(n, 0, sizeof text - 1);
    assert_int_equal(object->data.len, n);
    if (n)
        assert_memory_equal(object->data.data, text, (size_t)n);
    gzclose(file);
}

static void assert_reads_as_the_directory(int major, const char *name, size_t at_once)
{
    Error err = ERROR_INIT;
    Collected all = {.n = 0};
    size_t blobs = 0;
    Part part = data_part(major, name);
    if (read_blocks(part.data, part.len, at_once, part.compression, part.blocks, &all, &err) < 0)
        fail_msg("pg%d.%s: %s", major, name, err.message);
    for (size_t i = 0; i < all.n; i++) {
        assert_true(all.v[i].complete);
        assert_same_as_file(major, &all.v[i]);
        blobs += all.v[i].is_blob;
    }
    assert_int_equal(blobs, 3);
    assert_true(all.n >= 13);
    collected_done(&all);
    buf_done(&part.file);
}

static void every_kind_of_archive_gives_the_directorys_files(void **state)
{
    for (size_t m = 0; m < N_MAJORS; m++) {
        assert_reads_as_the_directory(fixture_majors[m], "custom", SIZE_MAX);
        assert_reads_as_the_directory(fixture_majors[m], "pipe", SIZE_MAX);
        assert_reads_as_the_directory(fixture_majors[m], "plain", SIZE_MAX);
        if (fixture_majors[m] >= 17)
            assert_reads_as_the_directory(fixture_majors[m], "zstd", SIZE_MAX);
    }
}

static void it_does_not_matter_how_the_bytes_arrive(void **state)
{
    static const size_t sizes[] = {1, 2, 7, 1000};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_reads_as_the_directory(17, "pipe", sizes[i]);
        assert_reads_as_the_directory(17, "plain", sizes[i]);
        assert_reads_as_the_directory(17, "zstd", sizes[i]);
    }
}

static void append_int(Buf *out, int sign, uint32_t magnitude)
{
    uint8_t bytes[5] = {(uint8_t)sign, (uint8_t)magnitude, (uint8_t)(magnitude >> 8), (uint8_t)(magnitude >> 16),
                        (uint8_t)(magnitude >> 24)};
    assert_int_equal(buf_append(out, bytes, sizeof bytes, NULL), 0);
}

static void append_chunk(Buf *out, const void *data, size_t len)
{
    append_int(out, 0, (uint32_t)len);
    assert_int_equal(buf_append(out, data, len, NULL), 0);
}

static void append_block(Buf *out, uint8_t type, int sign, uint32_t dump_id)
{
    assert_int_equal(buf_append(out, &type, 1, NULL), 0);
    append_int(out, sign, dump_id);
}

static void chunks_may_be_larger_than_any_buffer(void **state)
{
    enum { LARGE = 1000000 };
    Collected all = {.n = 0};
    Buf in = BUF_INIT(1 << 24);
    char *text = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (char)('a' + i % 23);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, "x", 1);
    append_chunk(&in, text, LARGE);
    append_int(&in, 0, 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_NONE, 1, &all, NULL), 0);
    assert_int_equal(all.n, 1);
    assert_int_equal(all.v[0].id, 7);
    assert_int_equal(all.v[0].data.len, LARGE + 1);
    assert_memory_equal(all.v[0].data.data + 1, text, LARGE);
    free(text);
    buf_done(&in);
    collected_done(&all);
}

/* Compresses well, so that one chunk gives more than the reader's buffers hold. */
static void one_chunk_may_unpack_to_much(void **state)
{
    enum { LARGE = 3000000 };
    Collected all = {.n = 0};
    Buf in = BUF_INIT(1 << 24);
    uint8_t *text = calloc(1, LARGE), *packed = malloc(LARGE);
    uLongf packed_len = LARGE;
    assert_int_equal(compress(packed, &packed_len, text, LARGE), Z_OK);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, packed, packed_len);
    append_int(&in, 0, 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_GZIP, 1, &all, NULL), 0);
    assert_int_equal(all.v[0].data.len, LARGE);
    assert_memory_equal(all.v[0].data.data, text, LARGE);
    free(text);
    free(packed);
    buf_done(&in);
    collected_done(&all);
}

/* pg_dump writes object ids as if they were signed. */
static void object_ids_use_all_32_bits(void **state)
{
    static const uint32_t oids[] = {1, 0x7fffffff, 0x80000000, 3000000000, 0xffffffff};
    Collected all = {.n = 0};
    Buf in = BUF_INIT(1 << 16);
    append_block(&in, 3, 0, 9);
    for (size_t i = 0; i < ARRAY_SIZE(oids); i++) {
        append_int(&in, oids[i] > INT32_MAX, oids[i] > INT32_MAX ? -oids[i] : oids[i]);
        append_int(&in, 0, 0);
    }
    append_int(&in, 0, 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_ZSTD, 1, &all, NULL), 0);
    assert_int_equal(all.n, ARRAY_SIZE(oids));
    for (size_t i = 0; i < ARRAY_SIZE(oids); i++)
        assert_int_equal(all.v[i].id, oids[i]);
    buf_done(&in);
    collected_done(&all);
}

static void assert_read_fails(const Buf *in, int compression, ErrorCode code, const char *text)
{
    Error err = ERROR_INIT;
    Collected all = {.n = 0};
    assert_int_equal(read_blocks(in->data, in->len, SIZE_MAX, compression, 0, &all, &err), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.message, text) == NULL)
        fail_msg("no \"%s\" in: %s", text, err.message);
    collected_done(&all);
}

static void damage_is_named(void **state)
{
    Buf in = BUF_INIT(1 << 16);
    append_block(&in, 2, 0, 7);
    assert_read_fails(&in, TOC_COMPRESSION_NONE, ERR_CORRUPT, "unknown type 2 (byte 0");
    buf_clear(&in);
    append_block(&in, 'P', 0, 7); /* a second TOC */
    assert_read_fails(&in, TOC_COMPRESSION_NONE, ERR_CORRUPT, "unknown type 80");
    buf_clear(&in);
    append_block(&in, 1, 1, 7);
    assert_read_fails(&in, TOC_COMPRESSION_NONE, ERR_CORRUPT, "dump id");
    buf_clear(&in);
    append_block(&in, 1, 2, 7);
    assert_read_fails(&in, TOC_COMPRESSION_NONE, ERR_CORRUPT, "not an integer");
    buf_clear(&in);
    append_block(&in, 1, 0, 7);
    append_int(&in, 1, 5);
    assert_read_fails(&in, TOC_COMPRESSION_NONE, ERR_CORRUPT, "entry 7");
    buf_clear(&in);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, "no compressed stream", 20);
    append_int(&in, 0, 0);
    assert_read_fails(&in, TOC_COMPRESSION_GZIP, ERR_CORRUPT, "zlib");
    assert_read_fails(&in, TOC_COMPRESSION_ZSTD, ERR_CORRUPT, "zstd");
    assert_read_fails(&in, TOC_COMPRESSION_LZ4, ERR_UNSUPPORTED, "lz4");
    assert_read_fails(&in, 17, ERR_UNSUPPORTED, "17");
    buf_done(&in);
}

/* A block that ends before its compressed stream does, or goes on after it. */
static void blocks_and_streams_end_together(void **state)
{
    uint8_t packed[100];
    uLongf len = sizeof packed;
    assert_int_equal(compress(packed, &len, (const uint8_t *)"abc", 3), Z_OK);
    Buf in = BUF_INIT(1 << 16);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, packed, len - 1);
    append_int(&in, 0, 0);
    assert_read_fails(&in, TOC_COMPRESSION_GZIP, ERR_CORRUPT, "cut off");
    buf_clear(&in);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, packed, len);
    append_chunk(&in, packed, len);
    append_int(&in, 0, 0);
    assert_read_fails(&in, TOC_COMPRESSION_GZIP, ERR_CORRUPT, "follow the end");
    packed[len] = 'x';
    buf_clear(&in);
    append_block(&in, 1, 0, 7);
    append_chunk(&in, packed, len + 1);
    append_int(&in, 0, 0);
    assert_read_fails(&in, TOC_COMPRESSION_GZIP, ERR_CORRUPT, "follow the end");
    buf_done(&in);
}

static void missing_blocks_are_noticed_when_their_number_is_known(void **state)
{
    Error err = ERROR_INIT;
    Collected all = {.n = 0};
    Buf in = BUF_INIT(1 << 16);
    append_block(&in, 1, 0, 7);
    append_int(&in, 0, 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_NONE, 0, &all, &err), 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_NONE, 1, &all, &err), 0);
    assert_int_equal(read_blocks(in.data, in.len, SIZE_MAX, TOC_COMPRESSION_NONE, 2, &all, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_non_null(strstr(err.message, "1 of 2"));
    assert_int_equal(read_blocks("", 0, SIZE_MAX, TOC_COMPRESSION_NONE, 0, &all, &err), 0);
    buf_done(&in);
    collected_done(&all);
}

static int refuse(void *ctx, const void *data, size_t len, Error *err)
{
    error_set(err, ERR_INTERRUPTED, "no more");
    return error_hint(err, "Stop.");
}

static ssize_t broken_read(void *ctx, void *out, size_t len, Error *err)
{
    return error_set(err, ERR_IO, "the disk is gone");
}

static void errors_of_either_side_end_the_reading(void **state)
{
    Error err = ERROR_INIT;
    Collected all = {.n = 0};
    Part part = data_part(15, "pipe");
    Memory memory = {.data = part.data, .len = part.len, .at_once = SIZE_MAX};
    ByteSource source = {memory_read, &memory};
    const DataBlockSink sink = {table_begin, refuse, take_end, blob_begin, take_data, take_end, &all};
    assert_int_equal(datablocks_read(&source, part.compression, part.blocks, &sink, &err), -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_non_null(strstr(err.message, "no more"));
    assert_string_equal(err.hint, "Stop.");
    assert_int_equal(all.n, 1);
    collected_done(&all);
    source.read = broken_read;
    assert_int_equal(datablocks_read(&source, part.compression, part.blocks, &sink, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    buf_done(&part.file);
}

static const char *const names[] = {"pipe", "plain", "zstd"};

static void a_cut_at_any_byte_is_seen(void **state)
{
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        Part part = data_part(18, names[n]);
        for (size_t len = 0; len < part.len; len++) {
            Error err = ERROR_INIT;
            Collected all = {.n = 0};
            assert_int_equal(read_blocks(part.data, len, SIZE_MAX, part.compression, part.blocks, &all, &err), -1);
            assert_int_equal(err.code, ERR_TRUNCATED);
            collected_done(&all);
        }
        buf_done(&part.file);
    }
}

typedef struct Counted {
    uint64_t bytes;
} Counted;

static int count_begin(void *ctx, int dump_id, Error *err)
{
    return dump_id > 0 ? 0 : -1;
}

static int count_blob(void *ctx, uint32_t oid, Error *err)
{
    return oid > 0 ? 0 : -1;
}

static int count_data(void *ctx, const void *data, size_t len, Error *err)
{
    Counted *counted = ctx;
    counted->bytes += len;
    return 0;
}

static int count_end(void *ctx, Error *err)
{
    return 0;
}

static void assert_error_or_end(const Part *part, const uint8_t *data)
{
    enum { MOST = 256 * 1024 };
    Error err = ERROR_INIT;
    Counted counted = {0};
    Memory memory = {.data = data, .len = part->len, .at_once = SIZE_MAX};
    const ByteSource source = {memory_read, &memory};
    const DataBlockSink sink = {count_begin, count_data, count_end, count_blob, count_data, count_end, &counted};
    size_t before = allocated;
    if (datablocks_read(&source, part->compression, part->blocks, &sink, &err) < 0)
        assert_true(err.code == ERR_TRUNCATED || err.code == ERR_CORRUPT);
    else
        assert_int_equal(memory.pos, part->len);
    assert_true(allocated - before <= MOST);
}

static void any_changed_byte_does_no_harm(void **state)
{
    static const uint8_t patterns[] = {0x01, 0x02, 0x10, 0x80, 0xff};
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        Part part = data_part(17, names[n]);
        uint8_t *data = malloc(part.len);
        memcpy(data, part.data, part.len);
        for (size_t at = 0; at < part.len; at++) {
            for (size_t p = 0; p < ARRAY_SIZE(patterns); p++) {
                data[at] = part.data[at] ^ patterns[p];
                assert_error_or_end(&part, data);
            }
            data[at] = part.data[at];
        }
        free(data);
        buf_done(&part.file);
    }
}

static void extreme_integers_do_no_harm(void **state)
{
    static const uint8_t extremes[][5] = {
        {0, 0xff, 0xff, 0xff, 0x7f},
        {1, 0xff, 0xff, 0xff, 0x7f},
        {0, 0xff, 0xff, 0xff, 0xff},
        {1, 0, 0, 0, 0x80},
        {0, 0, 0, 0, 0},
        {1, 1, 0, 0, 0},
    };
    for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
        Part part = data_part(17, names[n]);
        uint8_t *data = malloc(part.len);
        memcpy(data, part.data, part.len);
        for (size_t at = 0; at + 5 <= part.len; at++) {
            for (size_t e = 0; e < ARRAY_SIZE(extremes); e++) {
                memcpy(data + at, extremes[e], 5);
                assert_error_or_end(&part, data);
            }
            memcpy(data + at, part.data + at, 5);
        }
        free(data);
        buf_done(&part.file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_archive_gives_the_directorys_files),
        cmocka_unit_test(it_does_not_matter_how_the_bytes_arrive),
        cmocka_unit_test(chunks_may_be_larger_than_any_buffer),
        cmocka_unit_test(one_chunk_may_unpack_to_much),
        cmocka_unit_test(object_ids_use_all_32_bits),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(blocks_and_streams_end_together),
        cmocka_unit_test(missing_blocks_are_noticed_when_their_number_is_known),
        cmocka_unit_test(errors_of_either_side_end_the_reading),
        cmocka_unit_test(a_cut_at_any_byte_is_seen),
        cmocka_unit_test(any_changed_byte_does_no_harm),
        cmocka_unit_test(extreme_integers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
