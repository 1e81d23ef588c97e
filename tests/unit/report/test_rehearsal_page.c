/* The page of a rehearsal: what it says of each outcome, and that nothing in it is too much or too little. */
#include "page.h"

static void assert_verdict(Rehearsal *rehearsal, const char *expected)
{
    _cleanup_free_ char *verdict = report_verdict(rehearsal);
    assert_string_equal(verdict, expected);
    _cleanup_free_ char *page = page_of_rehearsal(rehearsal, 2);
    _cleanup_free_ char *heading = xasprintf("<h1>%s</h1>", expected);
    assert_in(page, heading);
}

static void the_verdict_in_one_sentence(void **state)
{
    (void)state;
    assert_verdict(ordinary(3), "This backup would come back.");
    assert_verdict(migrated(3), "This backup would come back, and the migration runs on it.");
    assert_verdict(with_findings(3), "This backup would come back, but 2 things need a look.");
    assert_verdict(with_failures(3), "This backup did not come back as it was.");
    assert_verdict(ended_early(3), "This backup did not come back.");
    assert_verdict(migration_failed(3), "This backup would come back, but the migration fails on it.");
    Rehearsal *one = ordinary(3);
    one->verdict = VERDICT_FINDINGS;
    add_finding(one, FINDING_WARNING, "x", "x", NULL);
    assert_verdict(one, "This backup would come back, but one thing needs a look.");
    Rehearsal *notes = ordinary(3);
    notes->verdict = VERDICT_FINDINGS;
    assert_verdict(notes, "This backup would come back, but look at what was found.");
    Rehearsal *hasty = ordinary(3); /* passed, but not as what stands below says */
    proof_of(hasty, "probe")->failed = 1;
    assert_verdict(hasty, "This backup would come back, but look at what was found.");
    Rehearsal *late = migrated(3);
    late->verdict = VERDICT_FAILED;
    late->run.timed_out = true;
    assert_verdict(late, "This backup would come back, but the migration fails on it.");
    /* Where both failed the backup matters more. */
    Rehearsal *both = migration_failed(3);
    proof_of(both, "grants")->failed = 1;
    assert_verdict(both, "This backup did not come back as it was.");
}

static void one_that_passed(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(ordinary(12), 12);
    assert_in(page, "<title>Passed: rehearsal of misskey, 6 October 2026</title>");
    assert_in(page, "class=\"banner good\"");
    assert_in(page, "All 12 proofs held.");
    assert_in(page, "<dt>Time to restore</dt><dd><b>4 min 21 s</b>");
    assert_in(page, "<dt>Age of the data</dt><dd><b>1 h 00 min</b>");
    assert_in(page, "<dt>Database on disk</dt><dd><b>9.0 GiB</b>");
    assert_in(page, "<dt>Proofs that held</dt><dd><b>12 of 12</b>");
    assert_in(page, "1 was not made");
    assert_in(page, "the extension amcheck is not available on this server");
    assert_in(page, "<bdi>public</bdi>.<bdi>note_reaction</bdi>");
    assert_in(page, "All 16 tables");
    assert_int_equal(times(page, "<svg class=spark "), 16);
    assert_int_equal(times(page, "<svg class=plot role=img aria-label="), 2);
    assert_in(page, "<h2 id=findings>Notes</h2>");
    assert_true(strstr(page, "id=proofs") < strstr(page, "id=findings")); /* nothing urgent */
    assert_not_in(page, "id=migration");
}

static void what_is_urgent_comes_first(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(with_failures(12), 12);
    assert_in(page, "class=\"banner bad\"");
    assert_in(page, "2 of 12 proofs failed.");
    assert_in(page, "<h2 id=findings>What needs a look</h2>");
    assert_true(strstr(page, "id=findings") < strstr(page, "id=timeline"));
    assert_true(strstr(page, "rows-differ") < strstr(page, "proof-skipped")); /* errors before notes */
    assert_in(page, "files/7a1f.webp\n  files/7a20.webp");
    assert_in(page, "<span class=failed>3 wrong</span>");
    assert_int_equal(times(page, "</svg>Failed</span>"), 2);
}

static void growth(void **state)
{
    (void)state;
    _cleanup_free_ char *first = page_of_rehearsal(ordinary(0), 0);
    assert_in(first, "From the second rehearsal on");
    assert_not_in(first, "Since last");
    assert_not_in(first, "id=history");
    assert_int_equal(times(first, "class=spark"), 0);
    Rehearsal *grown = ordinary(1);
    free(grown->tables[15].name);
    grown->tables[15].name = xstrdup("fresh");
    _cleanup_free_ char *second = page_of_rehearsal(grown, 1);
    assert_in(second, "Since last");
    assert_in(second, "<td class=n>+3.4 MiB</td>");       /* note */
    assert_in(second, "<td class=n>\u221229.6 MiB</td>"); /* notification was swept */
    assert_in(second, "<bdi>fresh</bdi>");
    assert_int_equal(times(second, "<td class=n>new</td>"), 1);
    assert_in(second, "id=history");
}

static void one_that_ended_early(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(ended_early(3), 3);
    assert_in(page, "<p class=lead>loading table &quot;public.note&quot;: blob");
    assert_in(page, "<b>What to do</b> Run &quot;kura verify&quot;");
    assert_in(page, "<b>none</b>"); /* proofs */
    assert_in(page, "PostgreSQL 17.6, backed up from 15.18");
    assert_not_in(page, "id=proofs");
    assert_not_in(page, "id=tables");
    assert_in(page, "<b>4 days</b>"); /* old */
}

static void migrations(void **state)
{
    (void)state;
    _cleanup_free_ char *good = page_of_rehearsal(migrated(3), 3), *bad = page_of_rehearsal(migration_failed(3), 3);
    assert_in(good, "</svg>Succeeded</span> <span>after 1 min 11 s, with status 0</span>");
    assert_in(good, "<i aria-hidden=true>+</i> added</span>");
    assert_in(good, "<i aria-hidden=true>~</i> changed</span>");
    assert_in(good, "<th scope=row>index <bdi>public.IDX_note_mentions</bdi></th>");
    assert_in(good, "AccessExclusiveLock</td><td class=n>1 min 01 s</td>");
    assert_in(good, "<bdi>public.migrations</bdi></th><td class=n>612</td><td class=n>614</td>");
    assert_in(bad, "</svg>Failed</span> <span>after 3.9 s, with status 1</span>");
    assert_in(bad, "It changed no schema.");
    assert_in(bad, "Key (order_id)=(1042) is not present in table &quot;orders&quot;.\n");
    assert_in(bad, "<code>kura_rehearsal_0012</code> is still there");
    Rehearsal *odd = migrated(3);
    odd->run.status = 137;
    odd->run.truncated = true;
    _cleanup_free_ char *killed = page_of_rehearsal(odd, 0);
    assert_in(killed, "Ended by a signal");
    assert_in(killed, "Only the end of it is kept.");
}

static void nothing_at_all(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(bare(), 0);
    assert_in(page, "PostgreSQL ?");
    assert_not_in(page, "<table");
    assert_not_in(page, "nan");
    assert_not_in(page, "inf");
}

#define ESCAPED "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;]]&gt;&lt;!--"

static void hostile_texts(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(hostile(), 3); /* which looks at every tag */
    assert_in(page, "<title>Findings: rehearsal of " ESCAPED);
    assert_int_equal(times(page, ESCAPED), 25); /* each of them */
    assert_in(page,
              ESCAPED "<span class=hidden-char>\\x1b</span>[2J<span class=hidden-char>\\xe2\\x80\\xae</span>gnp.exe"
                      "<span class=hidden-char>\\xff</span>{}{=}");
    assert_in(page, "<bdi>\u5009</bdi>.<bdi>\u53f0\u5e33");
    assert_in(page, "9,223,372,036,854,775,807");
    assert_not_in(page, "alert(1)</script>");
}

static void ten_thousand_of_everything(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(huge(), 1);
    assert_true(strlen(page) < 1000000);
    assert_in(page, "All 10,016 tables");
    assert_in(page, "<summary>980 more tables</summary>");
    assert_in(page, "And 9,016 tables that are not shown.");
    assert_in(page, "<summary>980 more changes</summary>");
    assert_in(page, "And 9,000 changes that are not shown.");
    assert_in(page, "<summary>480 more</summary>");
    assert_in(page, "And 9,503 that are not shown.");
}

/* More than a page has use for: the last ones count. */
static void many_nights(void **state)
{
    (void)state;
    _cleanup_free_ char *page = page_of_rehearsal(ordinary(90), 90);
    assert_in(page, "24 Oct 2026</text>"); /* 60 nights before */
    assert_not_in(page, "24 Sep 2026</text>");
    assert_in(page, "<th scope=row>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_in_one_sentence),
        cmocka_unit_test(one_that_passed),
        cmocka_unit_test(what_is_urgent_comes_first),
        cmocka_unit_test(growth),
        cmocka_unit_test(one_that_ended_early),
        cmocka_unit_test(migrations),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(ten_thousand_of_everything),
        cmocka_unit_test(many_nights),
    };
    return cmocka_run_group_tests_name("rehearsal's page", tests, NULL, NULL);
}
