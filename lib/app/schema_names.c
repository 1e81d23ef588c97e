/* Tools whose migrations are known by the names of their files or folders. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "kura/hash.h"
#include "kura/mem.h"
#include "schema_priv.h"

#define DIGITS "0123456789"

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* How many digits a name begins with, if an underscore follows; else 0. */
static size_t leading_number(const char *name)
{
    size_t len = strspn(name, DIGITS);
    return name[len] == '_' ? len : 0;
}

/* A migration of the number that a name begins with, shown without so many bytes at the end. */
static SchemaMigration *add_numbered(SchemaHistory *ret, const char *name, size_t suffix)
{
    _cleanup_free_ char *id = schema_number(name, leading_number(name)), *title = xstrndup(name, strlen(name) - suffix);
    return schema_history_add(ret, id, title);
}

/* Rails: NUMBER_WORDS.rb, or NUMBER_WORDS.ENGINE.rb. */
static bool is_rails(const char *name)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyz_" DIGITS;
    size_t len = leading_number(name);
    if (len == 0 || !ends_with(name, ".rb"))
        return false;
    const char *at = name + len + 1;
    at += strspn(at, words);
    if (strcmp(at, ".rb") == 0)
        return true;
    at += *at == '.';
    at += strspn(at, words);
    return strcmp(at, ".rb") == 0;
}

int schema_read_rails(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    (void)err;
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = schema_basename(dir->files.v[i]);
        if (is_rails(name))
            add_numbered(ret, name, strlen(".rb"))->post = dir->post;
    }
    return 0;
}

int schema_read_ecto(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    (void)err;
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = schema_basename(dir->files.v[i]);
        if (leading_number(name) > 0 && ends_with(name, ".exs"))
            add_numbered(ret, name, strlen(".exs"))->post = dir->post;
    }
    return 0;
}

/* NUMBER_WORDS.up.sql; what stands behind "up" is the driver's business. */
int schema_read_golang_migrate(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    (void)err;
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = dir->files.v[i], *up = NULL;
        for (const char *at = strstr(name, ".up."); at; at = strstr(at + 1, ".up."))
            up = at;
        if (leading_number(name) > 0 && up)
            add_numbered(ret, name, strlen(up));
    }
    return 0;
}

static void sha384_hex(const Buf *text, char ret[97])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;
    if (EVP_Digest(text->data, text->len, digest, &len, EVP_sha384(), NULL) != 1)
        abort();
    hex_format(digest, len, ret);
}

/* NUMBER_WORDS.sql, or NUMBER_WORDS.up.sql beside one for the way back. */
int schema_read_sqlx(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = dir->files.v[i];
        char hex[97];
        _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
        if (leading_number(name) == 0 || !ends_with(name, ".sql") || ends_with(name, ".down.sql"))
            continue;
        if (schema_read_file(dir->dir, name, &text, err) < 0)
            return -1;
        sha384_hex(&text, hex);
        add_numbered(ret, name, strlen(ends_with(name, ".up.sql") ? ".up.sql" : ".sql"))->checksum = xstrdup(hex);
    }
    return 0;
}

/* The name of the folder that holds a file of this name; NULL: it is another file. To be freed. */
static char *folder_of(const char *path, const char *file)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || strcmp(slash + 1, file) != 0)
        return NULL;
    _cleanup_free_ char *folder = xstrndup(path, (size_t)(slash - path));
    return xstrdup(schema_basename(folder));
}

/* VERSION_WORDS/up.sql, where VERSION is what stands before the first underscore, without hyphens. */
int schema_read_diesel(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    (void)err;
    for (size_t i = 0; i < dir->files.n; i++) {
        _cleanup_free_ char *folder = folder_of(dir->files.v[i], "up.sql");
        if (folder == NULL)
            continue;
        size_t n = 0;
        _cleanup_free_ char *id = xstrdup(folder);
        for (const char *at = folder; *at && *at != '_'; at++)
            if (*at != '-')
                id[n++] = *at;
        id[n] = 0;
        if (n > 0)
            schema_history_add(ret, id, folder);
    }
    return 0;
}

int schema_read_prisma(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    for (size_t i = 0; i < dir->files.n; i++) {
        char hex[SHA256_HEX_SIZE];
        _cleanup_free_ char *folder = folder_of(dir->files.v[i], "migration.sql");
        _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
        if (folder == NULL)
            continue;
        if (schema_read_file(dir->dir, dir->files.v[i], &text, err) < 0)
            return -1;
        sha256_hex(text.data, text.len, hex);
        schema_history_add(ret, folder, NULL)->checksum = xstrdup(hex);
    }
    return 0;
}
