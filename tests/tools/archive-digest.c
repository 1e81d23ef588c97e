/* archive-digest [FILE]: prints what the data of a custom-format pg_dump archive (standard input without FILE) amounts
 * to, one line a TABLE DATA entry and one a large object, to be compared with what other readers of the same database
 * found:
 *
 *   schema TAB table TAB rows TAB bytes TAB digest      (the row digest of kura/hash.h)
 *   <lo>   TAB oid   TAB 1    TAB bytes TAB sha256 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kura/datablocks.h"
#include "kura/hash.h"
#include "kura/mem.h"
#include "kura/toc.h"

static const size_t longest_row = (size_t)1 << 30, longest_toc = (size_t)1 << 30;

/* The descriptor, and what was read beyond the TOC. */
typedef struct Input {
    int fd;
    Buf head;
    size_t head_pos;
} Input;

typedef struct Digester {
    const Toc *toc;
    const TocEntry *entry;
    RowSplitter rows;
    RowDigest digest;
    uint32_t oid;
    uint64_t blob_bytes;
    Sha256 *sha256;
} Digester;

static ssize_t read_fd(int fd, void *out, size_t len, Error *err)
{
    ssize_t n;
    do
        n = read(fd, out, len);
    while (n < 0 && errno == EINTR);
    return n < 0 ? error_errno(err, errno, "reading the archive") : n;
}

static ssize_t input_read(void *ctx, void *out, size_t len, Error *err)
{
    Input *input = ctx;
    size_t rest = input->head.len - input->head_pos;
    if (rest == 0)
        return read_fd(input->fd, out, len, err);
    size_t n = rest < len ? rest : len;
    memcpy(out, input->head.data + input->head_pos, n);
    input->head_pos += n;
    return (ssize_t)n;
}

/* Reads twice as much as there is until the TOC is complete. */
static int read_toc(Input *input, Toc **ret, Error *err)
{
    for (size_t want = 65536;; want *= 2) {
        while (input->head.len < want) {
            if (buf_reserve(&input->head, want - input->head.len, err) < 0)
                return -1;
            ssize_t n = read_fd(input->fd, input->head.data + input->head.len, want - input->head.len, err);
            if (n < 0)
                return -1;
            if (n == 0)
                return toc_read(input->head.data, input->head.len, false, NULL, &input->head_pos, ret, err);
            input->head.len += (size_t)n;
        }
        if (toc_read(input->head.data, input->head.len, false, NULL, &input->head_pos, ret, err) == 0)
            return 0;
        if (err->code != ERR_TRUNCATED)
            return -1;
        error_clear(err);
    }
}

static int take_row(void *ctx, const char *row, size_t len, Error *err)
{
    Digester *digester = ctx;
    rowdigest_add(&digester->digest, row, len);
    return 0;
}

static int table_begin(void *ctx, int dump_id, Error *err)
{
    Digester *digester = ctx;
    digester->entry = toc_find(digester->toc, dump_id);
    if (digester->entry == NULL)
        return error_set(err, ERR_CORRUPT, "data of an entry that is not in the table of contents: %d", dump_id);
    digester->digest = (RowDigest){0};
    buf_clear(&digester->rows.partial);
    digester->rows.ended = false;
    return 0;
}

static int table_data(void *ctx, const void *data, size_t len, Error *err)
{
    Digester *digester = ctx;
    return rowsplitter_feed(&digester->rows, data, len, err);
}

static int table_end(void *ctx, Error *err)
{
    Digester *digester = ctx;
    const TocEntry *entry = digester->entry;
    char hex[33];
    if (!digester->rows.ended)
        return error_set(err, ERR_CORRUPT, "the data of \"%s\" has no end marker", entry->tag);
    rowdigest_format(&digester->digest, hex);
    printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n", entry->namespace ? entry->namespace : "", entry->tag,
           digester->digest.rows, digester->digest.bytes, hex);
    return 0;
}

static int blob_begin(void *ctx, uint32_t oid, Error *err)
{
    Digester *digester = ctx;
    digester->oid = oid;
    digester->blob_bytes = 0;
    return 0;
}

static int blob_data(void *ctx, const void *data, size_t len, Error *err)
{
    Digester *digester = ctx;
    sha256_update(digester->sha256, data, len);
    digester->blob_bytes += len;
    return 0;
}

static int blob_end(void *ctx, Error *err)
{
    Digester *digester = ctx;
    char hex[SHA256_HEX_SIZE];
    sha256_finish_hex(digester->sha256, hex);
    printf("<lo>\t%" PRIu32 "\t1\t%" PRIu64 "\t%s\n", digester->oid, digester->blob_bytes, hex);
    return 0;
}

static size_t count_blocks(const Toc *toc)
{
    size_t n = 0;
    for (size_t i = 0; i < toc->n_entries; i++)
        n += toc->entries[i].had_dumper;
    return n;
}

static int digest_archive(Input *input, Error *err)
{
    Toc *toc;
    if (read_toc(input, &toc, err) < 0)
        return -1;
    Digester digester = {.toc = toc, .sha256 = sha256_new()};
    digester.rows = (RowSplitter){.row = take_row, .ctx = &digester, .partial = BUF_INIT(longest_row)};
    const ByteSource source = {input_read, input};
    const DataBlockSink sink = {table_begin, table_data, table_end, blob_begin, blob_data, blob_end, &digester};
    int rc = datablocks_read(&source, toc_compression(toc), count_blocks(toc), &sink, err);
    buf_done(&digester.rows.partial);
    sha256_free(digester.sha256);
    toc_free(toc);
    return rc;
}

int main(int argc, char **argv)
{
    Error err = ERROR_INIT;
    if (argc > 2) {
        fprintf(stderr, "usage: archive-digest [FILE]\n");
        return 2;
    }
    const char *name = argc == 2 ? argv[1] : "standard input";
    Input input = {.fd = STDIN_FILENO, .head = BUF_INIT(longest_toc)};
    if (argc == 2 && (input.fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
        error_errno(&err, errno, "opening the archive");
    else if (digest_archive(&input, &err) == 0 && fflush(stdout) != 0)
        error_errno(&err, errno, "writing the result");
    buf_done(&input.head);
    if (err.code == ERR_NONE)
        return 0;
    fprintf(stderr, "archive-digest: %s: %s\n", name, err.message);
    if (err.hint[0])
        fprintf(stderr, "hint: %s\n", err.hint);
    return 1;
}
