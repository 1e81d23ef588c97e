/* The data of a custom archive. The input is a whole archive, or a byte that names the compression and data blocks. The
 * reader's calls come in their order, and the rows of a table are whole lines. */
#include <string.h>
#include <sys/types.h>

#include "fuzz.h"
#include "kura/datablocks.h"
#include "kura/toc.h"

typedef struct Input {
    const uint8_t *data;
    size_t len;
} Input;

static ssize_t input_read(void *ctx, void *out, size_t len, Error *err)
{
    Input *input = ctx;
    size_t n = input->len < len ? input->len : len;
    memcpy(out, input->data, n);
    input->data += n;
    input->len -= n;
    return (ssize_t)n;
}

typedef struct Output {
    bool in_table, in_blob;
    RowSplitter rows;
} Output;

static int take_row(void *ctx, const char *row, size_t len, Error *err)
{
    fuzz_require(len > 0 && memchr(row, '\n', len) == row + len - 1);
    return 0;
}

static int table_begin(void *ctx, int dump_id, Error *err)
{
    Output *output = ctx;
    fuzz_require(!output->in_table && !output->in_blob && dump_id > 0);
    output->in_table = true;
    buf_clear(&output->rows.partial);
    output->rows.ended = false;
    return 0;
}

static int table_data(void *ctx, const void *data, size_t len, Error *err)
{
    Output *output = ctx;
    fuzz_require(output->in_table && len > 0);
    return rowsplitter_feed(&output->rows, data, len, err);
}

static int table_end(void *ctx, Error *err)
{
    Output *output = ctx;
    fuzz_require(output->in_table);
    output->in_table = false;
    return 0;
}

static int blob_begin(void *ctx, uint32_t oid, Error *err)
{
    Output *output = ctx;
    fuzz_require(!output->in_table && !output->in_blob && oid != 0);
    output->in_blob = true;
    return 0;
}

static int blob_data(void *ctx, const void *data, size_t len, Error *err)
{
    fuzz_require(((Output *)ctx)->in_blob && len > 0);
    return 0;
}

static int blob_end(void *ctx, Error *err)
{
    Output *output = ctx;
    fuzz_require(output->in_blob);
    output->in_blob = false;
    return 0;
}

static void try_blocks(const uint8_t *data, size_t len, int compression)
{
    enum { LONGEST_ROW = 1 << 20 };
    Error err = ERROR_INIT;
    Input input = {data, len};
    Output output = {.rows = {.row = take_row, .partial = BUF_INIT(LONGEST_ROW)}};
    const ByteSource source = {input_read, &input};
    const DataBlockSink sink = {table_begin, table_data, table_end, blob_begin, blob_data, blob_end, &output};
    if (datablocks_read(&source, compression, 0, &sink, &err) == 0)
        fuzz_require(input.len == 0 && !output.in_table && !output.in_blob);
    else
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0);
    buf_done(&output.rows.partial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Toc *toc;
    size_t used;
    if (toc_read(data, len, false, NULL, &used, &toc, NULL) == 0) {
        try_blocks(data + used, len - used, toc_compression(toc));
        toc_free(toc);
    } else if (len > 0) {
        try_blocks(data + 1, len - 1, data[0]);
    }
    return 0;
}
