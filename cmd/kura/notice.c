#include "notice.h"

#include <unistd.h>

#include "kura/program.h"
#include "kura/text.h"
#include "kura/words.h"
#include "text.h"

enum { HOST_MAX = 256, HINT_ROOM = 1024 };

const char *notice_word(int status)
{
    return status == 0 ? N_("success") : status == error_exit_status(ERR_FINDINGS) ? N_("warning") : N_("failure");
}

char *notice_subject(const Session *session, int status)
{
    char host[HOST_MAX] = "";
    const char *app = options_text(session->options, OPT_APP);
    gethostname(host, sizeof host - 1);
    const char *command = session->options->command->name, *word = words_get(notice_word(status));
    return app ? xasprintf(_("kura: %s of %s on %s: %s"), command, app, host, word)
               : xasprintf(_("kura: %s on %s: %s"), command, host, word);
}

/* What does not fit is left out: the buffer refuses it. */
static void add_line(Buf *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == 0)
        return;
    _cleanup_free_ char *plain = text_message(text);
    buf_printf(out, NULL, "%s: %s\n", name, plain);
}

static void add_figures(Buf *out, const RunRecord *run)
{
    char count[TEXT_SIZE], bytes[TEXT_SIZE];
    if (run->rows > 0)
        buf_printf(out, NULL, _("rows: %s (%s)\n"), text_count(run->rows, count), text_bytes(run->row_bytes, bytes));
    if (run->files > 0)
        buf_printf(out, NULL, _("files: %s (%s)\n"), text_count(run->files, count), text_bytes(run->file_bytes, bytes));
    if (run->backup)
        buf_printf(out, NULL, _("stored new: %s\n"), text_bytes(run->new_bytes, bytes));
}

static void add_findings(Buf *out, const Findings *findings)
{
    static const char *const names[] = {N_("note"), N_("warning"), N_("error")};
    for (size_t i = 0; i < findings->n; i++) {
        const Finding *finding = &findings->v[i];
        if (finding->severity == FINDING_NOTE)
            continue;
        add_line(out, words_get(names[finding->severity]), finding->message);
        add_line(out, _("hint"), finding->hint);
    }
}

char *notice_text(const Session *session, const RunRecord *run)
{
    char seconds[TEXT_SIZE];
    _cleanup_free_ char *subject = notice_subject(session, run->status);
    _cleanup_(buf_done) Buf out = BUF_INIT(PROGRAM_INPUT_MAX - HINT_ROOM);
    buf_printf(&out, NULL, _("%s, exit status %d\n\n"), subject, run->status);
    add_line(&out, _("error"), run->error);
    add_line(&out, _("repository"), run->repository);
    add_line(&out, _("backup"), run->backup);
    add_line(&out, _("verdict"), words_get(run->verdict));
    add_line(&out, _("began"), run->started);
    add_line(&out, _("took"), text_seconds(run->seconds, seconds));
    add_figures(&out, run);
    add_findings(&out, &session->findings);
    return xstrdup(buf_str(&out));
}
