#include "kura/mem.h"
#include "site.h"
#include "wipe.h"

/* libpq's quoting: quotes and backslashes get a backslash. */
void conninfo_append(Buf *out, const char *keyword, const char *value)
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
    conninfo_append(&out, "host", server->host);
    conninfo_append(&out, "port", server->port);
    conninfo_append(&out, "dbname", server->database);
    conninfo_append(&out, "user", server->user);
    if (with_password)
        conninfo_append(&out, "password", server->password);
    conninfo_append(&out, "sslmode", server->sslmode);
    if (server->tls)
        buf_printf(&out, NULL, " %s", server->tls);
    char *ret = xstrdup(buf_str(&out));
    secret_buf_done(&out);
    return ret;
}
