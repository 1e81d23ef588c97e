/* The inside of AgeFile. */
#ifndef KURA_AGE_FILE_H
#define KURA_AGE_FILE_H

#include "crypto.h"
#include "kura/age.h"

struct AgeFile {
    uint8_t key[KEY_SIZE]; /* of the payload */
    size_t payload_start;
};

#endif
