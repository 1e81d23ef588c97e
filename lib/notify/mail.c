#include "kura/mail.h"

#include <ctype.h>
#include <string.h>

#include "kura/text.h"

#define WORD_BEGINS "=?UTF-8?Q?"
#define WORD_ENDS "?="
enum { SUBJECT_MAX = 200, WORD_MAX = 75 }; /* an encoded word of RFC 2047 is no longer */

int mail_check_address(const char *address, Error *err)
{
    bool plain = address[0] != 0 && address[0] != '-';
    for (const char *p = address; *p; p++)
        plain = plain && isgraph((unsigned char)*p) && strchr(",;:<>()[]\"\\", *p) == NULL;
    return plain ? 0 : error_set(err, ERR_USAGE, "\"%.100s\" is no plain mail address", address);
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text > '~')
            return false;
    return true;
}

static void add_plain(Buf *out, const char *subject)
{
    for (size_t i = 0; subject[i] && i < SUBJECT_MAX; i++)
        buf_printf(out, NULL, "%c", isprint((unsigned char)subject[i]) ? subject[i] : '?');
}

/* A character of an encoded word; its length in subject. */
static size_t add_encoded(Buf *out, const char *subject)
{
    size_t len = text_plain(subject);
    if (len == 0) {
        buf_append_str(out, "=3F", NULL);
        return 1;
    }
    bool bare = isgraph((unsigned char)*subject) && strchr("=?_", *subject) == NULL;
    for (size_t i = 0; i < len; i++)
        buf_printf(out, NULL, bare ? "%c" : "=%02X", (unsigned char)subject[i]);
    return len;
}

/* In encoded words, each on a line of its own; none ends within a character. */
static void add_words(Buf *out, const char *subject)
{
    size_t used = 0;
    buf_append_str(out, WORD_BEGINS, NULL);
    for (size_t i = 0; subject[i] && i < SUBJECT_MAX;) {
        Buf character = BUF_INIT(64);
        i += add_encoded(&character, subject + i);
        used += character.len;
        if (used > WORD_MAX - strlen(WORD_BEGINS WORD_ENDS)) {
            buf_append_str(out, WORD_ENDS "\n " WORD_BEGINS, NULL);
            used = character.len;
        }
        buf_append_str(out, buf_str(&character), NULL);
        buf_done(&character);
    }
    buf_append_str(out, WORD_ENDS, NULL);
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
    (is_ascii(subject) ? add_plain : add_words)(out, subject);
    return buf_printf(out, err,
                      "\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
                      "Content-Transfer-Encoding: 8bit\n\n%s",
                      text);
}
