#include "fuzz_document.h"
#include "kura/manifest.h"

static json_t *read_manifest(const void *text, size_t len, Error *err)
{
    Manifest *manifest = NULL;
    json_t *document = NULL;
    if (manifest_parse(text, len, &manifest, err) == 0)
        document = manifest_to_json(manifest);
    fuzz_require((document == NULL) == (manifest == NULL));
    manifest_free(manifest);
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_document(read_manifest, data, len);
    return 0;
}
