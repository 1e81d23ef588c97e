#include "commands.h"

int command_doctor(Session *session, Error *err)
{
    return session_open_repo(session, err);
}
