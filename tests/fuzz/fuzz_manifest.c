/* Manifests: whatever parses comes back from its own document unchanged. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kura/manifest.h"

static void check_round_trip(const Manifest *manifest)
{
    Manifest *again = NULL;
    json_t *first = manifest_to_json(manifest);
    char *text = json_dumps(first, 0);
    fuzz_require(text && manifest_parse(text, strlen(text), &again, NULL) == 0);
    json_t *second = manifest_to_json(again);
    fuzz_require(json_equal(first, second));
    json_decref(second);
    manifest_free(again);
    free(text);
    json_decref(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    Manifest *manifest = NULL;
    Error err = ERROR_INIT;
    if (manifest_parse(data, len, &manifest, &err) == 0)
        check_round_trip(manifest);
    else
        fuzz_require(err.code != ERR_NONE && err.message[0] != 0 && manifest == NULL);
    manifest_free(manifest);
    return 0;
}
