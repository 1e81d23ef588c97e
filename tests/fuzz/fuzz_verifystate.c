#include "fuzz_document.h"
#include "kura/verifystate.h"

static json_t *read_verifystate(const void *text, size_t len, Error *err)
{
    VerifyState state = {0};
    json_t *document = NULL;
    if (verifystate_parse(text, len, &state, err) == 0)
        document = verifystate_to_json(&state);
    fuzz_require((document == NULL) == (state.host == NULL));
    verifystate_done(&state);
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_document(read_verifystate, data, len);
    return 0;
}
