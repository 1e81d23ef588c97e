#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_settings(yaml_settings, data, len);
    fuzz_settings(yaml11_settings, data, len);
    return 0;
}
