/* A restore reads the index twice. The first pass makes directories, links and fifos as they come, and collects files
 * into windows. The second pass is for what must come last: further names of files, and what directories look like from
 * outside. Twice, because the directories of a large fileset (an application may keep one for every file) do not fit
 * into memory. */
#include "kura/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index_io.h"
#include "kura/fdio.h"
#include "kura/mem.h"
#include "paths.h"
#include "place.h"
#include "place_priv.h"
#include "window.h"

enum { REMOTE_JOBS = 4 }; /* from a remote store at least, because workers wait; each holds a pack or a chunk */

typedef struct Restore {
    Repo *repo;
    const ManifestFileset *fileset;
    FilesetPaths *paths;
    Notices notices;
    int root;
    Placer *placers; /* one a worker; the first serves the passes too */
    size_t jobs;
    Window *window;
    IndexKept *kept;
    StrVec made; /* directories that had to be made before, or without, their own entry; sorted for the second pass */
} Restore;

/* --- the first pass --- */

static Placed collect_file(Restore *restore, const IndexEntry *entry, Error *err)
{
    Placed placed = place_parents(&restore->placers[0], entry, &restore->made, err);
    if (placed != PLACED)
        return placed;
    return window_add(restore->window, entry, err) < 0 ? PLACE_FATAL : PLACED;
}

static Placed first_pass_entry(Restore *restore, const IndexEntry *entry, Error *err)
{
    Placer *placer = &restore->placers[0];
    if (!fileset_paths_select(restore->paths, entry->path, entry->type == 'd'))
        return PLACED;
    if (entry->type == 'f')
        return collect_file(restore, entry, err);
    if (entry->type == 'd')
        return place_dir(placer, entry, &restore->made, err);
    Placed placed = place_parents(placer, entry, &restore->made, err);
    if (placed != PLACED || entry->type == 'h')
        return placed;
    return entry->type == 'l' ? place_symlink(placer, entry, err) : place_fifo(placer, entry, err);
}

static int first_pass(Restore *restore, IndexReader *reader, Error *err)
{
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        if (first_pass_entry(restore, entry, err) == PLACE_FATAL)
            return -1;
    return rc < 0 ? -1 : window_flush(restore->window, err);
}

/* --- the second pass --- */

/* Directories that entries may still go into. In byte order "a" is followed by "a.b", and only then by "a/b"; still
 * what belongs to them nests like brackets, so that a stack is enough. */
typedef struct OpenDirs {
    IndexEntry *v;
    size_t n, cap;
} OpenDirs;

/* Whether path comes behind everything that is below dir. */
static bool is_past(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    int order = strncmp(path, dir, len);
    return order > 0 || (order == 0 && (unsigned char)path[len] > '/');
}

/* Finishes the directories that path (NULL: the end) is past. */
static int finish_dirs(Restore *restore, OpenDirs *open, const char *path, Error *err)
{
    while (open->n && (path == NULL || is_past(path, open->v[open->n - 1].path))) {
        IndexEntry *dir = &open->v[open->n - 1];
        if (place_dir_finish(&restore->placers[0], dir, err) == PLACE_FATAL)
            return -1;
        index_entry_done(dir);
        open->n--;
    }
    return 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool was_made(const Restore *restore, const char *path)
{
    return restore->made.n &&
           bsearch(&path, restore->made.v, restore->made.n, sizeof *restore->made.v, compare_strings);
}

static int second_pass_entry(Restore *restore, OpenDirs *open, const IndexEntry *entry, Error *err)
{
    bool selected = fileset_paths_select(restore->paths, entry->path, entry->type == 'd');
    if (finish_dirs(restore, open, entry->path, err) < 0)
        return -1;
    if (entry->type == 'd' && (selected || was_made(restore, entry->path))) {
        xgrow(&open->v, &open->cap, open->n);
        index_entry_copy(entry, &open->v[open->n++]);
    } else if (entry->type == 'h' && selected) {
        return place_hard_link(&restore->placers[0], entry, err) == PLACE_FATAL ? -1 : 0;
    }
    return 0;
}

static int second_pass_entries(Restore *restore, IndexReader *reader, OpenDirs *open, Error *err)
{
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        if (second_pass_entry(restore, open, entry, err) < 0)
            return -1;
    return rc < 0 ? -1 : finish_dirs(restore, open, NULL, err);
}

static int second_pass(Restore *restore, IndexReader *reader, Error *err)
{
    OpenDirs open = {0};
    if (restore->made.n)
        qsort(restore->made.v, restore->made.n, sizeof *restore->made.v, compare_strings);
    int rc = second_pass_entries(restore, reader, &open, err);
    while (open.n)
        index_entry_done(&open.v[--open.n]);
    free(open.v);
    return rc;
}

/* --- the whole --- */

static int run_pass(Restore *restore, size_t *pieces, size_t n, int (*pass)(Restore *, IndexReader *, Error *),
                    Error *err)
{
    IndexReader *reader = restore->paths == NULL
                              ? index_reader_new(restore->repo, restore->fileset)
                              : index_reader_new_pieces(restore->repo, restore->fileset, pieces, n, restore->kept);
    int rc = pass(restore, reader, err);
    index_reader_free(reader);
    return rc;
}

static int run_first_pass(Restore *restore, Error *err)
{
    size_t *pieces = NULL, n = 0;
    if (restore->paths)
        n = fileset_paths_pieces(restore->paths, restore->fileset, &pieces);
    return run_pass(restore, pieces, n, first_pass, err);
}

static bool second_needs(const Restore *restore, size_t piece)
{
    for (size_t i = 0; i < restore->made.n; i++)
        if (fileset_piece_may_hold(restore->fileset, piece, restore->made.v[i]))
            return true;
    return false;
}

/* What was asked for once more, and what tells of the directories that had to be made above. */
static int run_second_pass(Restore *restore, Error *err)
{
    size_t *pieces = NULL, n = 0, k = 0;
    if (restore->paths == NULL)
        return run_pass(restore, NULL, 0, second_pass, err);
    _cleanup_free_ size_t *first = NULL;
    size_t n_first = fileset_paths_pieces(restore->paths, restore->fileset, &first);
    pieces = xcalloc(restore->fileset->n_index, sizeof *pieces);
    for (size_t piece = 0; piece < restore->fileset->n_index; piece++) {
        bool again = k < n_first && first[k] == piece;
        k += again;
        if (again || second_needs(restore, piece))
            pieces[n++] = piece;
    }
    return run_pass(restore, pieces, n, second_pass, err);
}

/* Makes dir and what is missing above it. This part of the path is the caller's: links in it are followed. */
static int open_root(const char *dir, int *ret, Error *err)
{
    _cleanup_free_ char *path = xstrdup(dir);
    for (char *slash = path; *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        if (mkdir(path, 0755) == 0)
            chmod(path, 0755); /* the umask is for what is secret */
        *slash = '/';
    }
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "could not make directory \"%s\"", dir);
    *ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? error_errno(err, errno, "could not open directory \"%s\"", dir) : 0;
}

static int open_root_without_links(const char *dir, int *ret, Error *err)
{
    *ret = fd_open_directory(dir, true);
    if (*ret >= 0)
        return 0;
    bool link = errno == ENOTDIR;
    error_errno(err, errno, "could not open directory \"%s\"", dir);
    return link ? error_hint(err,
                             "A link on the way to it is not followed: remove it, or name a directory with --files.")
                : -1;
}

/* A directory that was made for this is what it was; one that was there stays as it is. */
static void settle_root(Restore *restore, const char *dir, Findings *findings)
{
    const ManifestOwner *owner = restore->fileset->owner;
    struct stat st;
    if (owner == NULL || fstat(restore->root, &st) < 0)
        return;
    const IndexEntry entry = {.type = 'd',
                              .mode = owner->mode,
                              .uid = owner->uid,
                              .gid = owner->gid,
                              .user = owner->user,
                              .group = owner->group,
                              .mtime_sec = st.st_mtim.tv_sec,
                              .mtime_nsec = (uint32_t)st.st_mtim.tv_nsec};
    int error = place_set_facts(&restore->placers[0], restore->root, &st, &entry);
    if (error)
        findings_add(findings, FINDING_WARNING, "file-facts", NULL, "could not give \"%s\" its owner and mode: %s", dir,
                     strerror(error));
}

/* One call for the whole file system instead of an fsync a file: a restore that is cut short is simply run again. */
static int run(Restore *restore, Error *err)
{
    int rc = run_first_pass(restore, err);
    if (rc == 0)
        rc = run_second_pass(restore, err);
    if (rc == 0 && syncfs(restore->root) < 0)
        rc = error_errno(err, errno, "could not write the restored files to disk");
    notices_finish(&restore->notices);
    return rc;
}

static void restore_done(Restore *restore)
{
    for (size_t i = 0; i < restore->jobs; i++)
        placer_done(&restore->placers[i]);
    free(restore->placers);
    window_free(restore->window);
    index_kept_free(restore->kept);
    strvec_done(&restore->made);
    close_fd(&restore->root);
}

int fileset_restore(Repo *repo, const ManifestFileset *fileset, const char *dir, const FilesetRestoreOptions *options,
                    FilesetRestoreStats *ret, Findings *findings, Progress *progress, Error *err)
{
    size_t least = store_is_remote(repo_store(repo)) ? REMOTE_JOBS : 1;
    Restore restore = {.repo = repo,
                       .fileset = fileset,
                       .paths = options->paths,
                       .notices = NOTICES_INIT(findings),
                       .jobs = options->jobs > least ? options->jobs : least};
    const bool is_new = access(dir, F_OK) < 0;
    if ((options->no_links ? open_root_without_links : open_root)(dir, &restore.root, err) < 0)
        return -1;
    restore.placers = xcalloc(restore.jobs, sizeof *restore.placers);
    for (size_t i = 0; i < restore.jobs; i++)
        placer_init(&restore.placers[i], repo, restore.root, options, &restore.notices);
    restore.window = window_new(repo, restore.placers, restore.jobs, progress);
    restore.kept = options->paths ? index_kept_new() : NULL;
    int rc = run(&restore, err);
    if (rc == 0 && is_new && !options->keep_private)
        settle_root(&restore, dir, findings);
    FilesetRestoreStats stats = {0};
    for (size_t i = 0; i < restore.jobs; i++) {
        stats.written += restore.placers[i].stats.written;
        stats.written_bytes += restore.placers[i].stats.written_bytes;
        stats.kept += restore.placers[i].stats.kept;
    }
    restore_done(&restore);
    if (rc == 0)
        *ret = stats;
    return rc;
}
