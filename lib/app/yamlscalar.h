/* How versions of YAML read a plain scalar. */
#ifndef KURA_APP_YAMLSCALAR_H
#define KURA_APP_YAMLSCALAR_H

#include <stdbool.h>

typedef enum YamlKind { YAML_TEXT, YAML_NOTHING, YAML_DATE } YamlKind;

/* What a plain scalar becomes: numbers and booleans as JavaScript writes them when they are made text. *ret (YAML_TEXT
 * only) is to be freed. */
YamlKind yaml_plain_js(const char *text, char **ret);
/* The same as YAML 1.1 knows it: yes and no, 0777, 1:30:00. Floating numbers stay as they are written. */
YamlKind yaml_plain_11(const char *text, char **ret);

/* A number as JavaScript writes it. To be freed. */
char *js_number_text(double number);

#endif
