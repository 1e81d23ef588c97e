#include "fixture.h"

#include "kura/mem.h"

static Settings settings;
static Findings findings = FINDINGS_INIT;
static Error err;
static char *last;

void forget(void)
{
    settings_done(&settings);
    findings_done(&findings);
    findings = (Findings)FINDINGS_INIT;
    free(last);
    last = NULL;
}

/* In a copy of just that size, so that a sanitizer sees a read behind its end. */
const char *read_bytes(Format format, const char *text, size_t len)
{
    forget();
    last = xmalloc(len + 1);
    memcpy(last, text, len);
    last[len] = 0;
    err = (Error)ERROR_INIT;
    SettingsInput input = {.file = "file", .prefix = "", .text = last, .len = len, .findings = &findings};
    return format(&input, &settings, &err) == 0 ? "" : err.message;
}

const char *read_text(Format format, const char *text)
{
    return read_bytes(format, text, strlen(text));
}

const char *value(const char *key)
{
    const AppSetting *setting = settings_get(&settings, key);
    return setting ? setting->value : NULL;
}

char *written(const char *key)
{
    const AppSetting *setting = settings_get(&settings, key);
    assert_non_null(setting);
    assert_true(setting->place.offset + setting->place.len <= strlen(last));
    return xstrndup(last + setting->place.offset, setting->place.len);
}

size_t settings_read(void)
{
    return settings.n;
}

const char *finding_of_text(void)
{
    return findings.n ? findings.v[0].code : "";
}
