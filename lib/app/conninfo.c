#include "kura/app.h"
#include "kura/mem.h"

/* Each value in quotes, whatever is in it. */
static void add(Buf *out, const char *key, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, NULL, "%s%s='", out->len ? " " : "", key);
    for (; *value; value++)
        buf_printf(out, NULL, "%s%c", *value == '\'' || *value == '\\' ? "\\" : "", *value);
    buf_append_str(out, "'", NULL);
}

char *app_conninfo(const AppServer *server, bool with_password)
{
    Buf out = BUF_INIT(1 << 20);
    add(&out, "host", server->host);
    add(&out, "port", server->port);
    add(&out, "dbname", server->database);
    add(&out, "user", server->user);
    add(&out, "sslmode", server->sslmode);
    if (with_password)
        add(&out, "password", server->password);
    buf_append_str(&out, "", NULL);
    return (char *)out.data;
}
