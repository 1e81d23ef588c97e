/* The files of a backup: every blob must be there, and a sample is read back. A file is in the sample when a hash of
 * its path with a random seed says so: the indexes are read once, in their order, and nothing is remembered. */
#include <string.h>
#include <sys/random.h>
#include <xxhash.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/verify.h"
#include "kura/words.h"
#include "rehearse_priv.h"

enum { SAMPLE_MIN = 10 }; /* files of a fileset, however small the share */

typedef struct Sample {
    Rehearse *rehearse;
    const ManifestFileset *fileset;
    EntryReader *reader;
    uint64_t seed, below; /* a hash below is in the sample */
    uint64_t files, bytes, failed;
} Sample;

static int drop_piece(void *ctx, const void *data, size_t len, Error *err)
{
    progress_add(((Sample *)ctx)->rehearse->progress, len, 0);
    return stop_check(err);
}

/* What is damaged is told; what the store cannot give for other reasons ends it. */
static int read_entry(Sample *sample, const IndexEntry *entry, Error *err)
{
    Error why = ERROR_INIT;
    int rc = entry_reader_read(sample->reader, entry, drop_piece, sample, &why);
    sample->files++;
    sample->bytes += entry->size;
    if (rc == 0)
        return 0;
    if (why.code != ERR_CORRUPT && why.code != ERR_TRUNCATED && why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    if (sample->failed++ < REHEARSE_FINDINGS_MAX)
        findings_add(&sample->rehearse->findings, FINDING_ERROR, "file-damaged", "Use another backup for this file.",
                     "file \"%s\" of fileset \"%s\" does not come back: %s", entry->path, sample->fileset->name,
                     why.message);
    return 0;
}

static bool is_in_sample(const Sample *sample, const IndexEntry *entry)
{
    return entry->type == 'f' && XXH3_64bits_withSeed(entry->path, strlen(entry->path), sample->seed) <= sample->below;
}

static int read_sample(Sample *sample, Error *err)
{
    IndexReader *index = index_reader_new(sample->rehearse->repo, sample->fileset);
    const IndexEntry *entry;
    int got;
    while ((got = index_reader_next(index, &entry, err)) > 0)
        if (is_in_sample(sample, entry) && (got = read_entry(sample, entry, err)) < 0)
            break;
    index_reader_free(index);
    return got < 0 ? error_wrap(err, "fileset \"%s\"", sample->fileset->name) : 0;
}

static uint64_t threshold(const ManifestFileset *fileset, double percent)
{
    double share = percent / 100, least = fileset->files ? (double)SAMPLE_MIN / (double)fileset->files : 0;
    if (percent > 0 && share < least)
        share = least;
    return share >= 1 ? UINT64_MAX : (uint64_t)(share * 0x1p64);
}

static int sample_fileset(Rehearse *rehearse, const ManifestFileset *fileset, uint64_t seed, Sample *total, Error *err)
{
    Rehearsal *result = rehearse->result;
    Sample sample = {.rehearse = rehearse,
                     .fileset = fileset,
                     .reader = entry_reader_new(rehearse->repo),
                     .seed = seed,
                     .below = threshold(fileset, rehearse->options->sample)};
    int rc = rehearse->options->sample > 0 ? read_sample(&sample, err) : 0;
    entry_reader_free(sample.reader);
    xgrow(&result->filesets, &rehearse->cap_filesets, result->n_filesets);
    result->filesets[result->n_filesets++] = (RehearsalFileset){.name = xstrdup(fileset->name),
                                                                .files = fileset->files,
                                                                .bytes = fileset->bytes,
                                                                .sampled_files = sample.files,
                                                                .sampled_bytes = sample.bytes};
    total->files += sample.files;
    total->failed += sample.failed;
    return rc;
}

/* A damaged index is told by the look at the blobs. */
static int sample_all(Rehearse *rehearse, Error *err)
{
    static const char name[] = "files", unit[] = N_("files");
    const Manifest *manifest = rehearse->manifest;
    uint64_t seed;
    Sample total = {0};
    Error why = ERROR_INIT;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort(); /* so few bytes are always given at once */
    _cleanup_free_ char *title = xasprintf(_("a sample of the files, %g%%, read back and hashed (seed %016jx)"),
                                           rehearse->options->sample, (uintmax_t)seed);
    int rc = 0;
    for (size_t i = 0; i < manifest->n_filesets && rc == 0; i++)
        rc = sample_fileset(rehearse, &manifest->filesets[i], seed, &total, &why);
    if (rc < 0 && why.code != ERR_CORRUPT && why.code != ERR_NOT_FOUND && why.code != ERR_TRUNCATED) {
        *err = why;
        return -1;
    }
    if (rc < 0) {
        findings_add(&rehearse->findings, FINDING_ERROR, "files-unreadable", why.hint[0] ? why.hint : NULL, "%s",
                     why.message);
        total.failed++;
    }
    rehearse_proof(rehearse, name, title, unit, total.files, total.failed);
    return 0;
}

/* Tables, files and indexes alike. */
static int prove_blobs(Rehearse *rehearse, Error *err)
{
    StrVec ids = {0};
    VerifyReport report = {0};
    strvec_push(&ids, rehearse->manifest->id);
    const VerifyOptions options = {.ids = &ids, .jobs = rehearse->options->jobs};
    int rc = verify_run(rehearse->repo, &options, &report, &rehearse->findings, rehearse->progress, err);
    strvec_done(&ids);
    if (rc == 0)
        rehearse_proof(rehearse, "blobs", "every blob of the backup is there, and as large as it was", "blobs",
                       report.blobs, report.missing + report.damaged);
    verify_report_done(&report);
    return rc;
}

int rehearse_prove_files(Rehearse *rehearse, Error *err)
{
    rehearse_phase(rehearse, "blobs");
    if (prove_blobs(rehearse, err) < 0)
        return -1;
    if (rehearse->manifest->n_filesets == 0)
        return 0;
    rehearse_phase(rehearse, "files");
    return sample_all(rehearse, err);
}
