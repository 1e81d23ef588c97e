/* Another host, and what of the old one it lacks. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kura/ladder.h"
#include "kura/mem.h"
#include "kura/move.h"
#include "kura/rehearse.h"
#include "kura/text.h"
#include "kura/words.h"
#include "packages.h"

#define DEBIAN_DATA "/var/lib/postgresql"

void move_host_done(MoveHost *host)
{
    for (size_t i = 0; i < host->n_rooms; i++) {
        free(host->rooms[i].what);
        free(host->rooms[i].path);
    }
    free(host->rooms);
    hostfacts_done(&host->facts);
    host->rooms = NULL;
    host->n_rooms = 0;
}

/* ---- what is installed ---- */

static int newest(const StrVec *majors)
{
    return majors->n ? atoi(majors->v[majors->n - 1]) : 0;
}

static void check_programs(const HostFacts *here, int source, Findings *findings)
{
    _cleanup_free_ char *hint = xasprintf(_("Install postgresql-%d or a newer one."), source);
    if (here->servers.n == 0)
        findings_add(findings, FINDING_WARNING, "server-missing", hint,
                     "no server of PostgreSQL is installed on this host");
    else if (newest(&here->servers) < source)
        findings_add(findings, FINDING_ERROR, "older-server", hint,
                     "the newest PostgreSQL on this host is %d, the source was %d", newest(&here->servers), source);
    int needed = newest(&here->servers) > source ? newest(&here->servers) : source;
    _cleanup_free_ char *client = xasprintf(_("Install postgresql-client-%d."), needed);
    if (newest(&here->clients) < needed)
        findings_add(findings, FINDING_ERROR, "tools", client,
                     "pg_restore of PostgreSQL %d or newer is not installed on this host", needed);
}

/* By the control files that their packages bring. */
static void check_extensions(const MoveHost *host, const DbFacts *facts, Findings *findings)
{
    int major = newest(&host->facts.servers);
    for (size_t i = 0; major > 0 && i < facts->n_extensions; i++) {
        const char *name = facts->extensions[i].name;
        _cleanup_free_ char *control =
            xasprintf("%s/usr/share/postgresql/%d/extension/%s.control", host->root ? host->root : "", major, name);
        if (strchr(name, '/') || access(control, F_OK) == 0)
            continue;
        _cleanup_free_ char *package = package_of_extension(name, major);
        _cleanup_free_ char *hint =
            package ? xasprintf(_("Install %s."), package)
                    : xasprintf(_("Install the package that brings it (apt search postgresql-%d %s)."), major, name);
        findings_add(findings, FINDING_ERROR, "extension-missing", hint,
                     "extension \"%s\" is not installed for PostgreSQL %d", name, major);
    }
}

static void check_locale(const HostFacts *here, const DbFacts *facts, Findings *findings)
{
    const char *const names[] = {facts->collate, facts->ctype};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (here->locales.n == 0 || names[i] == NULL || (i > 0 && strcmp(names[i], names[0]) == 0) ||
            hostfacts_has_locale(here, names[i]))
            continue;
        findings_add(findings, FINDING_ERROR, "locale-missing",
                     "Make it with dpkg-reconfigure locales, and restart PostgreSQL: a running server does not see it.",
                     "locale \"%s\" of the database is not there on this host", names[i]);
    }
}

/* ---- what is different and does no harm, or little ---- */

static void tell_differences(const HostFacts *old, const HostFacts *here, Findings *findings)
{
    if (old->libc && here->libc && strcmp(old->libc, here->libc) != 0)
        findings_add(findings, FINDING_NOTE, "collation",
                     "That is fine: a restore builds every index anew, in the order that is right here.",
                     "text may be ordered otherwise: the old host had %s, this one has %s", old->libc, here->libc);
    if (old->timezone == NULL || here->timezone == NULL || strcmp(old->timezone, here->timezone) == 0)
        return;
    _cleanup_free_ char *hint = xasprintf(_("If it should be the same: timedatectl set-timezone %s"), old->timezone);
    findings_add(findings, FINDING_WARNING, "time-zone", hint, "the old host's time zone was %s, this one's is %s",
                 old->timezone, here->timezone);
}

/* ---- the application ---- */

static void compare_versions(const ManifestApplication *application, const AppSite *site, Findings *findings)
{
    int order;
    if (application->version == NULL || site->version == NULL ||
        version_compare(site->version, application->version, &order, NULL) < 0 || order == 0)
        return;
    _cleanup_free_ char *same = xasprintf(_("Check out %s here; upgrade once it runs."), application->version);
    if (order < 0)
        findings_add(findings, FINDING_ERROR, "older-code", same,
                     "the code of %s here is %s, older than the database, which is of %s", application->title,
                     site->version, application->version);
    else
        findings_add(findings, FINDING_WARNING, "newer-code", same,
                     "the code of %s here is %s, the database is of %s: its migrations would run in the same night",
                     application->title, site->version, application->version);
}

static void check_application(const ManifestApplication *application, const AppSite *site, Findings *findings)
{
    if (application == NULL)
        return;
    if (site) {
        compare_versions(application, site, findings);
        return;
    }
    _cleanup_free_ char *hint =
        xasprintf(_("Install version %s, and name its directory with --app-dir to have it compared."),
                  application->version ? application->version : _("of the old host"));
    findings_add(findings, FINDING_WARNING, "application-missing", hint,
                 "the code of %s was not looked at on this host", application->title);
}

static bool is_on_path(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        size_t len = strcspn(at, ":");
        _cleanup_free_ char *file = xasprintf("%.*s/%s", (int)len, at, program);
        if (len > 0 && access(file, X_OK) == 0)
            return true;
        at += len + (at[len] == ':');
    }
    return false;
}

/* "a|b": one of them is enough. */
static void check_site_programs(const AppSite *site, Findings *findings)
{
    for (size_t i = 0; site && i < site->programs.n; i++) {
        _cleanup_free_ char *list = xstrdup(site->programs.v[i]);
        const char *package = NULL;
        bool found = false;
        for (char *rest = list, *name; (name = strsep(&rest, "|")) != NULL;) {
            found |= is_on_path(name);
            package = package ? package : package_of_program(name);
        }
        _cleanup_free_ char *hint = package ? xasprintf(_("Install %s."), package) : NULL;
        if (!found)
            findings_add(findings, FINDING_WARNING, "program-missing", hint, "%s needs the program %s", site->title,
                         site->programs.v[i]);
    }
}

/* ---- room ---- */

/* Of the directory nearest to a path that is there. */
static void look(const char *root, MoveRoom *room)
{
    struct stat st = {0};
    RestoreRoom there;
    _cleanup_free_ char *at = xasprintf("%s%s", root ? root : "", room->path);
    for (char *slash = at; stat(at, &st) < 0 && (slash = strrchr(at, '/')) != NULL;)
        slash[slash == at] = 0;
    room->known = restore_room_in(at, &there);
    room->left = room->known ? there.left : 0;
    room->reserve = room->known ? there.reserve : 0;
    room->device = (uint64_t)st.st_dev;
}

static void add_database(const Manifest *manifest, MoveHost *host)
{
    RestoreRoom there;
    MoveRoom *room = &host->rooms[host->n_rooms++];
    *room = (MoveRoom){.what = xstrdup("database"), .needed = restore_estimate(manifest)};
    if (host->conn == NULL) {
        room->path = xstrdup(DEBIAN_DATA);
        look(host->root, room);
    } else if (restore_room(host->conn, &there)) {
        room->known = true;
        room->left = there.left;
        room->reserve = there.reserve;
    }
}

static void find_rooms(const Manifest *manifest, MoveHost *host)
{
    host->rooms = xcalloc(host->n_files + 1, sizeof *host->rooms);
    if (manifest->has_database)
        add_database(manifest, host);
    for (size_t i = 0; i < host->n_files; i++)
        for (size_t k = 0; k < manifest->n_filesets; k++) {
            if (strcmp(manifest->filesets[k].name, host->files[i].name) != 0)
                continue;
            MoveRoom *room = &host->rooms[host->n_rooms++];
            *room = (MoveRoom){.what = xstrdup(host->files[i].name),
                               .path = xstrdup(host->files[i].dir),
                               .needed = manifest->filesets[k].bytes};
            look(host->root, room);
        }
}

static bool shares_disk(const MoveRoom *a, const MoveRoom *b)
{
    return a->known && b->known && a->path && b->path && a->device == b->device;
}

/* Those that share the disk of the i-th, itself among them: "database, media", and how much they take together. To be
 * freed; NULL: an earlier one has told of them. */
static char *sharers(const MoveHost *host, size_t i, uint64_t *ret_needed)
{
    Buf names = BUF_INIT(64 * 1024);
    bool first = true;
    *ret_needed = 0;
    for (size_t k = 0; k < host->n_rooms; k++) {
        const MoveRoom *room = &host->rooms[k];
        if (k != i && !shares_disk(&host->rooms[i], room))
            continue;
        first &= k >= i;
        *ret_needed += room->needed;
        buf_printf(&names, NULL, "%s%s", names.len ? ", " : "", room->what);
    }
    char *text = first ? xstrdup(buf_str(&names)) : NULL;
    buf_done(&names);
    return text;
}

static void check_rooms(const MoveHost *host, Findings *findings)
{
    for (size_t i = 0; i < host->n_rooms; i++) {
        const MoveRoom *room = &host->rooms[i];
        uint64_t needed;
        char bytes[TEXT_SIZE], left[TEXT_SIZE];
        _cleanup_free_ char *names = sharers(host, i, &needed);
        if (!room->known || names == NULL || needed + room->reserve <= room->left)
            continue;
        findings_add(findings, FINDING_ERROR, "disk-space", "Make room, or restore to another disk.",
                     "%s: %s are needed where %s are left (%s)", names, text_bytes(needed, bytes),
                     text_bytes(room->left, left), room->path ? room->path : _("the server's disk"));
    }
}

/* ---- the whole ---- */

void move_compare(const Manifest *manifest, MoveHost *host, Findings *findings)
{
    const DbFacts *facts = &manifest->database.facts;
    hostfacts_read(host->root, &host->facts);
    if (manifest->has_database && !host->has_server) {
        check_programs(&host->facts, facts->server_version_num / 10000, findings);
        check_extensions(host, facts, findings);
        check_locale(&host->facts, facts, findings);
    }
    check_application(manifest->application, host->site, findings);
    check_site_programs(host->site, findings);
    find_rooms(manifest, host);
    check_rooms(host, findings);
    if (manifest->system)
        tell_differences(manifest->system, &host->facts, findings);
}
