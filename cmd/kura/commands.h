/* The commands: each does its work, prints to session->out, or fills session->document with JSON. */
#ifndef KURA_CMD_COMMANDS_H
#define KURA_CMD_COMMANDS_H

#include "session.h"

#define COMMAND(id, function, name, least, most, args, help) int function(Session *session, Error *err);
#include "commands.def"
#undef COMMAND

/* Runs the command of session->options. */
int command_run(Session *session, Error *err);

/* show.c's --files: streams the entries of all filesets. */
int show_files(Session *session, const Manifest *manifest, Error *err);

#endif
