/* What a dump must look like, however the pieces fall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static int judge(const void *dump, size_t len, size_t piece, bool *ret_checksum, Error *err)
{
    _cleanup_free_ RdbCheck *check = xmalloc(sizeof *check);
    rdb_check_init(check);
    for (size_t at = 0; at < len; at += piece)
        if (rdb_check_update(check, (const uint8_t *)dump + at, len - at < piece ? len - at : piece, err) < 0)
            return -1;
    return rdb_check_finish(check, ret_checksum, err);
}

static void assert_refused(const void *dump, size_t len, ErrorCode code)
{
    Error err = ERROR_INIT;
    bool checksum;
    assert_int_equal(judge(dump, len, 1, &checksum, &err), -1);
    assert_int_equal(err.code, code);
    assert_int_equal(judge(dump, len, 4096, &checksum, &err), -1);
}

/* The published check value of this CRC. */
static void checksum_is_that_of_redis(void **state)
{
    _cleanup_free_ RdbCheck *check = xmalloc(sizeof *check);
    rdb_check_init(check);
    check->bytes = RDB_MAGIC_SIZE;
    assert_int_equal(rdb_check_update(check, "123456789________", 17, NULL), 0);
    assert_true(check->crc == 0xe9c6d914c4b8d9caull);
}

static void a_dump_is_one_in_whatever_pieces(void **state)
{
    uint8_t dump[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    size_t len = sample_seal(dump, SAMPLE_SIZE);
    for (size_t piece = 1; piece <= len; piece++) {
        Error err = ERROR_INIT;
        bool checksum = false;
        assert_int_equal(judge(dump, len, piece, &checksum, &err), 0);
        assert_true(checksum);
    }
}

static void a_server_may_have_no_checksum(void **state)
{
    uint8_t dump[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    bool checksum = true;
    assert_int_equal(judge(dump, sizeof dump, 5, &checksum, NULL), 0);
    assert_false(checksum);
}

static void every_changed_byte_is_seen(void **state)
{
    uint8_t dump[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    size_t len = sample_seal(dump, SAMPLE_SIZE);
    for (size_t i = 0; i < len; i++) {
        Error err = ERROR_INIT;
        bool checksum;
        dump[i] ^= 0x20;
        assert_int_equal(judge(dump, len, 7, &checksum, &err), -1);
        dump[i] ^= 0x20;
    }
}

static void every_cut_is_seen(void **state)
{
    uint8_t dump[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    size_t len = sample_seal(dump, SAMPLE_SIZE);
    for (size_t cut = 0; cut < len; cut++)
        assert_refused(dump, cut, ERR_TRUNCATED);
}

static void what_is_no_dump_is_refused(void **state)
{
    static const char web[] = "HTTP/1.1 400 Bad Request\r\n\r\n", letters[] = "REDISabcd\xff........",
                      old[] = "REDIS0004\xff........";
    assert_refused(web, sizeof web - 1, ERR_CORRUPT);
    assert_refused(letters, sizeof letters - 1, ERR_CORRUPT);
    assert_refused(old, sizeof old - 1, ERR_UNSUPPORTED);
}

static void valkey_has_dumps_too(void **state)
{
    uint8_t dump[10 + RDB_CHECKSUM_SIZE] = "VALKEY080\xff";
    bool checksum;
    assert_int_equal(judge(dump, sample_seal(dump, 10), 3, &checksum, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_is_that_of_redis),
        cmocka_unit_test(a_dump_is_one_in_whatever_pieces),
        cmocka_unit_test(a_server_may_have_no_checksum),
        cmocka_unit_test(every_changed_byte_is_seen),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(what_is_no_dump_is_refused),
        cmocka_unit_test(valkey_has_dumps_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
