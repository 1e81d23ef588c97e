/* The configuration file: [kura], [app NAME] and [repository NAME] sections. */
#ifndef KURA_CMD_CONFIG_H
#define KURA_CMD_CONFIG_H

#include <sys/types.h>

#include "kura/findings.h"
#include "options.h"

#define CONFIG_DEFAULT_PATH "/etc/kura/kura.conf"

typedef struct ConfigSection {
    unsigned kind;  /* IN_KURA, IN_REPOSITORY, IN_APP */
    char *name;     /* "" for [kura] */
    char *location; /* of a repository, else NULL */
} ConfigSection;

typedef struct ConfigValue {
    size_t section;
    const OptionSpec *spec;
    char *text;
    unsigned line;
} ConfigValue;

typedef struct Config {
    char *path; /* NULL: none was read */
    uid_t owner;
    mode_t mode;
    ConfigSection *sections;
    size_t n_sections, sections_cap;
    ConfigValue *values;
    size_t n_values, values_cap;
} Config;

/* Reads the text of a file: every section, key and value is checked, also those that no command will use now. ERR_USAGE
 * names path and line, the hint the nearest spelling. */
int config_parse(const char *text, size_t len, const char *path, Config *ret, Error *err);
/* Reads a file. With optional one that does not exist is as an empty one, and one that may not be read is a warning. A
 * file that everybody may read and that holds a secret is a warning, too. */
int config_load(const char *path, bool optional, Config *ret, Findings *findings, Error *err);
void config_done(Config *config);

/* Whether nobody else can have written what it says, so that programs it names may be run: it is this user's or root's,
 * and writable by no other. ERR_PERMISSION. */
int config_check_trusted(const Config *config, Error *err);

/* Lays the configuration under what options hold already, and puts the location of a repository in the place of its
 * name. OPT_REPO stays absent when nothing names one and there is not exactly one section to take. */
int config_apply(const Config *config, Options *options, Error *err);

/* What options say of storage and keys, as they hold for another repository than the one they were applied for: `name`
 * is a location or that of a section, whose values come first. Key files and what another section says are left out.
 * options_done for *ret, in any case. */
int config_other_repository(const Config *config, const Options *options, const char *name, Options *ret, Error *err);

/* Appends the names of all sections of a kind, in their order. */
void config_list(const Config *config, unsigned kind, StrVec *ret);
/* "misskey, mastodon": the names of all sections of a kind; NULL when there is none. To be freed. */
char *config_names(const Config *config, unsigned kind);

#endif
