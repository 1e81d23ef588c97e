/* Ladders that somebody wrote, and a climb between any two of their rungs. */
#include <string.h>

#include "fuzz.h"
#include "kura/ladder.h"
#include "kura/mem.h"

static void climb(const Ladder *ladder, size_t from, size_t to)
{
    LadderClimb climb;
    Error err = ERROR_INIT;
    int rc = ladder_climb(ladder, ladder->v[from].version, ladder->v[to].version, &climb, &err);
    fuzz_require(rc == 0 ? from <= to && climb.n >= to - from : err.code != ERR_NONE);
    ladder_climb_done(&climb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Ladder ladder;
    Error err = ERROR_INIT;
    _cleanup_free_ char *text = xstrndup((const char *)data, len);
    if (ladder_parse("file", text, strlen(text), &ladder, &err) < 0) {
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0);
        return 0;
    }
    fuzz_require(ladder.n > 0);
    climb(&ladder, 0, ladder.n - 1);
    climb(&ladder, ladder.n - 1, 0);
    ladder_done(&ladder);
    return 0;
}
