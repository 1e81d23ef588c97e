#include "fuzz.h"
#include "kura/mem.h"
#include "kura/replication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    SyncNames names;
    Error err = ERROR_INIT;
    _cleanup_free_ char *text = xstrndup((const char *)data, len);
    if (syncnames_parse(text, &names, &err) < 0)
        fuzz_require(err.code == ERR_CORRUPT);
    else
        fuzz_require((names.names.n == 0) == (names.count == 0));
    syncnames_done(&names);
    return 0;
}
