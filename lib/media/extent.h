/* Reads a file from front to back; what the file system knows to be a hole is not read. */
#ifndef KURA_MEDIA_EXTENT_H
#define KURA_MEDIA_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ExtentReader {
    int fd;        /* borrowed */
    uint64_t at;   /* what was read so far */
    uint64_t end;  /* the size when reading began: what a writer appends meanwhile is not chased */
    uint64_t data; /* the next stretch of data begins here, */
    uint64_t hole; /* and ends here */
    bool cached;   /* all data that was read was in memory already */
} ExtentReader;

ExtentReader extent_reader(int fd, uint64_t size);
/* Reads up to len bytes into data; less only at the end. *ret_hole: nothing but hole was read. Returns 0 or an errno.
 */
int extent_read(ExtentReader *reader, uint8_t *data, size_t len, size_t *ret_len, bool *ret_hole);

#endif
