#include "extent.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/fdio.h"

ExtentReader extent_reader(int fd, uint64_t size)
{
    return (ExtentReader){.fd = fd, .end = size, .cached = true};
}

/* Finds the stretch of data at or behind reader->at. */
static int find_data(ExtentReader *reader)
{
    struct stat st;
    off_t data = lseek(reader->fd, (off_t)reader->at, SEEK_DATA);
    if (data >= 0) {
        off_t hole = lseek(reader->fd, data, SEEK_HOLE);
        reader->data = (uint64_t)data;
        reader->hole = hole > data ? (uint64_t)hole : reader->end;
        return 0;
    }
    if (errno != ENXIO) { /* a file system without this: all is data */
        reader->data = reader->at;
        reader->hole = reader->end;
        return 0;
    }
    /* Hole up to the end, or the file was cut short: a hole that is not there must not become zeros. */
    if (fstat(reader->fd, &st) < 0)
        return errno;
    if ((uint64_t)st.st_size < reader->end)
        reader->end = (uint64_t)st.st_size > reader->at ? (uint64_t)st.st_size : reader->at;
    reader->data = reader->hole = reader->end;
    return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Reads data that is there; the file ends where a read gives nothing. */
static int read_data(ExtentReader *reader, uint8_t *data, uint64_t len, uint64_t *ret)
{
    ssize_t got;
    do
        got = fd_pread(reader->fd, data, len, (off_t)reader->at, &reader->cached);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno;
    if (got == 0)
        reader->end = reader->at;
    *ret = (uint64_t)got;
    return 0;
}

int extent_read(ExtentReader *reader, uint8_t *data, size_t len, size_t *ret_len, bool *ret_hole)
{
    size_t done = 0;
    *ret_hole = true;
    while (done < len && reader->at < reader->end) {
        int error = 0;
        if (reader->at >= reader->hole && (error = find_data(reader)))
            return error;
        uint64_t room = least(len - done, reader->end - reader->at), got = 0;
        if (reader->at < reader->data) {
            got = least(room, reader->data - reader->at);
            memset(data + done, 0, got);
        } else if (reader->at < reader->hole) {
            *ret_hole = false;
            if ((error = read_data(reader, data + done, least(room, reader->hole - reader->at), &got)))
                return error;
        } else {
            continue; /* the file was cut short: the end has moved */
        }
        reader->at += got;
        done += got;
    }
    *ret_len = done;
    return 0;
}
