/* Memory. Small allocations never fail: when the system has no memory left the process aborts, which a repository
 * survives by design (a backup exists only once its manifest does). Sizes that come from outside are checked against a
 * limit before they get here. */
#ifndef KURA_MEM_H
#define KURA_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* As malloc, calloc, realloc (for an array), strdup, strndup, asprintf; they abort instead of returning NULL. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull, nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull, nonnull));
char *xasprintf(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((malloc, returns_nonnull, format(printf, 1, 0)));
/* A copy of text, or NULL for NULL. */
char *xstrdup_null(const char *text);

/* Makes room for one more element in a growing array: xgrow(&array, &capacity, count). */
#define xgrow(array, capacity, count)                                                                                  \
    do {                                                                                                               \
        if ((count) >= *(capacity)) {                                                                                  \
            *(capacity) = *(capacity) ? *(capacity)*2 : 8;                                                             \
            *(array) = xreallocarray(*(array), *(capacity), sizeof **(array));                                         \
        }                                                                                                              \
    } while (0)

/* _cleanup_(f): calls f(&variable) when the variable goes out of scope. */
#define _cleanup_(f) __attribute__((cleanup(f)))
void free_ptr(void *ptr_to_ptr);
void close_fd(int *fd); /* closes a descriptor >= 0 */
#define _cleanup_free_ _cleanup_(free_ptr)
#define _cleanup_close_ _cleanup_(close_fd)

/* Takes the value out of a variable with a cleanup attribute: return steal(x). */
#define steal(ptr)                                                                                                     \
    __extension__({                                                                                                    \
        __typeof__(ptr) *steal_from_ = &(ptr);                                                                         \
        __typeof__(ptr) steal_value_ = *steal_from_;                                                                   \
        *steal_from_ = NULL;                                                                                           \
        steal_value_;                                                                                                  \
    })

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* DEFINE_CLEANUP(Toc, toc_free) defines toc_free_cleanup(Toc **), for _cleanup_(toc_free_cleanup). */
#define DEFINE_CLEANUP(type, func)                                                                                     \
    static inline void func##_cleanup(type **ptr)                                                                      \
    {                                                                                                                  \
        func(*ptr);                                                                                                    \
    }

#endif
