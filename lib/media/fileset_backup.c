/* A backup of a directory: one walker (which also compares with the previous index and writes the new one) and
 * `jobs` readers, joined by a pipeline. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry_stat.h"
#include "index_io.h"
#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "kura/words.h"
#include "links.h"
#include "notices.h"
#include "pipeline.h"
#include "readfile.h"
#include "walk.h"

typedef struct Backup {
    Walker *walker;
    Uploader *uploader;
    Progress *progress;
    Notices notices;
    Pipeline pipeline;
    pthread_mutex_t mutex; /* guards totals while readers end */
    ReadTotals totals;

    /* The walker's own. */
    IndexReader *previous; /* NULL: there is none, or it has ended */
    const IndexEntry *before;
    BlobRef known; /* what the uploader was told of last */
    BlobRef asked; /* and asked for, */
    bool asked_has;
    BlobRef referred; /* and that the index refers to it */
    IndexWriter *index;
    OwnerCache owners;
    Links links;
    uint64_t skipped, vanished;
} Backup;

/* --- the previous index, in step with the walk --- */

/* A previous index that cannot be read costs time, not the backup. */
static int previous_step(Backup *backup, Error *err)
{
    Error problem = ERROR_INIT;
    backup->before = NULL;
    if (backup->previous == NULL)
        return 0;
    int rc = index_reader_next(backup->previous, &backup->before, &problem);
    if (rc > 0) {
        index_entry_know(backup->before, backup->uploader, &backup->known);
        return 0;
    }
    index_reader_free(backup->previous);
    backup->previous = NULL;
    backup->before = NULL;
    if (rc == 0)
        return 0;
    if (problem.code == ERR_INTERRUPTED) {
        *err = problem;
        return -1;
    }
    if (problem.code == ERR_KEY) /* nothing is wrong: what the cache lost cannot be read here */
        findings_add(backup->notices.findings, FINDING_NOTE, "previous-unknown",
                     "This backup is complete: the files are read again.",
                     "could not compare all files with the previous backup: %s", problem.message);
    else
        findings_add(backup->notices.findings, FINDING_WARNING, "previous-index",
                     "This backup is complete: the files are read again. The previous one may be damaged.",
                     "could not compare with the previous backup: %s", problem.message);
    return 0;
}

/* The previous entry of the same path, or NULL. */
static int previous_of(Backup *backup, const char *path, const IndexEntry **ret, Error *err)
{
    while (backup->before && strcmp(backup->before->path, path) < 0)
        if (previous_step(backup, err) < 0)
            return -1;
    *ret = backup->before && strcmp(backup->before->path, path) == 0 ? backup->before : NULL;
    return 0;
}

/* Whether the repository still has an entry's content. Files of one pack stand together. */
static int has_content(Backup *backup, const IndexEntry *entry, bool *ret, Error *err)
{
    *ret = true;
    for (size_t i = 0; i < entry->n_parts && *ret; i++) {
        const BlobRef *blob = &entry->parts[i].blob;
        if (strcmp(blob->hash, backup->asked.hash) != 0) {
            if (uploader_has(backup->uploader, blob, &backup->asked_has, err) < 0)
                return -1;
            backup->asked = *blob;
        }
        *ret = backup->asked_has;
    }
    return 0;
}

/* The previous entry of the same path whose content need not be stored again, or NULL. */
static int usable_of(Backup *backup, const char *path, const IndexEntry **ret, Error *err)
{
    bool usable;
    if (previous_of(backup, path, ret, err) < 0)
        return -1;
    if (*ret == NULL)
        return 0;
    if (has_content(backup, *ret, &usable, err) < 0)
        return -1;
    if (!usable)
        *ret = NULL;
    return 0;
}

/* --- from the walk into the pipeline --- */

static void take_content(Slot *slot, const IndexEntry *from)
{
    memcpy(slot->entry.hash, from->hash, sizeof slot->entry.hash);
    slot->entry.size = from->size;
    index_entry_copy_parts(from, &slot->entry);
}

static void expect_read(Batch *batch, Slot *slot, const IndexEntry *before, uint64_t size)
{
    slot->read = true;
    batch->reads++;
    batch->bytes += size;
    if (before && before->type == 'f') {
        slot->before = xmalloc(sizeof *slot->before);
        index_entry_copy(before, slot->before);
    }
}

static int fill_file(Backup *backup, Batch *batch, Slot *slot, const WalkEntry *found, Error *err)
{
    const IndexEntry *before;
    bool first = true;
    if (usable_of(backup, found->path, &before, err) < 0)
        return -1;
    if (found->st.st_nlink > 1)
        slot->link = links_meet(&backup->links, &found->st, found->path, &first);
    if (!first) {
        slot->entry.type = 'h';
        slot->entry.target = xstrdup(slot->link->path);
        progress_add(backup->progress, 0, 1);
    } else if (found->st.st_size == 0) {
        sha256_hex("", 0, slot->entry.hash);
        progress_add(backup->progress, 0, 1);
    } else if (before && entry_is_unchanged(before, &found->st)) {
        take_content(slot, before);
        progress_add(backup->progress, slot->entry.size, 1);
    } else {
        expect_read(batch, slot, before, (uint64_t)found->st.st_size);
    }
    return 0;
}

/* Reads a link's text, however long it is: st_size is no promise. NULL with errno. */
static char *read_link(const WalkEntry *found)
{
    for (size_t size = 256;; size *= 2) {
        char *text = xmalloc(size);
        ssize_t len = readlinkat(found->dir_fd, found->name, text, size);
        if (len >= 0 && (size_t)len < size) {
            text[len] = 0;
            return text;
        }
        free(text);
        if (len < 0)
            return NULL;
    }
}

static void fill_symlink(Backup *backup, Slot *slot, const WalkEntry *found)
{
    slot->entry.target = read_link(found);
    if (slot->entry.target)
        return;
    slot->dropped = true;
    notices_add(&backup->notices, FINDING_WARNING, "file-vanished", NULL, found->path, "vanished while the backup ran",
                NULL);
    backup->vanished++;
}

/* What is neither file, directory, link nor fifo belongs to a running program or to the system. */
static void skip_special(Backup *backup, const WalkEntry *found)
{
    const char *what =
        S_ISSOCK(found->st.st_mode) ? N_("is a socket and not backed up") : N_("is a device and not backed up");
    notices_add(&backup->notices, FINDING_NOTE, "special-file-skipped", NULL, found->path, what, NULL);
    backup->skipped++;
}

static int fill_batch_slot(Backup *backup, Batch *batch, const WalkEntry *found, Error *err)
{
    if (!S_ISREG(found->st.st_mode) && !S_ISDIR(found->st.st_mode) && !S_ISLNK(found->st.st_mode) &&
        !S_ISFIFO(found->st.st_mode)) {
        skip_special(backup, found);
        return 0;
    }
    Slot *slot = batch_add(batch);
    slot->entry.path = xstrdup(found->path);
    entry_set_stat(&slot->entry, &found->st, &backup->owners);
    if (S_ISREG(found->st.st_mode))
        return fill_file(backup, batch, slot, found, err);
    if (S_ISLNK(found->st.st_mode))
        fill_symlink(backup, slot, found);
    return 0;
}

/* Walks on until the batch is full; *ret_end when nothing is left. */
static int fill_batch(Backup *backup, Pool *pool, Batch *batch, bool *ret_end, Error *err)
{
    while (!batch_full(batch)) {
        WalkEntry found;
        int rc = walker_next(backup->walker, &found, err);
        if (rc < 0 || pool_check(pool, err) < 0)
            return -1;
        if (rc == 0) {
            *ret_end = true;
            return 0;
        }
        if (fill_batch_slot(backup, batch, &found, err) < 0)
            return -1;
    }
    progress_item(backup->progress, batch->slots[batch->n - 1].entry.path);
    return 0;
}

/* --- from the pipeline into the index --- */

/* A further name says what its first name turned out to hold. Where that could not be read, or was another file by
 * then, this one cannot stand. */
static void complete_link(Backup *backup, Slot *slot)
{
    Link *link = slot->link;
    if (slot->entry.type == 'f') {
        link->stored = !slot->dropped && slot->entry.inode == link->inode && slot->entry.device == link->device;
        memcpy(link->hash, slot->entry.hash, sizeof link->hash);
        link->size = slot->entry.size;
    } else if (link->stored) {
        memcpy(slot->entry.hash, link->hash, sizeof link->hash);
        slot->entry.size = link->size;
    } else {
        slot->dropped = true;
        notices_add(&backup->notices, FINDING_WARNING, "file-unreadable",
                    "The backup does not have it. The next backup tries again.", slot->entry.path,
                    "could not be backed up", "it is a further name of a file that vanished or could not be read");
    }
    links_release(&backup->links, link);
}

/* Files of one pack stand together. */
static void refer_to_content(Backup *backup, const IndexEntry *entry)
{
    for (size_t i = 0; i < entry->n_parts; i++) {
        const BlobRef *blob = &entry->parts[i].blob;
        if (strcmp(blob->hash, backup->referred.hash) != 0)
            uploader_refer(backup->uploader, blob);
        backup->referred = *blob;
    }
}

static int write_batch(Backup *backup, Batch *batch, Error *err)
{
    for (size_t i = 0; i < batch->n; i++) {
        Slot *slot = &batch->slots[i];
        if (slot->link)
            complete_link(backup, slot);
        if (slot->dropped)
            continue;
        if (index_writer_add(backup->index, &slot->entry, err) < 0)
            return -1;
        refer_to_content(backup, &slot->entry);
    }
    return 0;
}

static int write_oldest(Backup *backup, Pool *pool, Error *err)
{
    Batch *batch = pipeline_oldest(&backup->pipeline);
    if (batch == NULL)
        return pool_check(pool, err);
    int rc = write_batch(backup, batch, err);
    batch_free(batch);
    return rc;
}

/* --- threads --- */

static int walk(Backup *backup, Pool *pool, Error *err)
{
    for (bool end = false; !end;) {
        Batch *batch = batch_new(&backup->pipeline);
        if (fill_batch(backup, pool, batch, &end, err) < 0) {
            batch_free(batch);
            return -1;
        }
        pipeline_put(&backup->pipeline, batch);
        while (pipeline_full(&backup->pipeline))
            if (write_oldest(backup, pool, err) < 0)
                return -1;
    }
    pipeline_close(&backup->pipeline);
    while (!pipeline_empty(&backup->pipeline))
        if (write_oldest(backup, pool, err) < 0)
            return -1;
    return 0;
}

static int read_batches(Backup *backup, Pool *pool, FileReader *reader, Error *err)
{
    for (;;) {
        Batch *batch;
        int rc;
        switch (pipeline_take(&backup->pipeline, file_reader_has_pack(reader), &batch)) {
        case TASK_READ:
            rc = file_reader_batch(reader, pool, batch, err);
            if (rc == 0)
                batch_release(batch);
            break;
        case TASK_SEAL:
            rc = file_reader_seal(reader, err);
            break;
        default:
            return 0;
        }
        if (rc < 0)
            return -1;
    }
}

static int read_files(Backup *backup, Pool *pool, Error *err)
{
    FileReader *reader =
        file_reader_new(walker_root(backup->walker), backup->uploader, &backup->notices, backup->progress);
    int rc = read_batches(backup, pool, reader, err);
    ReadTotals totals = file_reader_totals(reader);
    file_reader_free(reader);
    pthread_mutex_lock(&backup->mutex);
    backup->totals.vanished += totals.vanished;
    backup->totals.changed += totals.changed;
    pthread_mutex_unlock(&backup->mutex);
    return rc;
}

static int backup_thread(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Backup *backup = ctx;
    int rc = worker == 0 ? walk(backup, pool, err) : read_files(backup, pool, err);
    if (rc < 0)
        pipeline_abort(&backup->pipeline);
    return rc;
}

/* What the index, whose paths are below it, does not tell. */
static ManifestOwner *owner_of_root(Backup *backup)
{
    struct stat st;
    if (fstat(walker_root(backup->walker), &st) < 0)
        return NULL;
    ManifestOwner *owner = xcalloc(1, sizeof *owner);
    *owner = (ManifestOwner){.mode = st.st_mode & 07777,
                             .uid = st.st_uid,
                             .gid = st.st_gid,
                             .user = xstrdup_null(owner_user_name(&backup->owners, st.st_uid)),
                             .group = xstrdup_null(owner_group_name(&backup->owners, st.st_gid))};
    return owner;
}

static void finish_totals(Backup *backup, const FilesetSpec *spec, ManifestFileset *ret)
{
    ret->name = xstrdup(spec->name);
    ret->root = xstrdup(spec->dir);
    ret->owner = owner_of_root(backup);
    ret->others += backup->skipped;
    ret->vanished = backup->totals.vanished + backup->vanished + walker_vanished(backup->walker);
    ret->changed = backup->totals.changed;
    LeftOut left_out = walker_left_out(backup->walker);
    ret->left_out_files = left_out.files;
    ret->left_out_bytes = left_out.bytes;
}

static int run(Backup *backup, size_t jobs, ManifestFileset *ret, Error *err)
{
    pipeline_init(&backup->pipeline);
    int rc = previous_step(backup, err);
    if (rc == 0)
        rc = pool_run((jobs ? jobs : 1) + 1, backup_thread, backup, err);
    pipeline_done(&backup->pipeline);
    notices_finish(&backup->notices);
    return rc < 0 ? -1 : index_writer_finish(backup->index, ret, err);
}

int fileset_backup(const FilesetSpec *spec, Repo *repo, Uploader *uploader, const ManifestFileset *previous,
                   size_t jobs, ManifestFileset *ret, Findings *findings, Progress *progress, Error *err)
{
    Backup backup = {.uploader = uploader,
                     .progress = progress,
                     .notices = NOTICES_INIT(findings),
                     .mutex = PTHREAD_MUTEX_INITIALIZER};
    ManifestFileset result = {0};
    if (walker_new(spec, jobs, &backup.notices, &backup.walker, err) < 0)
        return -1;
    backup.index = index_writer_new(repo, uploader);
    if (previous)
        backup.previous = index_reader_new(repo, previous);
    int rc = run(&backup, jobs, &result, err);
    if (rc == 0) {
        finish_totals(&backup, spec, &result);
        *ret = result;
    }
    walker_free(backup.walker);
    index_reader_free(backup.previous);
    index_writer_free(backup.index);
    owner_cache_done(&backup.owners);
    links_done(&backup.links);
    return rc;
}
