/* The text of a YAML file: places in it, and what is refused of it before anything is built. */
#ifndef KURA_APP_YAMLTEXT_H
#define KURA_APP_YAMLTEXT_H

#include <yaml.h>

#include "settings.h"

typedef struct YamlText {
    SettingsInput *input;
    Error *err;
    size_t skipped; /* bytes before what libyaml reads: a byte order mark */
    size_t *bytes;  /* where each character begins, and where the last one ends */
    size_t n_characters;
} YamlText;

/* Input and err must outlive it. Fails for what is no UTF-8. yaml_text_done in any case. */
int yaml_text_begin(YamlText *yaml, SettingsInput *input, Error *err);
void yaml_text_done(YamlText *yaml);

/* A mark of libyaml as a byte of the file. */
size_t yaml_text_byte(const YamlText *yaml, yaml_mark_t mark);
/* Fails with what is wrong at a place, or with what a parser complains of. Returns -1. */
int yaml_text_refuse(YamlText *yaml, yaml_mark_t mark, const char *what);
int yaml_text_refuse_syntax(YamlText *yaml, const yaml_parser_t *parser);

/* Begins a parser at its start; to be ended with yaml_parser_delete. */
void yaml_text_parser(YamlText *yaml, yaml_parser_t *parser);
/* Refuses what libraries read differently, tags, and what is nested too deeply. */
int yaml_text_check(YamlText *yaml);

#endif
