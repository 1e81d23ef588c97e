#include "kura/words.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN "kura"

const char *words_get(const char *text)
{
    /* the translation of "" is the catalogue's own header */
    return text == NULL || text[0] == 0 ? text : gettext(text);
}

void words_init(const char *localedir)
{
    /* names of files and tables are UTF-8 whatever cron's locale says */
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_MESSAGES, "");
    const char *elsewhere = secure_getenv("KURA_LOCALEDIR");
    bindtextdomain(DOMAIN, elsewhere ? elsewhere : localedir);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}
