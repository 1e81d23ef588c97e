#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "copyfile.h"
#include "kura/mem.h"

int outfile_open(OutFile *file, const char *path, Error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, errno, "creating \"%s\"", path);
    *file = (OutFile){.fd = fd, .path = xstrdup(path), .hash = sha256_new()};
    return 0;
}

int outfile_write(OutFile *file, const void *data, size_t len, Error *err)
{
    if (write_fully(file->fd, data, len, err) < 0)
        return error_wrap(err, "\"%s\"", file->path);
    sha256_update(file->hash, data, len);
    return 0;
}

int outfile_close(OutFile *file, char ret_hex[SHA256_HEX_SIZE], Error *err)
{
    int rc = close(file->fd);
    file->fd = -1;
    if (rc < 0)
        return error_errno(err, errno, "writing \"%s\"", file->path);
    sha256_finish_hex(file->hash, ret_hex);
    return 0;
}

void outfile_done(OutFile *file)
{
    close_fd(&file->fd);
    free(file->path);
    sha256_free(file->hash);
    *file = (OutFile)OUTFILE_INIT;
}
