#include <string.h>

#include "header_priv.h"
#include "kura/words.h"

enum { SHOWN_MAX = 3 }; /* in one message */

bool recipients_contain(const AgeRecipient *list, size_t n, const AgeRecipient *recipient)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(list[i].key, recipient->key, sizeof recipient->key) == 0)
            return true;
    return false;
}

bool recipients_equal(const AgeRecipient *a, size_t n_a, const AgeRecipient *b, size_t n_b)
{
    for (size_t i = 0; i < n_a && n_a == n_b; i++)
        if (!recipients_contain(b, n_b, &a[i]))
            return false;
    return n_a == n_b;
}

char *recipients_text(const AgeRecipient *list, size_t n)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        char one[AGE_RECIPIENT_SIZE];
        age_recipient_format(&list[i], one);
        char *longer = xasprintf("%s%s%s", text, i ? ", " : "", one);
        free(text);
        text = longer;
    }
    if (n <= SHOWN_MAX)
        return text;
    char *longer = xasprintf(_("%s and %zu more"), text, n - SHOWN_MAX);
    free(text);
    return longer;
}
