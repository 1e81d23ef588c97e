#include "finish.h"

#include <errno.h>

#include "kura/stop.h"
#include "statusview.h"

int session_status(const Session *session, int rc, const Error *err)
{
    if (options_flag(session->options, OPT_NAGIOS))
        return rc < 0 || session->nagios < 0 ? NAGIOS_UNKNOWN : session->nagios;
    if (rc < 0 && err->code == ERR_INTERRUPTED && stop_signal() != 0)
        return 128 + stop_signal();
    if (rc < 0)
        return error_exit_status(err->code == ERR_NONE ? ERR_FAILED : err->code);
    if (session->status >= 0)
        return session->status;
    if (session->failed)
        return error_exit_status(ERR_FAILED);
    return findings_count(&session->findings, FINDING_WARNING) > 0 ? error_exit_status(ERR_FINDINGS) : 0;
}

static json_t *json_of_findings(const Findings *findings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < findings->n; i++)
        json_array_append_new(array, json_of_finding(&findings->v[i]));
    return array;
}

/* begun: the object's opening brace and first members are out already. */
static void write_document(FILE *out, json_t *document, bool begun)
{
    _cleanup_free_ char *text = json_dumps(document, JSON_INDENT(2));
    fprintf(out, "%s%s\n", begun ? "," : "", begun ? text + 1 : text);
}

int session_finish(Session *session, Screen *screen, int rc, const Error *err)
{
    for (size_t i = 0; i < session->findings.n && !session->findings_told; i++)
        screen_finding(screen, &session->findings.v[i]);
    if (rc < 0)
        screen_error(screen, err);
    if (rc < 0 && options_flag(session->options, OPT_NAGIOS))
        print_nagios_unknown(session->out, err);
    if (session->json) {
        if (rc < 0) {
            json_object_clear(session->document);
            session_set(session, "error", json_of_error(err));
        }
        session_set(session, "findings", json_of_findings(&session->findings));
        write_document(session->out, session->document, session->document_begun);
    }
    return session_status(session, rc, err);
}

int usage_finish(Screen *screen, FILE *out, const Error *err)
{
    screen_error(screen, err);
    if (screen->json) {
        json_t *document = json_pack("{s:o, s:[]}", "error", json_of_error(err), "findings");
        write_document(out, document, false);
        json_decref(document);
    }
    return error_exit_status(err->code);
}

int close_output(Screen *screen, FILE *out, int status)
{
    Error err = ERROR_INIT;
    bool lost = ferror(out) != 0;
    errno = 0;
    if (fclose(out) == 0 && !lost)
        return status;
    if (errno != 0)
        error_errno(&err, errno, "cannot write to standard output");
    else
        error_set(&err, ERR_IO, "cannot write to standard output");
    screen_error(screen, &err);
    return status != 0 ? status : error_exit_status(ERR_IO);
}
