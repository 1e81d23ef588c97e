/* JSON documents: whatever is read comes back unchanged from the document that is made of it. */
#ifndef KURA_FUZZ_DOCUMENT_H
#define KURA_FUZZ_DOCUMENT_H

#include <jansson.h>
#include <string.h>

#include "fuzz.h"
#include "kura/error.h"

/* Parses a text and makes a document of what it says; NULL with an error. */
typedef json_t *(*DocumentRead)(const void *text, size_t len, Error *err);

static inline void fuzz_document(DocumentRead read, const void *data, size_t len)
{
    Error err = ERROR_INIT;
    json_t *first = read(data, len, &err);
    if (first == NULL) {
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0);
        return;
    }
    char *text = json_dumps(first, 0);
    fuzz_require(text != NULL);
    json_t *second = read(text, strlen(text), NULL);
    fuzz_require(second != NULL && json_equal(first, second));
    json_decref(second);
    free(text);
    json_decref(first);
}

#endif
