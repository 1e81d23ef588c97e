/* Interned names: a hash table of texts with open addressing. */
#include <string.h>

#include "index.h"
#include "kura/mem.h"
#include "kura/owned.h"

struct OwnNames {
    char **slots; /* NULL: free */
    size_t n, cap;
};

uint64_t own_hash(const char *text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash ^ hash >> 32;
}

OwnNames *own_names_new(void)
{
    OwnNames *names = xcalloc(1, sizeof *names);
    names->cap = 1024;
    names->slots = xcalloc(names->cap, sizeof *names->slots);
    return names;
}

void own_names_free(OwnNames *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->cap; i++)
        free(names->slots[i]);
    free(names->slots);
    free(names);
}

/* The slot that holds text, or the free one where it belongs. */
static size_t find_slot(char *const *slots, size_t cap, const char *text)
{
    size_t i = own_hash(text) % cap;
    while (slots[i] && strcmp(slots[i], text) != 0)
        i = (i + 1) % cap;
    return i;
}

static void grow(OwnNames *names)
{
    size_t cap = names->cap * 2;
    char **slots = xcalloc(cap, sizeof *slots);
    for (size_t i = 0; i < names->cap; i++)
        if (names->slots[i])
            slots[find_slot(slots, cap, names->slots[i])] = names->slots[i];
    free(names->slots);
    names->slots = slots;
    names->cap = cap;
}

const char *own_name(OwnNames *names, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t slot = find_slot(names->slots, names->cap, text);
    if (names->slots[slot])
        return names->slots[slot];
    if (++names->n > names->cap / 2) {
        grow(names);
        slot = find_slot(names->slots, names->cap, text);
    }
    return names->slots[slot] = xstrdup(text);
}
