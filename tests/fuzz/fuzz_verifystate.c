#include "fuzz_document.h"
#include "kura/verifystate.h"

static json_t *read_state(const void *text, size_t len, Error *err)
{
    VerifyState state = {0};
    json_t *document = verifystate_parse(text, len, &state, err) == 0 ? verifystate_to_json(&state) : NULL;
    fuzz_require((document == NULL) == (state.host == NULL));
    verifystate_done(&state);
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_document(read_state, data, len);
    return 0;
}
