#include "pgconf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "kura/mem.h"

enum { FILE_MAX = 1024 * 1024, DEPTH_MAX = 10, FILES_MAX = 100 };

typedef struct Reading {
    const DoctorScene *scene;
    PgConf *conf;
    unsigned depth, files;
} Reading;

static int read_file(Reading *reading, const char *path, Error *err);

/* A relative name is one beside the file that includes it. To be freed. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return name[0] == '/' || slash == NULL ? xstrdup(name) : xasprintf("%.*s/%s", (int)(slash - path), path, name);
}

static void include(Reading *reading, const char *path, const char *name)
{
    Error why = ERROR_INIT;
    _cleanup_free_ char *file = beside(path, name);
    if (reading->depth < DEPTH_MAX && reading->files++ < FILES_MAX)
        read_file(reading, file, &why);
}

static void include_dir(Reading *reading, const char *path, const char *name)
{
    _cleanup_free_ char *dir = beside(path, name);
    _cleanup_(strvec_done) StrVec files = {0};
    host_list(reading->scene, dir, ".conf", &files);
    for (size_t i = 0; i < files.n; i++) {
        _cleanup_free_ char *file = xasprintf("%s/%s", dir, files.v[i]);
        include(reading, path, file);
    }
}

/* A value in quotes, in which two of them, or one behind a backslash, stand for one; else a word. To be freed. */
static char *read_value(const char *at)
{
    char *value = xstrdup(at), *out = value;
    if (*at != '\'') {
        value[strcspn(at, " \t\r#")] = 0;
        return value;
    }
    for (at++; *at && !(at[0] == '\'' && at[1] != '\''); at++) {
        if ((at[0] == '\'' || at[0] == '\\') && at[1])
            at++;
        *out++ = *at;
    }
    *out = 0;
    return value;
}

/* name = value, or name value. */
static void read_line(Reading *reading, const char *path, const char *line)
{
    line += strspn(line, " \t");
    size_t len = strcspn(line, " \t=#\r");
    if (len == 0)
        return;
    _cleanup_free_ char *name = xstrndup(line, len);
    line += len;
    line += strspn(line, " \t");
    line += line[0] == '=';
    line += strspn(line, " \t");
    _cleanup_free_ char *value = read_value(line);
    if (strcasecmp(name, "include") == 0 || strcasecmp(name, "include_if_exists") == 0) {
        include(reading, path, value);
    } else if (strcasecmp(name, "include_dir") == 0) {
        include_dir(reading, path, value);
    } else {
        for (char *at = name; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        strvec_push(&reading->conf->names, name);
        strvec_push(&reading->conf->values, value);
    }
}

static int read_file(Reading *reading, const char *path, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(FILE_MAX);
    if (host_read(reading->scene, path, &text, err) < 0)
        return -1;
    reading->depth++;
    char *rest = (char *)buf_str(&text), *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        read_line(reading, path, line);
    reading->depth--;
    return 0;
}

int pgconf_read(const DoctorScene *scene, const char *path, PgConf *conf, Error *err)
{
    Reading reading = {.scene = scene, .conf = conf};
    return read_file(&reading, path, err);
}

const char *pgconf_get(const PgConf *conf, const char *name)
{
    for (size_t i = conf->names.n; i-- > 0;)
        if (strcmp(conf->names.v[i], name) == 0)
            return conf->values.v[i];
    return NULL;
}

void pgconf_done(PgConf *conf)
{
    strvec_done(&conf->names);
    strvec_done(&conf->values);
}
