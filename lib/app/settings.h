/* What a configuration says, whatever its format, as a flat list: "db.host", "dbSlaves[0].host", "DB_HOST". */
#ifndef KURA_APP_SETTINGS_H
#define KURA_APP_SETTINGS_H

#include "kura/app.h"

enum { SETTINGS_MAX = 5000, SETTINGS_KEY_MAX = 1024, SETTINGS_DEPTH = 32, SETTINGS_BYTES = 8 << 20 };

typedef struct Settings {
    AppSetting *v;
    size_t n, cap, bytes;
} Settings;

/* What the readers of the formats get. */
typedef struct SettingsInput {
    const char *file;   /* name for messages and places */
    const char *prefix; /* put before every key; "" for none */
    const char *text;
    size_t len;
    Findings *findings;
    size_t counted; /* line breaks before this offset are .. */
    unsigned breaks;
} SettingsInput;

void settings_done(Settings *settings); /* wipes values */
/* Adds a setting; offset and len are those of the value in input->text. The first one of a key is what counts. */
int settings_add(Settings *settings, SettingsInput *input, const char *key, const char *value, size_t offset,
                 size_t len, Error *err);
/* The same where the last one of a file counts: takes the place of one of that key that is not before `first`. */
int settings_put(Settings *settings, size_t first, SettingsInput *input, const char *key, const char *value,
                 size_t offset, size_t len, Error *err);
const AppSetting *settings_get(const Settings *settings, const char *key);
/* Whether that key or one below it (key.x, key[0]) is there. */
bool settings_have_below(const Settings *settings, const char *key);

/* "FILE:LINE: what". Values are never part of it. Returns -1. */
int settings_error(SettingsInput *input, size_t offset, const char *what, Error *err);
unsigned settings_line(SettingsInput *input, size_t offset);
/* Where it is known already how many line breaks are before an offset: aliases lead to and fro in a large file. */
void settings_at(SettingsInput *input, size_t offset, unsigned breaks);

/* The readers: each adds to *ret, and knows one format. */
int yaml_settings(SettingsInput *input, Settings *ret, Error *err);     /* as js-yaml 4 reads it */
int yaml11_settings(SettingsInput *input, Settings *ret, Error *err);   /* as PyYAML reads it */
int dotenv_settings(SettingsInput *input, Settings *ret, Error *err);   /* as Ruby's dotenv 3 reads it */
int dotenv28_settings(SettingsInput *input, Settings *ret, Error *err); /* as 2.8 */
int dotenv2_settings(SettingsInput *input, Settings *ret, Error *err);  /* as those before */
int compose_settings(SettingsInput *input, Settings *ret, Error *err);  /* as Docker Compose reads an env_file */
int envfile_settings(SettingsInput *input, Settings *ret, Error *err);  /* quotes are part of the value */
int ini_settings(SettingsInput *input, Settings *ret, Error *err);      /* "section.KEY" */
int hjson_settings(SettingsInput *input, Settings *ret, Error *err);
int elixir_settings(SettingsInput *input, Settings *ret, Error *err); /* config/2 and config/3 of literals */

#endif
