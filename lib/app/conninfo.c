#include "kura/mem.h"
#include "site.h"
#include "wipe.h"

/* libpq's quoting: quotes and backslashes get a backslash. */
static void append(Buf *out, const char *keyword, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, NULL, "%s%s='", out->len ? " " : "", keyword);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            buf_append(out, "\\", 1, NULL);
        buf_append(out, value, 1, NULL);
    }
    buf_append(out, "'", 1, NULL);
}

char *app_conninfo(const AppServer *server, bool with_password)
{
    Buf out = BUF_INIT(SIZE_MAX / 2);
    append(&out, "host", server->host);
    append(&out, "port", server->port);
    append(&out, "dbname", server->database);
    append(&out, "user", server->user);
    if (with_password)
        append(&out, "password", server->password);
    append(&out, "sslmode", server->sslmode);
    char *ret = xstrdup(buf_str(&out));
    secret_buf_done(&out);
    return ret;
}
