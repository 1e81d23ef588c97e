/* Reading: the grammar of age-encryption.org/v1 and nothing beside it. Stanzas of types that kura does not know are
 * checked for their form and skipped; programs put meaningless ones there on purpose, so that readers stay able to. */
#include "header.h"

#include <string.h>

#include "base64.h"
#include "kura/words.h"

typedef struct Span {
    const char *text;
    size_t len;
} Span;

typedef struct Cursor {
    Span left;
    bool cut; /* the data goes on past AGE_HEADER_MAX */
} Cursor;

static int damaged(Error *err, const char *what)
{
    return error_set(err, ERR_CORRUPT, "the age header is damaged: %s", what);
}

static int ends_early(Error *err)
{
    return error_set(err, ERR_TRUNCATED, "the age header ends too early");
}

static bool begins_with(Span span, const char *prefix)
{
    size_t len = strlen(prefix);
    return span.len >= len && memcmp(span.text, prefix, len) == 0;
}

static bool is(Span span, const char *text)
{
    return span.len == strlen(text) && begins_with(span, text);
}

static int check_version(Span data, Error *err)
{
    if (begins_with(data, AGE_VERSION_LINE))
        return 0;
    if (data.len == 0 || (data.len < strlen(AGE_VERSION_LINE) && memcmp(data.text, AGE_VERSION_LINE, data.len) == 0))
        return ends_early(err);
    if (begins_with(data, "-----BEGIN AGE ENCRYPTED FILE-----")) {
        error_set(err, ERR_UNSUPPORTED, "the file is in age's text form (armor)");
        return error_hint(err, "Decrypt it with age, or encrypt it again without \"--armor\".");
    }
    if (begins_with(data, "age-encryption.org/v") && !begins_with(data, "age-encryption.org/v1\r"))
        return error_set(err, ERR_UNSUPPORTED, "the file is of another version of age's format than v1");
    return error_set(err, ERR_CORRUPT, "it is not an age file");
}

/* ret: the line without its newline. */
static int next_line(Cursor *cursor, Span *ret, Error *err)
{
    const char *end = memchr(cursor->left.text, '\n', cursor->left.len);
    if (end == NULL && cursor->cut)
        return error_set(err, ERR_UNSUPPORTED, "the age header is longer than %d bytes", AGE_HEADER_MAX);
    if (end == NULL)
        return ends_early(err);
    *ret = (Span){cursor->left.text, (size_t)(end - cursor->left.text)};
    cursor->left.text += ret->len + 1;
    cursor->left.len -= ret->len + 1;
    return 0;
}

/* One or more arguments between single spaces; ret_type is the first. */
static int parse_arguments(Span args, Span *ret_type, Error *err)
{
    char before = ' ';
    for (size_t i = 0; i < args.len; i++) {
        char c = args.text[i];
        if (c == ' ' ? before == ' ' : c < 0x21 || c > 0x7e)
            return damaged(err, _("the arguments of a recipient are malformed"));
        before = c;
    }
    if (before == ' ')
        return damaged(err, _("an argument of a recipient is empty"));
    const char *space = memchr(args.text, ' ', args.len);
    *ret_type = (Span){args.text, space ? (size_t)(space - args.text) : args.len};
    return 0;
}

/* Lines of 64 characters, then a shorter one, which may be empty. Only the first line's bytes are kept. */
static int parse_body(Cursor *cursor, uint8_t ret[BASE64_BYTES], size_t *ret_len, Error *err)
{
    uint8_t more[BASE64_BYTES];
    size_t total = 0, n;
    Span line;
    do {
        if (next_line(cursor, &line, err) < 0)
            return -1;
        if (!base64_decode(line.text, line.len, total == 0 ? ret : more, &n))
            return damaged(err, _("the body of a recipient is malformed"));
        total += n;
    } while (line.len == BASE64_CHARS);
    *ret_len = total;
    return 0;
}

static int take_x25519(Header *header, Span args, const uint8_t *body, size_t len, Error *err)
{
    const size_t before = strlen("X25519 ");
    uint8_t share[BASE64_BYTES];
    size_t share_len;
    if (args.len < before || !base64_decode(args.text + before, args.len - before, share, &share_len) ||
        share_len != KEY_SIZE || len != WRAPPED_SIZE || header->n == HEADER_STANZAS_MAX)
        return damaged(err, _("a recipient of type X25519 is malformed"));
    Stanza *stanza = &header->stanza[header->n++];
    memcpy(stanza->share, share, KEY_SIZE);
    memcpy(stanza->body, body, WRAPPED_SIZE);
    return 0;
}

static void take_foreign(Header *header, Span type)
{
    if (header->n_foreign++ == 0)
        memcpy(header->foreign, type.text, type.len < sizeof header->foreign ? type.len : sizeof header->foreign - 1);
}

/* A passphrase authenticates who wrote the file; that would be lost if other recipients could stand beside it. */
static int check_scrypt(const Header *header, bool scrypt, Error *err)
{
    if (scrypt && header->n + header->n_foreign > 1)
        return damaged(err, _("there is another recipient beside a passphrase"));
    return 0;
}

static int parse_stanza(Cursor *cursor, Span args, Header *header, bool *scrypt, Error *err)
{
    uint8_t body[BASE64_BYTES];
    size_t len = 0;
    Span type = {0};
    if (parse_arguments(args, &type, err) < 0 || parse_body(cursor, body, &len, err) < 0)
        return -1;
    if (is(type, "X25519"))
        return take_x25519(header, args, body, len, err);
    *scrypt |= is(type, "scrypt");
    take_foreign(header, type);
    return 0;
}

static int parse_mac(Span line, Header *header, Error *err)
{
    uint8_t mac[BASE64_BYTES];
    size_t len;
    if (header->n + header->n_foreign == 0)
        return damaged(err, _("there is no recipient"));
    if (!base64_decode(line.text, line.len, mac, &len) || len != KEY_SIZE)
        return damaged(err, _("its authentication code is malformed"));
    memcpy(header->mac, mac, KEY_SIZE);
    return 0;
}

int header_parse(const uint8_t *data, size_t len, Header *ret, Error *err)
{
    const bool cut = len > AGE_HEADER_MAX;
    Cursor cursor = {{(const char *)data, cut ? AGE_HEADER_MAX : len}, cut};
    bool scrypt = false;
    Span line;
    *ret = (Header){0};
    if (check_version(cursor.left, err) < 0 || next_line(&cursor, &line, err) < 0)
        return -1;
    for (;;) {
        if (next_line(&cursor, &line, err) < 0)
            return -1;
        if (begins_with(line, "--- "))
            break;
        if (!begins_with(line, "-> "))
            return damaged(err, _("a line is neither a recipient nor the authentication code"));
        if (parse_stanza(&cursor, (Span){line.text + 3, line.len - 3}, ret, &scrypt, err) < 0)
            return -1;
    }
    ret->mac_covers = (size_t)(line.text - (const char *)data) + strlen("---");
    ret->size = (size_t)(cursor.left.text - (const char *)data);
    if (parse_mac((Span){line.text + 4, line.len - 4}, ret, err) < 0)
        return -1;
    return check_scrypt(ret, scrypt, err);
}
