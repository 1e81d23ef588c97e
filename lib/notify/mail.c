#include "kura/mail.h"

#include <ctype.h>
#include <string.h>

enum { SUBJECT_MAX = 200 };

int mail_check_address(const char *address, Error *err)
{
    bool plain = address[0] != 0 && address[0] != '-';
    for (const char *p = address; *p; p++)
        plain = plain && isgraph((unsigned char)*p) && strchr(",;:<>()[]\"\\", *p) == NULL;
    return plain ? 0 : error_set(err, ERR_USAGE, "\"%.100s\" is no plain mail address", address);
}

static void add_subject(Buf *out, const char *subject)
{
    for (size_t i = 0; subject[i] && i < SUBJECT_MAX; i++)
        buf_printf(out, NULL, "%c", isprint((unsigned char)subject[i]) ? subject[i] : '?');
}

int mail_format(const StrVec *to, const char *subject, const char *text, Buf *out, Error *err)
{
    buf_append_str(out, "To: ", NULL);
    for (size_t i = 0; i < to->n; i++) {
        if (mail_check_address(to->v[i], err) < 0)
            return -1;
        buf_printf(out, NULL, "%s%s", i ? ", " : "", to->v[i]);
    }
    buf_append_str(out, "\nSubject: ", NULL);
    add_subject(out, subject);
    return buf_printf(out, err,
                      "\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                      "Content-Transfer-Encoding: 8bit\n\n%s",
                      text);
}
