/* What a profile says of a value: text with ${settings} in it, alternatives, conditions. */
#ifndef KURA_APP_TEMPLATE_H
#define KURA_APP_TEMPLATE_H

#include "settings.h"

/* Where templates look. */
typedef struct Scene {
    const char *dir;           /* of the application */
    const char *beside;        /* files there go before those of the same name in dir; NULL: none */
    bool assume_code;          /* "exists:" holds whatever there is */
    const StrVec *environment; /* NAME=VALUE; NULL: none */
    const Settings *profile;   /* its description file */
    Settings settings;         /* what was read of the application's configuration */
    Findings *findings;
} Scene;

/* A value of the profile: the template at `path`, or the first of a list of them all of whose settings are set. NULL:
 * there is none. each: what "${.x}" stands below; NULL for nothing. ret_key: the setting it is made of, where it is
 * only one; may be NULL. To be freed. */
char *scene_value(const Scene *scene, const char *path, const char *each, const char **ret_key);
/* The same under "path.name". */
char *scene_member(const Scene *scene, const char *path, const char *name, const char *each);
/* Whether the conditions in path.when hold and none of those in path.unless does: "KEY" (says something, or has what is
 * below it), "KEY=PATTERN", "exists:PATH". */
bool scene_applies(const Scene *scene, const char *path);
/* Adds every value of the list at `path` that applies: templates, or mappings with value, when and unless. */
void scene_list(const Scene *scene, const char *path, StrVec *ret);
/* Whether the value there is true. */
bool scene_flag(const Scene *scene, const char *path);
/* Whether the profile says anything there. */
bool scene_has(const Scene *scene, const char *path);

/* As app_file_exists(), app_file_read() and app_glob(), in beside and dir. */
bool scene_file_exists(const Scene *scene, const char *file);
int scene_file_read(const Scene *scene, const char *file, Buf *ret, Error *err);
void scene_glob(const Scene *scene, const char *pattern, StrVec *ret);

#endif
