#include "move.h"
int move_plan(Session *session, Error *err)
{
    (void)session;
    return error_set(err, ERR_USAGE, "not yet");
}
