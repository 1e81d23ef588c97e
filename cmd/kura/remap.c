#include "commands.h"
#include "kura/export.h"
#include "kura/words.h"
#include "screen.h"
#include "text.h"
#include "view.h"

static int check_use(const Session *session, const RoleMap *map, Error *err)
{
    if (!options_given(session->options, OPT_OUTPUT))
        return error_set(err, ERR_USAGE, "remap needs --output");
    if (rolemap_is_empty(map)) {
        error_set(err, ERR_USAGE, "remap needs a role map");
        return error_hint(err, "Give --map or --map-file; \"kura show ARCHIVE --roles\" lists the roles.");
    }
    return 0;
}

int command_remap(Session *session, Error *err)
{
    const char *archive = session->options->args.v[0], *output = options_text(session->options, OPT_OUTPUT);
    _cleanup_(rolemap_free_cleanup) RoleMap *map = NULL;
    _cleanup_(roleuses_done) RoleUses uses = {0};
    if (session_rolemap(session, &map, err) < 0 || check_use(session, map, err) < 0 ||
        remap_run(archive, output, map, &uses, &session->findings, err) < 0)
        return -1;
    if (session->json) {
        session_set(session, "remap",
                    json_pack("{s:o, s:o, s:o}", "archive", json_text(archive), "output", json_text(output), "roles",
                              json_of_roles(&uses)));
        return 0;
    }
    _cleanup_free_ char *from = text_escaped(archive);
    _cleanup_free_ char *to = text_escaped(output);
    fprintf(session->out, _("archive %s rewritten as %s\n"), from, to);
    print_roles(session->out, &uses);
    return 0;
}
