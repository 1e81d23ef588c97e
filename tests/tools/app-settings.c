/* app-settings FORMAT FILE...: what kura reads in files of settings, a line of JSON each: {"settings": {..}}, or
 * {"error": ".."}. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "kura/secret.h"
#include "settings.h"

typedef int (*Reader)(SettingsInput *input, Settings *ret, Error *err);

static Reader reader_of(const char *format)
{
    static const struct {
        const char *name;
        Reader read;
    } readers[] = {
        {"yaml", yaml_settings},           {"yaml-1.1", yaml11_settings},  {"dotenv", dotenv_settings},
        {"dotenv-2.8", dotenv28_settings}, {"dotenv-2", dotenv2_settings}, {"env", envfile_settings},
        {"compose", compose_settings},     {"ini", ini_settings},          {"hjson", hjson_settings},
        {"elixir", elixir_settings},
    };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strcmp(readers[i].name, format) == 0)
            return readers[i].read;
    return NULL;
}

static json_t *read_settings(Reader read, const char *file)
{
    Buf text;
    Error err = ERROR_INIT;
    Settings settings = {0};
    Findings findings = FINDINGS_INIT;
    json_t *ret;
    if (app_file_read(".", file, &text, &err) < 0)
        return json_pack("{s:s}", "error", err.message);
    SettingsInput input = {.file = file, .prefix = "", .text = buf_str(&text), .len = text.len, .findings = &findings};
    if (read(&input, &settings, &err) < 0) {
        ret = json_pack("{s:s}", "error", err.message);
    } else {
        json_t *values = json_object();
        for (size_t i = settings.n; i-- > 0;) /* the first of a key counts */
            json_object_set_new(values, settings.v[i].key, json_string(settings.v[i].value));
        ret = json_pack("{s:o}", "settings", values);
    }
    settings_done(&settings);
    findings_done(&findings);
    secret_buf_done(&text);
    return ret;
}

int main(int argc, char **argv)
{
    Reader read = argc > 2 ? reader_of(argv[1]) : NULL;
    if (read == NULL) {
        fprintf(stderr, "usage: app-settings FORMAT FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        json_t *line = read_settings(read, argv[i]);
        json_dumpf(line, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        putchar('\n');
        json_decref(line);
    }
    return 0;
}
