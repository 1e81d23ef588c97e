/* What holds for every reader of settings: a place is within the text, a value and a key are texts, and what is refused
 * tells where. */
#ifndef KURA_FUZZ_SETTINGS_H
#define KURA_FUZZ_SETTINGS_H

#include <string.h>

#include "fuzz.h"
#include "kura/mem.h"
#include "settings.h"

typedef int (*SettingsReader)(SettingsInput *input, Settings *ret, Error *err);

static inline void fuzz_settings(SettingsReader read, const uint8_t *data, size_t len)
{
    char *text = xmalloc(len + 1);
    Error err = ERROR_INIT;
    Settings settings = {0};
    Findings findings = FINDINGS_INIT;
    memcpy(text, data, len);
    text[len] = 0;
    SettingsInput input = {.file = "file", .prefix = "", .text = text, .len = len, .findings = &findings};
    if (read(&input, &settings, &err) < 0)
        fuzz_require(strncmp(err.message, "file:", 5) == 0);
    fuzz_require(settings.n <= SETTINGS_MAX);
    for (size_t i = 0; i < settings.n; i++) {
        const AppPlace *place = &settings.v[i].place;
        fuzz_require(place->offset <= len && place->len <= len - place->offset && place->line > 0);
        fuzz_require(settings.v[i].value != NULL && strlen(settings.v[i].key) <= SETTINGS_KEY_MAX);
    }
    settings_done(&settings);
    findings_done(&findings);
    free(text);
}

#endif
