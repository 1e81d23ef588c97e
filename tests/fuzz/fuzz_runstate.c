#include <string.h>

#include "fuzz.h"
#include "kura/mem.h"
#include "kura/runstate.h"

/* What is read is written as it was read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    RunState *state, *again;
    Error err = ERROR_INIT;
    Buf first = BUF_INIT(8 << 20), second = BUF_INIT(8 << 20);
    if (runstate_parse(data, len, &state, &err) < 0) {
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0);
        return 0;
    }
    fuzz_require(runstate_format(state, &first, &err) == 0 && runstate_parse(first.data, first.len, &again, &err) == 0);
    fuzz_require(runstate_format(again, &second, &err) == 0 && strcmp(buf_str(&first), buf_str(&second)) == 0);
    runstate_free(state);
    runstate_free(again);
    buf_done(&first);
    buf_done(&second);
    return 0;
}
