#include "move.h"

#include <string.h>

#include "commands.h"

int command_move(Session *session, Error *err)
{
    const StrVec *args = &session->options->args;
    if (strcmp(args->v[0], "plan") == 0 && args->n == 1)
        return move_plan(session, err);
    if (strcmp(args->v[0], "config") == 0 && args->n == 1)
        return move_config(session, err);
    if (strcmp(args->v[0], "ladder") == 0)
        return move_ladder(session, args->n > 1 ? args->v[1] : NULL, err);
    error_set(err, ERR_USAGE, "the arguments of move are wrong");
    return error_hint(err, "Write \"kura move plan\", \"kura move config\" or \"kura move ladder PROFILE\".");
}
