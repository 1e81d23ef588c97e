#include "pgcluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/pgtools.h"

#include <libpq-fe.h>

enum { START_SECONDS = 60, SETTINGS_MAX = 32 };

struct PgCluster {
    char *dir;
    char *conninfo;
    pid_t server; /* 0: somebody else's */
};

static void give_up(const PgCluster *cluster, const char *what)
{
    fprintf(stderr, "pgcluster: %s; see %s/log\n", what, cluster->dir ? cluster->dir : "");
    abort();
}

/* PostgreSQL refuses to run as root. */
static void become_postgres(void)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL || setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        _exit(125);
}

static void redirect_output(const PgCluster *cluster)
{
    char path[512];
    snprintf(path, sizeof path, "%s/log", cluster->dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
}

/* The server shuts down at once (SIGQUIT) when the test dies. */
static pid_t run(const PgCluster *cluster, const char *const *argv)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    become_postgres();
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    redirect_output(cluster);
    if (chdir(cluster->dir) == 0)
        execv(argv[0], (char *const *)argv);
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_dir(PgCluster *cluster)
{
    char template[] = "/tmp/kura-pg-XXXXXX";
    if (mkdtemp(template) == NULL)
        give_up(cluster, "no temporary directory");
    cluster->dir = xstrdup(template);
    const struct passwd *user = getpwnam("postgres");
    if (geteuid() == 0 && (user == NULL || chown(template, user->pw_uid, user->pw_gid) < 0))
        give_up(cluster, "no user postgres");
}

static void initdb(const PgCluster *cluster, const char *bindir)
{
    _cleanup_free_ char *program = xasprintf("%s/initdb", bindir);
    _cleanup_free_ char *data = xasprintf("%s/data", cluster->dir);
    const char *argv[] = {
        program, "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "-D",
        data,    NULL};
    if (wait_for(run(cluster, argv)) != 0)
        give_up(cluster, "initdb failed");
    _cleanup_free_ char *hba = xasprintf("%s/pg_hba.conf", data);
    FILE *file = fopen(hba, "w");
    if (file == NULL)
        give_up(cluster, "cannot write pg_hba.conf");
    fputs("local all +pw_all scram-sha-256\nlocal all all trust\nlocal replication all trust\n", file);
    fclose(file);
}

static pid_t start_server(const PgCluster *cluster, const char *bindir, const char *const *settings)
{
    _cleanup_free_ char *program = xasprintf("%s/postgres", bindir);
    _cleanup_free_ char *data = xasprintf("%s/data", cluster->dir);
    const char *argv[SETTINGS_MAX * 2 + 16] = {
        program, "-D", data, "-k", cluster->dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "autovacuum=off"};
    size_t n = 11;
    for (size_t i = 0; settings && settings[i] && i < SETTINGS_MAX; i++) {
        argv[n++] = "-c";
        argv[n++] = settings[i];
    }
    return run(cluster, argv);
}

static void wait_until_up(const PgCluster *cluster)
{
    double until = clock_monotonic() + START_SECONDS;
    while (PQping(cluster->conninfo) != PQPING_OK) {
        if (waitpid(cluster->server, NULL, WNOHANG) != 0 || clock_monotonic() > until)
            give_up(cluster, "the server does not start");
        usleep(20000);
    }
}

PgCluster *pgcluster_start(const char *const *settings)
{
    PgCluster *cluster = xcalloc(1, sizeof *cluster);
    const char *other = getenv("KURA_TEST_CONNINFO");
    if (other) {
        cluster->conninfo = xstrdup(other);
        return cluster;
    }
    PgTools tools;
    Error err = ERROR_INIT;
    if (pgtools_find(getenv("KURA_TEST_PGBIN"), 13, &tools, &err) < 0)
        give_up(cluster, err.message);
    make_dir(cluster);
    cluster->conninfo = xasprintf("host=%s port=5432 user=postgres dbname=postgres", cluster->dir);
    initdb(cluster, tools.bindir);
    cluster->server = start_server(cluster, tools.bindir, settings);
    pgtools_done(&tools);
    wait_until_up(cluster);
    return cluster;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

void pgcluster_stop(PgCluster *cluster)
{
    if (cluster->server > 0) {
        kill(cluster->server, SIGINT);
        if (waitpid(cluster->server, NULL, 0) < 0)
            give_up(cluster, "the server does not stop");
        nftw(cluster->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    free(cluster->dir);
    free(cluster->conninfo);
    free(cluster);
}

const char *pgcluster_conninfo(const PgCluster *cluster)
{
    return cluster->conninfo;
}
