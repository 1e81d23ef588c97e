#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_settings(hjson_settings, data, len);
    return 0;
}
