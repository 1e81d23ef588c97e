#include "fuzz_document.h"
#include "kura/rehearsal.h"

static json_t *read_rehearsal(const void *text, size_t len, Error *err)
{
    Rehearsal *rehearsal = NULL;
    json_t *document = NULL;
    if (rehearsal_parse(text, len, &rehearsal, err) == 0)
        document = rehearsal_to_json(rehearsal);
    fuzz_require((document == NULL) == (rehearsal == NULL));
    rehearsal_free(rehearsal);
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_document(read_rehearsal, data, len);
    return 0;
}
