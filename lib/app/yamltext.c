#include "yamltext.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/text.h"
#include "kura/words.h"

enum { REFERENCES_MAX = 2000 };

size_t yaml_text_byte(const YamlText *yaml, yaml_mark_t mark)
{
    return yaml->skipped + yaml->bytes[mark.index < yaml->n_characters ? mark.index : yaml->n_characters];
}

int yaml_text_refuse(YamlText *yaml, yaml_mark_t mark, const char *what)
{
    return settings_error(yaml->input, yaml_text_byte(yaml, mark), what, yaml->err);
}

/* ---- characters ---- */

/* libyaml counts characters, a place is told in bytes. Line breaks that YAML 1.1 knows and 1.2 does not are refused. */
static int index_characters(YamlText *yaml)
{
    const char *text = yaml->input->text + yaml->skipped;
    size_t len = yaml->input->len - yaml->skipped, n = 0, width;
    uint32_t c = 0;
    yaml->bytes = xreallocarray(NULL, len + 1, sizeof *yaml->bytes);
    for (size_t i = 0; i < len; i += width) {
        yaml->bytes[n++] = i;
        width = utf8_decode(text + i, &c);
        if (width == 0 || c == 0)
            return settings_error(yaml->input, i, "this is no UTF-8 text", yaml->err);
        if (c == 0x85 || c == 0x2028 || c == 0x2029)
            return settings_error(yaml->input, i, "versions of YAML differ about a character of this line", yaml->err);
    }
    yaml->bytes[n] = len;
    yaml->n_characters = n;
    return 0;
}

/* ---- what is refused before anything is built of it ---- */

void yaml_text_parser(YamlText *yaml, yaml_parser_t *parser)
{
    if (!yaml_parser_initialize(parser))
        abort(); /* no memory */
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)yaml->input->text + yaml->skipped,
                                 yaml->input->len - yaml->skipped);
}

int yaml_text_refuse_syntax(YamlText *yaml, const yaml_parser_t *parser)
{
    _cleanup_free_ char *what = xasprintf(_("invalid YAML: %s"), parser->problem ? parser->problem : strerror(ENOMEM));
    return yaml_text_refuse(yaml, parser->problem_mark, what);
}

/* Whether a comment stands right behind the head of a block of text, which not every library takes for one. */
static bool has_glued_comment(const YamlText *yaml, const yaml_token_t *token)
{
    const char *head = yaml->input->text + yaml_text_byte(yaml, token->start_mark);
    if (token->data.scalar.style != YAML_LITERAL_SCALAR_STYLE && token->data.scalar.style != YAML_FOLDED_SCALAR_STYLE)
        return false;
    return head[1 + strspn(head + 1, "+-123456789")] == '#';
}

/* Whether a list in a list, begun on the same line, has an empty item: js-yaml takes the next line's item into the
 * inner one. last: the three tokens before. */
static bool is_empty_inner_item(const yaml_token_type_t last[3], yaml_token_type_t type)
{
    return last[0] == YAML_BLOCK_ENTRY_TOKEN && last[1] == YAML_BLOCK_SEQUENCE_START_TOKEN &&
           last[2] == YAML_BLOCK_ENTRY_TOKEN && (type == YAML_BLOCK_ENTRY_TOKEN || type == YAML_BLOCK_END_TOKEN);
}

typedef struct Check {
    int depth;
    size_t references;         /* anchors and aliases: for each libyaml looks through all anchors */
    yaml_token_type_t last[3]; /* tokens before */
} Check;

static int check_token(YamlText *yaml, const yaml_token_t *token, Check *check)
{
    yaml_token_type_t *last = check->last;
    if (is_empty_inner_item(last, token->type))
        return yaml_text_refuse(yaml, token->start_mark, "libraries differ about an empty item of a list");
    last[0] = last[1];
    last[1] = last[2];
    last[2] = token->type;
    switch (token->type) {
    case YAML_SCALAR_TOKEN:
        return has_glued_comment(yaml, token)
                   ? yaml_text_refuse(yaml, token->start_mark, "a comment needs a space before it")
                   : 0;
    case YAML_ANCHOR_TOKEN:
    case YAML_ALIAS_TOKEN:
        return ++check->references > REFERENCES_MAX
                   ? yaml_text_refuse(yaml, token->start_mark, "there are too many anchors and aliases")
                   : 0;
    case YAML_TAG_TOKEN:
    case YAML_TAG_DIRECTIVE_TOKEN:
        return yaml_text_refuse(yaml, token->start_mark, "tags are not read");
    case YAML_BLOCK_SEQUENCE_START_TOKEN:
    case YAML_BLOCK_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN:
    case YAML_FLOW_MAPPING_START_TOKEN:
        if (++check->depth > SETTINGS_DEPTH)
            return yaml_text_refuse(yaml, token->start_mark, "values are nested too deeply");
        return 0;
    case YAML_BLOCK_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN:
    case YAML_FLOW_MAPPING_END_TOKEN:
        --check->depth;
        return 0;
    default:
        return 0;
    }
}

int yaml_text_check(YamlText *yaml)
{
    yaml_parser_t parser;
    yaml_token_t token;
    Check check = {.last = {YAML_NO_TOKEN, YAML_NO_TOKEN, YAML_NO_TOKEN}};
    int rc = 0;
    bool end = false;
    yaml_text_parser(yaml, &parser);
    while (rc == 0 && !end) {
        if (!yaml_parser_scan(&parser, &token)) {
            rc = yaml_text_refuse_syntax(yaml, &parser);
            break;
        }
        end = token.type == YAML_STREAM_END_TOKEN;
        rc = check_token(yaml, &token, &check);
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int yaml_text_begin(YamlText *yaml, SettingsInput *input, Error *err)
{
    *yaml = (YamlText){.input = input, .err = err};
    if (input->len >= 3 && memcmp(input->text, "\xef\xbb\xbf", 3) == 0)
        yaml->skipped = 3;
    return index_characters(yaml);
}

void yaml_text_done(YamlText *yaml)
{
    free(yaml->bytes);
}
