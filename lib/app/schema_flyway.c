/* Flyway: V<version>__<words>.sql once, R__<words>.sql whenever its text changes. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "kura/mem.h"
#include "schema_priv.h"

static const char mark[] = "\xef\xbb\xbf"; /* U+FEFF in UTF-8 */

int32_t schema_flyway_checksum(const void *data, size_t len)
{
    const uint8_t *text = data;
    uLong sum = crc32(0, NULL, 0);
    size_t at = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    while (at < len) {
        size_t end = at;
        while (end < len && text[end] != '\n' && text[end] != '\r')
            end++;
        sum = crc32_z(sum, text + at, end - at);
        at = end + 1; /* between \r and \n of one line there is an empty one, which adds nothing */
    }
    return (int32_t)(uint32_t)sum;
}

/* Numbers parted by dots; zeros at the end mean nothing. */
char *schema_flyway_version(const char *text, size_t len)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(1024);
    size_t keep = 0;
    for (size_t at = 0; at <= len;) {
        size_t digits = strspn(text + at, "0123456789");
        if (digits == 0 || at + digits > len || (at + digits < len && !strchr("._", text[at + digits])))
            return NULL;
        _cleanup_free_ char *number = schema_number(text + at, digits);
        if (buf_printf(&out, NULL, "%s%s", at > 0 ? "." : "", number) < 0)
            return NULL;
        if (at == 0 || strcmp(number, "0") != 0)
            keep = out.len;
        at += digits + 1;
    }
    return xstrndup(buf_str(&out), keep);
}

static char *part(const char **at)
{
    size_t len = strcspn(*at, ".");
    char *number = xstrndup(*at, len);
    *at += len + ((*at)[len] == '.');
    return number;
}

int schema_flyway_version_compare(const char *a, const char *b)
{
    while (*a || *b) {
        _cleanup_free_ char *of_a = *a ? part(&a) : xstrdup("0"), *of_b = *b ? part(&b) : xstrdup("0");
        int order = schema_number_compare(of_a, of_b);
        if (order != 0)
            return order;
    }
    return 0;
}

static char *words_of(const char *from, size_t len)
{
    char *words = xstrndup(from, len);
    for (char *at = words; *at; at++)
        if (*at == '_')
            *at = ' ';
    return words;
}

/* Placeholders may have any value, and are a part of the text that is summed. */
static bool may_compare(const Buf *text, bool again)
{
    return !again || strstr(buf_str(text), "${") == NULL;
}

static int add_migration(const SchemaDir *dir, const char *path, const char *id, bool again, SchemaHistory *ret,
                         Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
    if (schema_read_file(dir->dir, path, &text, err) < 0)
        return -1;
    SchemaMigration *made = schema_history_add(ret, id, schema_basename(path));
    made->again = again;
    if (may_compare(&text, again))
        made->checksum = xasprintf("%d", schema_flyway_checksum(text.data, text.len));
    return 0;
}

int schema_read_flyway(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    for (size_t i = 0; i < dir->files.n; i++) {
        const char *name = schema_basename(dir->files.v[i]), *words = strstr(name, "__"), *end = strrchr(name, '.');
        if (words == NULL || end == NULL || end < words || strcmp(end, ".sql") != 0)
            continue;
        _cleanup_free_ char *id = NULL;
        if (name[0] == 'V')
            id = schema_flyway_version(name + 1, (size_t)(words - name - 1));
        else if (name[0] == 'R' && words == name + 1) {
            _cleanup_free_ char *text = words_of(words + 2, (size_t)(end - words - 2));
            id = xasprintf("R %s", text);
        }
        if (id && add_migration(dir, dir->files.v[i], id, name[0] == 'R', ret, err) < 0)
            return -1;
    }
    return 0;
}
