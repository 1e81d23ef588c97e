/* States of a verification: whatever parses comes back from its own document unchanged. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kura/verifystate.h"

static void check_round_trip(const VerifyState *state)
{
    VerifyState again;
    json_t *first = verifystate_to_json(state);
    char *text = json_dumps(first, 0);
    fuzz_require(text && verifystate_parse(text, strlen(text), &again, NULL) == 0);
    json_t *second = verifystate_to_json(&again);
    fuzz_require(json_equal(first, second));
    json_decref(second);
    verifystate_done(&again);
    free(text);
    json_decref(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    VerifyState state = {0};
    Error err = ERROR_INIT;
    if (verifystate_parse(data, len, &state, &err) == 0)
        check_round_trip(&state);
    else
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0 && state.host == NULL);
    verifystate_done(&state);
    return 0;
}
