#include "wayback.h"

#include "redact.h"
#include "text.h"

static void add_option(Buf *out, const Options *options, OptionId id)
{
    const StrVec *list = options_list(options, id);
    for (size_t i = 0; i < list->n && options->values[id].source == SOURCE_COMMAND_LINE; i++) {
        _cleanup_free_ char *text = text_shell_word(list->v[i]);
        buf_printf(out, NULL, " --%s %s", option_specs[id].name, text);
    }
}

/* The application's own database, or the one that was named. */
static void add_target(Buf *out, const Session *session)
{
    const char *db = options_text(session->options, OPT_DB);
    if (session->site) {
        _cleanup_free_ char *dir = text_shell_word(session->site->dir);
        buf_printf(out, NULL, " --app-dir %s", dir);
    }
    if (db) {
        _cleanup_free_ char *shown = redact_conninfo(db), *text = text_shell_word(shown);
        buf_printf(out, NULL, " --db %s", text);
    }
}

char *wayback_undo(const Session *session)
{
    _cleanup_(buf_done) Buf line = BUF_INIT(64 * 1024);
    buf_append_str(&line, "kura undo", NULL);
    add_target(&line, session);
    return xstrdup(buf_str(&line));
}

char *wayback_line(const Session *session, const char *backup, bool sealed)
{
    static const OptionId ids[] = {OPT_CONFIG, OPT_REPO, OPT_APP, OPT_PROFILE, OPT_IDENTITY};
    _cleanup_(buf_done) Buf line = BUF_INIT(64 * 1024);
    const Options *options = session->options;
    buf_printf(&line, NULL, "kura restore %s --swap --only db", backup);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        add_option(&line, options, ids[i]);
    if (sealed && !options_given(options, OPT_IDENTITY))
        buf_append_str(&line, " --identity FILE", NULL);
    add_target(&line, session);
    return xstrdup(buf_str(&line));
}
