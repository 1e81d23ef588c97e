#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_settings(dotenv_settings, data, len);
    fuzz_settings(dotenv28_settings, data, len);
    fuzz_settings(dotenv2_settings, data, len);
    fuzz_settings(envfile_settings, data, len);
    return 0;
}
