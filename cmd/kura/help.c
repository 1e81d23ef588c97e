#include <string.h>

#include "commands.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"

static const char *command_name(const void *ctx, size_t i)
{
    return command_specs[i].name;
}

/* "-o, --output OUT" */
static char *option_synopsis(const OptionSpec *spec)
{
    char shortly[] = {'-', spec->short_name, ',', ' ', 0};
    if (option_is_optional(spec))
        return xasprintf("%s--%s[=%s]", spec->short_name ? shortly : "", spec->name, spec->arg);
    return xasprintf("%s--%s%s%s", spec->short_name ? shortly : "", spec->name, spec->arg[0] ? " " : "", spec->arg);
}

/* The parts of a help text. */
typedef enum Group { OWN, OF_REPOSITORY, OF_ALL } Group;

static Group group_of(const OptionSpec *spec)
{
    return option_is_global(spec) ? OF_ALL : option_is_of_repository(spec) ? OF_REPOSITORY : OWN;
}

/* command NULL: of any. */
static void print_options(FILE *out, const char *title, Group group, const CommandSpec *command)
{
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (group_of(&option_specs[i]) != group || (command && !option_belongs(&option_specs[i], command->id)))
            continue;
        _cleanup_free_ char *synopsis = option_synopsis(&option_specs[i]);
        table_row(table, synopsis, words_get(option_specs[i].help));
    }
    if (table_is_empty(table))
        return;
    fprintf(out, "\n%s\n", title);
    table_print(table, out, 2);
}

static void print_commands(FILE *out)
{
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    for (size_t i = 0; i < CMD_COUNT; i++)
        table_row(table, command_specs[i].name, words_get(command_specs[i].help));
    fputs(_("kura backs up a PostgreSQL database and its files as one set, and restores it under a role map.\n\n"
            "Usage: kura [OPTION].. COMMAND [OPTION].. [ARGUMENT]..\n\nCommands:\n"),
          out);
    table_print(table, out, 2);
    print_options(out, _("Options of every command:"), OF_ALL, NULL);
    fputs(_("\n\"kura help COMMAND\" explains a command; the manual is kura(1).\n"), out);
}

static void print_command(FILE *out, const CommandSpec *command)
{
    fprintf(out, _("kura %s: %s\n\nUsage: kura %s%s%s [OPTION]..\n"), command->name, words_get(command->help),
            command->name, command->args[0] ? " " : "", command->args);
    print_options(out, _("Options:"), OWN, command);
    print_options(out, _("Options of every command that opens a repository:"), OF_REPOSITORY, command);
    print_options(out, _("Options of every command:"), OF_ALL, command);
}

static json_t *json_of_options(const CommandSpec *command)
{
    json_t *array = json_array();
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (option_belongs(spec, command->id))
            json_array_append_new(array, json_pack("{s:s, s:o, s:b, s:o, s:s}", "name", spec->name, "argument",
                                                   json_text(spec->arg[0] ? spec->arg : NULL), "argument_optional",
                                                   option_is_optional(spec), "environment",
                                                   json_text(spec->env[0] ? spec->env : NULL), "help", spec->help));
    }
    return array;
}

static json_t *json_of_commands(const CommandSpec *only)
{
    json_t *array = json_array();
    for (size_t i = 0; i < CMD_COUNT; i++) {
        const CommandSpec *command = &command_specs[i];
        if (only == NULL || only == command)
            json_array_append_new(array,
                                  json_pack("{s:s, s:s, s:s, s:o}", "name", command->name, "arguments", command->args,
                                            "help", command->help, "options", json_of_options(command)));
    }
    return array;
}

int command_help(Session *session, Error *err)
{
    const CommandSpec *command = NULL;
    if (session->options->args.n > 0) {
        const char *name = session->options->args.v[0];
        command = command_find(name);
        if (command == NULL) {
            error_set(err, ERR_USAGE, "unknown command \"%s\"", name);
            size_t i = spelling_nearest(name, CMD_COUNT, command_name, NULL);
            return error_hint(err, i < CMD_COUNT ? "Did you mean \"kura help %s\"?" : "Try \"kura help\".",
                              i < CMD_COUNT ? command_specs[i].name : "");
        }
    }
    if (session->json)
        session_set(session, "commands", json_of_commands(command));
    else if (command != NULL)
        print_command(session->out, command);
    else
        print_commands(session->out);
    return 0;
}
