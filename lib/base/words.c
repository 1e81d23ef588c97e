#include "kura/words.h"

#include <locale.h>
#include <stdlib.h>

#define DOMAIN "kura"

const char *words_get(const char *text)
{
    /* the translation of "" is the catalogue's own header */
    return text == NULL || text[0] == 0 ? text : gettext(text);
}

void words_init(const char *localedir)
{
    /* Names of files and tables are UTF-8 whatever cron's locale says, and keywords have the same small and capital
     * letters everywhere: to a Turkish locale the "I" of "FIRST" is not that of "first". */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    const char *elsewhere = secure_getenv("KURA_LOCALEDIR");
    bindtextdomain(DOMAIN, elsewhere ? elsewhere : localedir);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}
