#include "settings.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/words.h"
#include "wipe.h"

void settings_done(Settings *settings)
{
    for (size_t i = 0; i < settings->n; i++) {
        free((char *)settings->v[i].key);
        wipe_text(&settings->v[i].value);
        free(settings->v[i].place.file);
    }
    free(settings->v);
    *settings = (Settings){0};
}

/* Counts on from where it was asked last, which is before in most cases. */
unsigned settings_line(SettingsInput *input, size_t offset)
{
    if (offset < input->counted)
        input->counted = input->breaks = 0;
    for (; input->counted < offset && input->counted < input->len; input->counted++) {
        char c = input->text[input->counted];
        input->breaks += c == '\n' || (c == '\r' && input->text[input->counted + 1] != '\n');
    }
    return input->breaks + 1;
}

void settings_at(SettingsInput *input, size_t offset, unsigned breaks)
{
    input->counted = offset;
    input->breaks = breaks;
}

int settings_error(SettingsInput *input, size_t offset, const char *what, Error *err)
{
    return error_set(err, ERR_CORRUPT, "%s:%u: %s", input->file, settings_line(input, offset), words_get(what));
}

int settings_add(Settings *settings, SettingsInput *input, const char *key, const char *value, size_t offset,
                 size_t len, Error *err)
{
    settings->bytes += strlen(value);
    if (settings->n >= SETTINGS_MAX || settings->bytes > SETTINGS_BYTES)
        return settings_error(input, offset, "there are too many settings", err);
    if (strlen(input->prefix) + strlen(key) > SETTINGS_KEY_MAX)
        return settings_error(input, offset, "the name of a setting is too long", err);
    xgrow(&settings->v, &settings->cap, settings->n);
    settings->v[settings->n++] = (AppSetting){
        .key = xasprintf("%s%s", input->prefix, key),
        .value = xstrdup(value),
        .place = {.file = xstrdup(input->file), .line = settings_line(input, offset), .offset = offset, .len = len},
    };
    return 0;
}

int settings_put(Settings *settings, size_t first, SettingsInput *input, const char *key, const char *value,
                 size_t offset, size_t len, Error *err)
{
    size_t prefix = strlen(input->prefix);
    for (size_t i = first; i < settings->n; i++) {
        AppSetting *setting = &settings->v[i];
        if (strncmp(setting->key, input->prefix, prefix) != 0 || strcmp(setting->key + prefix, key) != 0)
            continue;
        settings->bytes += strlen(value);
        if (settings->bytes > SETTINGS_BYTES)
            return settings_error(input, offset, "there are too many settings", err);
        wipe_text(&setting->value);
        setting->value = xstrdup(value);
        setting->place.line = settings_line(input, offset);
        setting->place.offset = offset;
        setting->place.len = len;
        return 0;
    }
    return settings_add(settings, input, key, value, offset, len, err);
}

const AppSetting *settings_get(const Settings *settings, const char *key)
{
    for (size_t i = 0; i < settings->n; i++)
        if (strcmp(settings->v[i].key, key) == 0)
            return &settings->v[i];
    return NULL;
}

bool settings_have_below(const Settings *settings, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < settings->n; i++)
        if (strncmp(settings->v[i].key, key, len) == 0 && strchr(".[", settings->v[i].key[len]) != NULL)
            return true; /* '\0' is found by strchr too: the key itself */
    return false;
}
