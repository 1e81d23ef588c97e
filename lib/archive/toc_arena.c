#include <stdalign.h>
#include <string.h>

#include "kura/mem.h"
#include "toc_priv.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 256 * 1024 };

typedef struct ArenaBlock {
    struct ArenaBlock *before;
    max_align_t data[];
} ArenaBlock;

TocArena *arena_new(void)
{
    TocArena *arena = xcalloc(1, sizeof *arena);
    arena->block_size = FIRST_BLOCK;
    return arena;
}

void arena_free(TocArena *arena)
{
    if (arena == NULL)
        return;
    while (arena->block) {
        ArenaBlock *before = arena->block->before;
        free(arena->block);
        arena->block = before;
    }
    free(arena);
}

/* Sizes come from lengths that were checked against the input, so that adding a header to one cannot overflow. */
static ArenaBlock *new_block(size_t size)
{
    ArenaBlock *block = xmalloc(sizeof *block + size);
    block->before = NULL;
    return block;
}

/* A large piece gets a block of its own, put below the newest one, whose room stays in use. */
static void *give_large(TocArena *arena, size_t size)
{
    ArenaBlock *block = new_block(size);
    if (arena->block) {
        block->before = arena->block->before;
        arena->block->before = block;
    } else {
        arena->block = block;
    }
    return block->data;
}

static void *give(TocArena *arena, size_t size, size_t alignment)
{
    size_t gap = -(uintptr_t)arena->next & (alignment - 1);
    if (arena->room < gap || arena->room - gap < size) {
        if (size > arena->block_size / 4)
            return give_large(arena, size);
        ArenaBlock *block = new_block(arena->block_size);
        block->before = arena->block;
        arena->block = block;
        arena->next = (uint8_t *)block->data;
        arena->room = arena->block_size;
        if (arena->block_size < LARGEST_BLOCK)
            arena->block_size *= 2;
        gap = 0;
    }
    uint8_t *result = arena->next + gap;
    arena->next = result + size;
    arena->room -= gap + size;
    return result;
}

void *arena_array(TocArena *arena, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *array = give(arena, count * size, alignof(max_align_t));
    memset(array, 0, count * size);
    return array;
}

char *arena_strndup(TocArena *arena, const void *text, size_t len)
{
    char *copy = give(arena, len + 1, 1);
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}
