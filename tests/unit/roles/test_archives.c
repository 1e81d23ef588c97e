/* Archives of real pg_dumps: a map of every role to itself changes no byte, a map of every role to one leaves only it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"
#include "kura/sqllex.h"

static const char *archives;
static const char *const names[] = {"pg13.custom", "pg15.custom", "pg17.custom", "pg18.custom"};

static Toc *read_archive(const char *name)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", archives, name);
    FILE *file = fopen(path, "rb");
    char bytes[1 << 17];
    Toc *toc;
    Error err = ERROR_INIT;
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (toc_read(bytes, len, false, &toc_default_limits, NULL, &toc, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    return toc;
}

static Buf written(const Toc *toc)
{
    Buf out = BUF_INIT(1 << 20);
    assert_int_equal(toc_write(toc, TOC_CUSTOM, &out, NULL), 0);
    return out;
}

static RoleUses surveyed(const Toc *toc)
{
    RoleUses uses;
    Error err = ERROR_INIT;
    if (rolemap_survey(toc, NULL, NULL, &uses, &err) < 0)
        fail_msg("%s", err.message);
    return uses;
}

static void apply(const RoleMap *map, Toc *toc)
{
    Error err = ERROR_INIT;
    if (rolemap_apply(map, toc, &err) < 0)
        fail_msg("%s", err.message);
}

/* name=name for every role that may be mapped. */
static RoleMap *identity_of(const RoleUses *uses)
{
    RoleMap *map = rolemap_new();
    for (size_t i = 0; i < uses->n; i++) {
        _cleanup_free_ char *name = sql_quote_ident(uses->v[i].name), *rule = xasprintf("%s=%s", name, name);
        if (!rolemap_is_fixed(uses->v[i].name))
            assert_int_equal(rolemap_add(map, rule, NULL), 0);
    }
    return map;
}

static void test_identity(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        Toc *toc = read_archive(names[i]);
        Buf before = written(toc);
        RoleUses uses = surveyed(toc);
        assert_true(uses.n >= 3);
        RoleMap *map = identity_of(&uses);
        apply(map, toc);
        Buf after = written(toc);
        assert_int_equal(before.len, after.len);
        assert_memory_equal(before.data, after.data, before.len);
        buf_done(&before);
        buf_done(&after);
        roleuses_done(&uses);
        rolemap_free(map);
        toc_free(toc);
    }
}

static void test_one_role(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        Toc *toc = read_archive(names[i]);
        RoleMap *map = rolemap_new();
        assert_int_equal(rolemap_add(map, "*=\"the one\"", NULL), 0);
        RoleUses before = surveyed(toc);
        apply(map, toc);
        RoleUses after = surveyed(toc);
        size_t owned = 0, owns = roleuses_find(&after, "the one")->owns;
        for (size_t j = 0; j < before.n; j++)
            if (!rolemap_is_fixed(before.v[j].name))
                owned += before.v[j].owns;
        assert_int_equal(owns, owned);
        assert_true(owned > 10);
        for (size_t j = 0; j < after.n; j++)
            if (!rolemap_is_fixed(after.v[j].name))
                assert_string_equal(after.v[j].name, "the one");
        roleuses_done(&before);
        roleuses_done(&after);
        rolemap_free(map);
        toc_free(toc);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_identity), cmocka_unit_test(test_one_role)};
    if (argc != 2)
        return 2;
    archives = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
