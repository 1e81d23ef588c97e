#include "commands.h"

int command_run(Session *session, Error *err)
{
    static int (*const runs[CMD_COUNT])(Session * session, Error * err) = {
#define COMMAND(id, function, name, least, most, args, help) [CMD_##id] = function,
#include "commands.def"
#undef COMMAND
    };
    return runs[session->options->command->id](session, err);
}
