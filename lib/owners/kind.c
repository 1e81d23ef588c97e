#include <string.h>

#include "kura/mem.h"
#include "kura/owned.h"

const OwnKindSpec own_kinds[OWN_KIND_COUNT] = {
#define OWN_KIND(id, alter, class_name, grant, toc, rights, everybody)                                                 \
    [OWN_##id] = {alter, class_name, grant, toc, rights, everybody},
#include "kura/ownkinds.def"
#undef OWN_KIND
};

static const struct {
    char letter;
    const char *name;
} rights[] = {{'r', "SELECT"},     {'a', "INSERT"},  {'w', "UPDATE"},  {'d', "DELETE"}, {'D', "TRUNCATE"},
              {'x', "REFERENCES"}, {'t', "TRIGGER"}, {'X', "EXECUTE"}, {'U', "USAGE"},  {'C', "CREATE"},
              {'T', "TEMPORARY"},  {'c', "CONNECT"}, {'m', "MAINTAIN"}};

enum { MAINTAIN_SINCE = 170000 };

OwnKind own_kind_find(const char *word)
{
    for (size_t i = 0; i < OWN_KIND_COUNT; i++)
        if (own_kinds[i].alter && strcmp(own_kinds[i].alter, word) == 0)
            return (OwnKind)i;
    return OWN_KIND_COUNT;
}

uint32_t own_right(char letter)
{
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (rights[i].letter == letter)
            return 1u << i;
    return 0;
}

const char *own_right_name(size_t bit)
{
    return bit < ARRAY_SIZE(rights) ? rights[bit].name : NULL;
}

uint32_t own_rights(OwnKind kind, bool column, int server_version)
{
    uint32_t all = 0;
    for (const char *letter = column ? "arwx" : own_kinds[kind].rights; *letter; letter++)
        if (*letter != 'm' || server_version >= MAINTAIN_SINCE)
            all |= own_right(*letter);
    return all;
}

char *own_rights_text(uint32_t held, uint32_t all)
{
    if (held == all)
        return xstrdup("ALL");
    Buf out = BUF_INIT(1024);
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        if (held & 1u << i)
            buf_printf(&out, NULL, "%s%s", out.len ? ", " : "", rights[i].name);
    return out.len ? (char *)out.data : xstrdup("");
}
