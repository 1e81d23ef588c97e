/* Edits of a configuration: whatever file it is, and whatever value, what was written is read again. The first byte
 * says the format; the value ends with a zero byte, and the file follows. */
#include <string.h>

#include "edit_priv.h"
#include "fuzz_settings.h"

static const struct {
    SettingsReader read;
    const char *file;
} formats[] = {
    {yaml_settings, "f.yml"},  {dotenv_settings, ".env"},   {envfile_settings, ".env"},
    {ini_settings, "app.ini"}, {hjson_settings, "f.hjson"}, {elixir_settings, "f.exs"},
};

static int read_text(size_t format, const char *text, size_t len, Settings *ret, Error *err)
{
    Findings findings = FINDINGS_INIT;
    SettingsInput input = {.file = formats[format].file, .prefix = "", .text = text, .len = len, .findings = &findings};
    int rc = formats[format].read(&input, ret, err);
    findings_done(&findings);
    return rc;
}

static void edit(size_t format, const Settings *settings, const char *value, const char *text, size_t len)
{
    AppEdits edits = {0};
    AppSite site = {.settings = settings->v, .n_settings = settings->n};
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(4 << 20), diff = BUF_INIT(4 << 20);
    const AppSetting *last = &settings->v[settings->n - 1];
    app_edits_set(&edits, last, value);
    if (app_edit_text(&edits, formats[format].file, text, len, &out, &err) < 0)
        fuzz_require(err.code != ERR_NONE);
    if (app_edit_diff(&site, &edits, formats[format].file, text, len, &diff, &err) < 0)
        fuzz_require(err.code != ERR_NONE);
    app_edits_done(&edits);
    buf_done(&out);
    buf_done(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *end = len > 1 ? memchr(data + 1, 0, len - 1) : NULL;
    if (end == NULL)
        return 0;
    size_t format = data[0] % ARRAY_SIZE(formats), text_len = len - (size_t)(end + 1 - data);
    _cleanup_free_ char *text = memcpy(xcalloc(text_len + 1, 1), end + 1, text_len);
    Settings settings = {0};
    Error err = ERROR_INIT;
    if (read_text(format, text, text_len, &settings, &err) == 0 && settings.n > 0)
        edit(format, &settings, (const char *)data + 1, text, text_len);
    settings_done(&settings);
    return 0;
}
