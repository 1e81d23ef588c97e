#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kura/clock.h"
#include "lock_priv.h"

enum { DEADLINE = 20 }; /* seconds until a wait is a failure */

static const LockWish prune = {.exclusive = true, .purpose = "prune"};

static void assert_locked(bool exclusive, const char *part)
{
    RepoLock *lock = NULL;
    assert_int_equal(repo_lock(repo, exclusive, "test", &lock, &err), -1);
    assert_null(lock);
    assert_int_equal(err.code, ERR_LOCKED);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
}

static RepoLock *take(bool exclusive, const char *purpose)
{
    RepoLock *lock = NULL;
    if (repo_lock(repo, exclusive, purpose, &lock, &err) < 0)
        fail_msg("%s", err.message);
    return lock;
}

static void shared_ones_live_together(void **state)
{
    (void)state;
    RepoLock *one = take(false, "backup"), *two = take(false, "backup");
    assert_int_equal(count_objects("locks/"), 2);
    assert_int_equal(repo_lock_check(one, &err), 0);
    repo_unlock(one);
    repo_unlock(two);
    repo_unlock(NULL);
    assert_int_equal(count_objects("locks/"), 0);
}

static void an_exclusive_one_stands_alone(void **state)
{
    (void)state;
    char host[256] = "", process[32];
    gethostname(host, sizeof host - 1);
    snprintf(process, sizeof process, "process %d", getpid());
    RepoLock *shared = take(false, "backup of misskey");
    assert_locked(true, "backup of misskey");
    assert_locked(true, host);
    assert_locked(true, process);
    assert_non_null(strstr(err.hint, "expires"));
    repo_unlock(shared);
    RepoLock *exclusive = take(true, "prune");
    assert_locked(true, "prune");
    assert_locked(false, "prune");
    assert_int_equal(count_objects("locks/"), 1);
    repo_unlock(exclusive);
    repo_unlock(take(false, "backup"));
    assert_int_equal(count_objects("locks/"), 0);
}

static int64_t foreign_time; /* when the store says that 0123 was put */

static int64_t told_time(const StoreObject *object)
{
    return strcmp(object->key, "locks/0123.json") == 0 ? foreign_time : object->time;
}

/* Writes a lock of somebody on another host, where the clock is the store's. */
static void put_foreign(time_t created, time_t expires)
{
    char since[32], until[32], text[512];
    clock_format_utc(created, since, sizeof since);
    clock_format_utc(expires, until, sizeof until);
    snprintf(text, sizeof text,
             "{\"kura\": \"lock\", \"version\": 1, \"exclusive\": true, \"purpose\": \"prune\", \"host\": \"far\", "
             "\"user\": \"u\", \"pid\": 1, \"process\": \"x/1\", \"created\": \"%s\", \"expires\": \"%s\"}",
             since, until);
    put_object("locks/0123.json", text);
    foreign_time = expires - 2 * 3600;
    time_of = told_time;
}

static void an_expired_one_counts_as_absent(void **state)
{
    (void)state;
    time_t now = time(NULL);
    put_foreign(now - 3600, now + 60);
    assert_locked(false, "on far");
    put_foreign(now - 3600, now - 60); /* the other clock may be a little behind */
    assert_locked(false, "on far");
    put_foreign(now - 7200, now - 3600);
    RepoLock *lock = take(true, "prune");
    assert_int_equal(count_objects("locks/0123"), 0);
    repo_unlock(lock);
}

static int64_t no_time(const StoreObject *object)
{
    return INT64_MIN;
}

static void the_store_s_clock_decides(void **state)
{
    (void)state;
    time_t now = time(NULL);
    put_foreign(now - 10 * 3600, now - 8 * 3600); /* by a clock that is ten hours behind .. */
    foreign_time = now - 60;                      /* .. a minute ago */
    assert_locked(true, "on far");
    put_foreign(now, now + 8 * 3600); /* by one that is ahead .. */
    foreign_time = now - 3 * 3600;    /* .. long ago */
    repo_unlock(take(true, "prune"));
    assert_int_equal(count_objects("locks/"), 0);
    put_foreign(now - 3 * 3600, now - 3600);
    time_of = no_time; /* a store that does not tell */
    repo_unlock(take(true, "prune"));
    assert_int_equal(count_objects("locks/"), 0);
}

static pid_t dead_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static void put_info(const LockInfo *info)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    assert_int_equal(lockinfo_format(info, &text, &err), 0);
    put_object("locks/0123.json", buf_str(&text));
}

static void init_prune(LockInfo *info)
{
    lockinfo_init_self(info, &prune);
    info->created = time(NULL);
    info->expires = info->created + 3600;
    info->lifetime = 3600;
}

static void a_dead_holder_counts_as_absent(void **state)
{
    (void)state;
    _cleanup_(lockinfo_done) LockInfo info = {0};
    init_prune(&info);
    assert_string_not_equal(info.process, "");
    assert_int_equal(lockinfo_holder(&info), HOLDER_ALIVE);
    put_info(&info);
    assert_locked(false, "prune");
    info.expires = info.created - 24 * 3600; /* whatever clocks say */
    put_info(&info);
    assert_locked(false, "prune");
    info.pid = dead_process();
    assert_int_equal(lockinfo_holder(&info), HOLDER_GONE);
    put_info(&info);
    repo_unlock(take(true, "prune"));
    /* The same number in another container, or before the last boot, says nothing. */
    free(info.process);
    info.process = xstrdup("00000000-0000-0000-0000-000000000000/pid:[1]/1");
    info.expires = info.created + 3600;
    assert_int_equal(lockinfo_holder(&info), HOLDER_UNKNOWN);
    put_info(&info);
    assert_locked(false, "prune");
}

static void a_process_number_may_be_used_again(void **state)
{
    (void)state;
    _cleanup_(lockinfo_done) LockInfo info = {0};
    init_prune(&info);
    char *last = strrchr(info.process, '/');
    assert_non_null(last);
    last[1] = last[1] == '1' ? '2' : '1';
    assert_int_equal(lockinfo_holder(&info), HOLDER_GONE);
}

static RepoLock *take_app(const char *app)
{
    RepoLock *lock = NULL;
    if (repo_lock_app(repo, "backup", app, &lock, &err) < 0)
        fail_msg("%s", err.message);
    return lock;
}

static void one_backup_of_an_application(void **state)
{
    (void)state;
    char process[32];
    snprintf(process, sizeof process, "process %d", getpid());
    RepoLock *one = take_app("misskey"), *other = take_app("mastodon"), *none = take(false, "verify"), *lock = NULL;
    assert_int_equal(repo_lock_app(repo, "backup", "misskey", &lock, &err), -1);
    assert_null(lock);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_non_null(strstr(err.message, "application \"misskey\""));
    assert_non_null(strstr(err.message, process));
    assert_locked(true, "locked for");
    assert_int_equal(count_objects("locks/"), 3);
    repo_unlock(one);
    repo_unlock(take_app("misskey"));
    repo_unlock(other);
    repo_unlock(none);
}

/* What another host would say of a process of this one before its last boot. */
static void a_holder_before_the_last_boot_is_gone(void **state)
{
    (void)state;
    char *const machine = (char *)"11", *const here = (char *)"here";
    const LockInfo self = {.host = here, .machine = machine, .process = (char *)"boot-2/pid:[1]/100"};
    const struct {
        LockInfo info;
        bool gone;
    } cases[] = {
        {{.host = here, .machine = machine, .process = (char *)"boot-1/pid:[1]/100"}, true},
        {{.host = here, .machine = machine, .process = (char *)"boot-2/pid:[1]/100"}, false},
        {{.host = here, .machine = machine, .process = (char *)"boot-2/pid:[7]/100"}, false},
        {{.host = here, .machine = machine, .process = (char *)""}, false},
        {{.host = here, .machine = (char *)"12", .process = (char *)"boot-1/pid:[1]/100"}, false},
        {{.host = (char *)"there", .machine = machine, .process = (char *)"boot-1/pid:[1]/100"}, false},
        {{.host = here, .machine = (char *)"", .process = (char *)"boot-1/pid:[1]/100"}, false},
        {{.host = here, .machine = NULL, .process = (char *)"boot-1/pid:[1]/100"}, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(lockinfo_before_boot(&cases[i].info, &self), cases[i].gone);
    const LockInfo nameless = {.host = here, .machine = (char *)"", .process = (char *)""};
    assert_false(lockinfo_before_boot(&cases[6].info, &nameless));
}

static void a_damaged_one_is_named(void **state)
{
    (void)state;
    const char *const texts[] = {"", "{}", "{\"kura\": \"lock\", \"version\": 1}",
                                 "{\"kura\": \"lock\", \"version\": 2}"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        RepoLock *lock;
        put_object("locks/0123.json", texts[i]);
        assert_int_equal(repo_lock(repo, false, "backup", &lock, &err), -1);
        assert_non_null(strstr(err.message, "locks/0123.json"));
        assert_string_not_equal(err.hint, "");
    }
    assert_int_equal(count_objects("locks/"), 1);
}

static void a_failed_attempt_leaves_nothing(void **state)
{
    (void)state;
    RepoLock *holder = take(true, "prune");
    assert_locked(true, "prune");
    assert_int_equal(count_objects("locks/"), 1);
    repo_unlock(holder);
}

static void nap(void)
{
    poll(NULL, 0, 20);
}

static const LockTimes quick = {.lifetime = 5, .margin = 1, .refresh = 1, .retry = 1, .poll = 1};

static void *give_back(void *lock)
{
    nap();
    repo_unlock(lock);
    return NULL;
}

static void it_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    RepoLock *lock;
    RepoLock *holder = take(true, "prune");
    double before = clock_monotonic();
    repo_set_lock_wait(repo, 1);
    assert_int_equal(lock_take(repo, &prune, &quick, &lock, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_true(clock_monotonic() - before >= 1);
    repo_set_lock_wait(repo, DEADLINE);
    pthread_create(&thread, NULL, give_back, holder);
    assert_int_equal(lock_take(repo, &prune, &quick, &lock, &err), 0);
    assert_int_equal(repo_lock_check(lock, &err), 0);
    pthread_join(thread, NULL);
    repo_unlock(lock);
}

static void it_is_refreshed(void **state)
{
    (void)state;
    RepoLock *lock;
    assert_int_equal(lock_take(repo, &prune, &quick, &lock, &err), 0);
    int before = n_puts;
    double until = clock_monotonic() + DEADLINE;
    while (n_puts < before + 2 && clock_monotonic() < until)
        nap();
    assert_true(n_puts >= before + 2);
    assert_int_equal(repo_lock_check(lock, &err), 0);
    assert_int_equal(count_objects("locks/"), 1);
    repo_unlock(lock);
    assert_int_equal(count_objects("locks/"), 0);
}

static void wait_until_lost(RepoLock *lock, const char *part)
{
    double until = clock_monotonic() + DEADLINE;
    while (repo_lock_check(lock, &err) == 0 && clock_monotonic() < until)
        nap();
    assert_int_equal(repo_lock_check(lock, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_non_null(strstr(err.message, part));
}

static int delete_it(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)ctx;
    (void)size;
    return store_delete(store, key, e);
}

/* By somebody whose clock is ahead, for instance: that shows at once, not at the next refresh. */
static void a_removed_one_is_missed_at_once(void **state)
{
    (void)state;
    RepoLock *lock;
    assert_int_equal(repo_lock(repo, false, "backup", &lock, &err), 0);
    assert_int_equal(repo_lock_check(lock, &err), 0);
    assert_int_equal(store_list(store, "locks/", delete_it, NULL, &err), 0);
    assert_int_equal(repo_lock_check(lock, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_non_null(strstr(err.message, "lost"));
    repo_unlock(lock);
}

static void a_removed_one_is_lost(void **state)
{
    (void)state;
    RepoLock *lock;
    assert_int_equal(lock_take(repo, &prune, &quick, &lock, &err), 0);
    assert_int_equal(store_list(store, "locks/", delete_it, NULL, &err), 0);
    wait_until_lost(lock, "lost");
    assert_int_equal(count_objects("locks/"), 0); /* and not revived */
    repo_unlock(lock);
}

static int refuse(const char *key, Error *e)
{
    (void)key;
    return error_set(e, ERR_IO, "the network is down");
}

static void one_that_cannot_be_refreshed_is_lost_in_time(void **state)
{
    (void)state;
    const LockTimes short_lived = {.lifetime = 3, .margin = 1, .refresh = 1, .retry = 1, .poll = 1};
    RepoLock *lock;
    assert_int_equal(lock_take(repo, &prune, &short_lived, &lock, &err), 0);
    before_put = refuse;
    wait_until_lost(lock, "lost");
    repo_unlock(lock);
}

/* Twenty at once, again and again: exactly one of each round holds it. */
enum { THREADS = 20, ROUNDS = 3 };
static atomic_int taken, refused;

/* Holds what it got until all others have failed. */
static void *compete(void *arg)
{
    pthread_barrier_t *gate = arg;
    for (int i = 0; i < ROUNDS; i++) {
        RepoLock *lock = NULL;
        Error why = ERROR_INIT;
        pthread_barrier_wait(gate);
        if (repo_lock_app(repo, "backup", "misskey", &lock, &why) == 0)
            taken++;
        else if (why.code == ERR_LOCKED)
            refused++;
        pthread_barrier_wait(gate);
        repo_unlock(lock);
    }
    return NULL;
}

static void many_at_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, compete, &gate);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&gate);
    assert_int_equal(taken, ROUNDS);
    assert_int_equal(refused, ROUNDS * (THREADS - 1));
    assert_int_equal(count_objects("locks/"), 0);
}

static const Finding *surveyed(Findings *findings)
{
    *findings = (Findings)FINDINGS_INIT;
    if (repo_lock_survey(repo, findings, &err) < 0)
        fail_msg("%s", err.message);
    return findings->n ? &findings->v[0] : NULL;
}

static void assert_survey(const char *code, Severity severity, const char *part)
{
    Findings findings;
    const Finding *found = surveyed(&findings);
    assert_int_equal(findings.n, 1);
    assert_string_equal(found->code, code);
    assert_int_equal(found->severity, severity);
    assert_non_null(strstr(found->message, part));
    findings_done(&findings);
}

static void a_survey_tells_every_lock_and_takes_none_away(void **state)
{
    (void)state;
    Findings findings;
    time_t now = time(NULL);
    assert_null(surveyed(&findings));
    RepoLock *lock = take(false, "backup");
    assert_survey("lock-held", FINDING_NOTE, "\"backup\"");
    repo_unlock(lock);
    put_foreign(now - 100, now + 100);
    assert_survey("lock-held", FINDING_NOTE, "against everybody else");
    put_foreign(now - 2 * 86400, now + 100);
    assert_survey("lock-old", FINDING_WARNING, "far");
    put_foreign(now - 2 * 86400, now - 86400);
    assert_survey("lock-stale", FINDING_NOTE, "holds nobody up");
    put_object("locks/0123.json", "{}");
    assert_survey("lock-unreadable", FINDING_WARNING, "locks/0123.json");
    assert_int_equal(count_objects("locks/"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(shared_ones_live_together),
        REPO_TEST(an_exclusive_one_stands_alone),
        REPO_TEST(an_expired_one_counts_as_absent),
        REPO_TEST(the_store_s_clock_decides),
        REPO_TEST(a_dead_holder_counts_as_absent),
        REPO_TEST(a_process_number_may_be_used_again),
        REPO_TEST(one_backup_of_an_application),
        REPO_TEST(a_holder_before_the_last_boot_is_gone),
        REPO_TEST(a_damaged_one_is_named),
        REPO_TEST(a_failed_attempt_leaves_nothing),
        REPO_TEST(it_is_waited_for),
        REPO_TEST(it_is_refreshed),
        REPO_TEST(a_removed_one_is_missed_at_once),
        REPO_TEST(a_removed_one_is_lost),
        REPO_TEST(one_that_cannot_be_refreshed_is_lost_in_time),
        REPO_TEST(many_at_once),
        REPO_TEST(a_survey_tells_every_lock_and_takes_none_away),
    };
    return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
