/* Rehearsals: whatever parses comes back from its own document unchanged. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kura/rehearsal.h"

static void check_round_trip(const Rehearsal *rehearsal)
{
    Rehearsal *again = NULL;
    json_t *first = rehearsal_to_json(rehearsal);
    char *text = json_dumps(first, 0);
    fuzz_require(text && rehearsal_parse(text, strlen(text), &again, NULL) == 0);
    json_t *second = rehearsal_to_json(again);
    fuzz_require(json_equal(first, second));
    json_decref(second);
    rehearsal_free(again);
    free(text);
    json_decref(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Rehearsal *rehearsal = NULL;
    Error err = ERROR_INIT;
    if (rehearsal_parse(data, len, &rehearsal, &err) == 0)
        check_round_trip(rehearsal);
    else
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0 && rehearsal == NULL);
    rehearsal_free(rehearsal);
    return 0;
}
