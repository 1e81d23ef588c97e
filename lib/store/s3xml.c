#include "s3xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#include "kura/buf.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { DEPTH_MAX = 16, PATH_SIZE = 256, TEXT_MAX = 16 * 1024, NAME_SHOWN = 40 };

typedef struct Parse {
    XML_Parser parser;
    char path[PATH_SIZE];
    size_t ends[DEPTH_MAX]; /* length of the path without the element of this level */
    size_t depth;
    Buf text;
    S3XmlElement element;
    void *ctx;
    Error *err;
    bool failed; /* err says why */
} Parse;

static void end_parse(Parse *parse)
{
    parse->failed = true;
    XML_StopParser(parse->parser, XML_FALSE);
}

static void refuse(Parse *parse, const char *why)
{
    if (parse->failed)
        return;
    error_set(parse->err, ERR_CORRUPT, "%s", words_get(why));
    end_parse(parse);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    Parse *parse = arg;
    const char *colon = strchr(name, ':');
    const char *local = colon ? colon + 1 : name;
    size_t used = strlen(parse->path), len = strlen(local), slash = used > 0;
    if (parse->failed)
        return;
    if (parse->depth == DEPTH_MAX || len >= sizeof parse->path - used - slash) {
        refuse(parse, N_("the server's XML answer is nested too deeply"));
        return;
    }
    parse->ends[parse->depth++] = used;
    if (slash)
        parse->path[used] = '/';
    memcpy(parse->path + used + slash, local, len + 1);
    buf_clear(&parse->text);
}

static void on_text(void *arg, const XML_Char *text, int len)
{
    Parse *parse = arg;
    if (!parse->failed && buf_append(&parse->text, text, (size_t)len, NULL) < 0)
        refuse(parse, N_("the server's XML answer holds a text that is too long"));
}

static void on_end(void *arg, const XML_Char *name)
{
    (void)name;
    Parse *parse = arg;
    if (parse->failed)
        return;
    if (parse->element(parse->ctx, parse->path, buf_str(&parse->text), parse->err) < 0) {
        end_parse(parse);
        return;
    }
    parse->path[parse->ends[--parse->depth]] = 0;
    buf_clear(&parse->text);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
                       int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(arg, N_("the server's XML answer declares a document type"));
}

int s3xml_parse(const void *data, size_t len, S3XmlElement element, void *ctx, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(TEXT_MAX);
    Parse parse = {.text = text, .element = element, .ctx = ctx, .err = err};
    if (len > INT_MAX)
        return error_set(err, ERR_CORRUPT, "the server's XML answer is too long");
    parse.parser = XML_ParserCreate(NULL);
    if (parse.parser == NULL)
        abort();
    XML_SetUserData(parse.parser, &parse);
    XML_SetElementHandler(parse.parser, on_start, on_end);
    XML_SetCharacterDataHandler(parse.parser, on_text);
    XML_SetStartDoctypeDeclHandler(parse.parser, on_doctype);
    bool ok = XML_Parse(parse.parser, data, (int)len, XML_TRUE) == XML_STATUS_OK;
    if (!ok && !parse.failed)
        error_set(err, ERR_CORRUPT, "the server's XML answer is not well-formed (line %lu: %s)",
                  (unsigned long)XML_GetCurrentLineNumber(parse.parser),
                  XML_ErrorString(XML_GetErrorCode(parse.parser)));
    XML_ParserFree(parse.parser);
    text = parse.text;
    return ok && !parse.failed ? 0 : -1;
}
