/* Turns the tables of commands, options and exit statuses into what the manual pages need.
 *
 *   genman page TEMPLATE    copies a manual page's template to standard output; a line "@name@" or "@name argument@" is
 *                           replaced by what the tables say. A page that begins to name commands must name all of them.
 *
 * It runs while kura is built, on the machine that builds. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

typedef struct ErrorSpec {
    const char *name;
    int status;
    const char *text;
} ErrorSpec;

static const ErrorSpec error_specs[] = {
#define ERROR(name, status, text) {#name, status, text},
#include "kura/errors.def"
#undef ERROR
};
enum { ERROR_COUNT = sizeof error_specs / sizeof error_specs[0] };

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "genman: %s: %s\n", what, name);
    exit(1);
}

/* ---- mdoc ---- */

enum { LINE_WIDTH = 76 };

static void write_char(const char *text, const char *p)
{
    if (*p == '\\')
        fputs("\\e", stdout);
    else if (*p == '~')
        fputs("\\(ti", stdout);
    else if (p[0] == '-' && (p[1] == '-' || (p > text && p[-1] == '-')))
        fputs("\\-", stdout);
    else
        putchar(*p);
}

/* Whether the word that ends before this space ends a sentence. */
static bool ends_sentence(const char *text, const char *space)
{
    return space > text && space[-1] == '.' && isupper((unsigned char)space[1]);
}

/* Plain text as mdoc: each sentence begins a line, no line is long, nothing is taken for a macro or an escape. */
static void write_prose(const char *text)
{
    size_t column = 0;
    for (const char *p = text; *p; p++) {
        size_t word = *p == ' ' ? strcspn(p + 1, " ") : 0;
        if (*p == ' ' && (ends_sentence(text, p) || column + 1 + word > LINE_WIDTH)) {
            putchar('\n');
            column = 0;
            continue;
        }
        if (column == 0 && (*p == '.' || *p == '\''))
            fputs("\\&", stdout);
        write_char(text, p);
        column++;
    }
    putchar('\n');
}

static void write_option_words(const OptionSpec *spec)
{
    printf("Fl -%s", spec->name);
    if (option_is_optional(spec))
        printf(" Ns Op = Ns Ar %s", spec->arg);
    else if (spec->arg[0])
        printf(" Ar %s", spec->arg);
}

static void write_option_item(const OptionSpec *spec)
{
    fputs(".It ", stdout);
    if (spec->short_name)
        printf("Fl %c , ", spec->short_name);
    write_option_words(spec);
    putchar('\n');
}

static void write_commands_of(unsigned commands)
{
    bool first = true;
    for (size_t i = 0; i < CMD_COUNT; i++) {
        if (commands >> i & 1) {
            printf("%s%s", first ? "" : ", ", command_specs[i].name);
            first = false;
        }
    }
}

static const char *section_words[] = {"[kura]", "[repository NAME]", "[app NAME]"};

static void write_sections(unsigned sections)
{
    bool first = true;
    for (size_t i = 0; i < 3; i++) {
        if (sections >> i & 1) {
            printf("%s%s", first ? "" : ", ", section_words[i]);
            first = false;
        }
    }
}

static void write_options(void)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (option_is_key_only(spec))
            continue;
        write_option_item(spec);
        write_prose(spec->prose);
        if (option_is_global(spec) && !spec->env[0] && !spec->sections)
            continue;
        puts(".br");
        if (!option_is_global(spec)) {
            fputs("Commands: ", stdout);
            write_commands_of(spec->commands);
            puts(".");
        }
        if (spec->env[0])
            printf("Environment:\n.Ev %s .\n", spec->env);
        if (spec->sections) {
            fputs("Configuration: ", stdout);
            write_sections(spec->sections);
            puts(".");
        }
    }
}

static void write_keys(void)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (!spec->sections)
            continue;
        printf(".It Ic %s No = Ar %s\n", spec->name, spec->type == OPTION_FLAG ? "yes|no" : spec->arg);
        write_prose(spec->prose);
        puts(".br");
        fputs("Sections: ", stdout);
        write_sections(spec->sections);
        puts(".");
        if (option_is_list(spec))
            puts("The line may be repeated.");
        if (option_is_key_only(spec)) {
            puts("No option of the command line.");
        } else if (spec->configured != spec->commands) {
            fputs("Used by: ", stdout);
            write_commands_of(spec->configured);
            puts(".");
        }
    }
}

static void write_environment(void)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (option_specs[i].env[0])
            printf(".It Ev %s\nAs\n.Fl -%s .\n", option_specs[i].env, option_specs[i].name);
}

/* The first error of a status tells what it means. */
static void write_statuses(void)
{
    for (size_t i = 0; i < ERROR_COUNT; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && error_specs[j].status != error_specs[i].status;
        if (!first)
            continue;
        printf(".It %d\n%c%s.\n", error_specs[i].status, toupper((unsigned char)error_specs[i].text[0]),
               error_specs[i].text + 1);
    }
}

static void write_error_codes(void)
{
    for (size_t i = 1; i < ERROR_COUNT; i++) {
        fputs(".It Li ", stdout);
        for (const char *p = error_specs[i].name; *p; p++)
            putchar(tolower((unsigned char)*p));
        printf(" Pq %d\n%c%s.\n", error_specs[i].status, toupper((unsigned char)error_specs[i].text[0]),
               error_specs[i].text + 1);
    }
}

/* "ID DIR", "[COMMAND]", "[ID].." */
static void write_arguments(const char *args)
{
    size_t len = strcspn(args, "]");
    if (args[0] == '[')
        printf(" Op Ar %.*s%s", (int)len - 1, args + 1, args[len + 1] ? " ..." : "");
    else if (args[0])
        printf(" Ar %s", args);
}

static void write_command(const char *name, bool *named)
{
    const CommandSpec *command = command_find(name);
    if (command == NULL)
        fail("no such command", name);
    named[command->id] = true;
    printf(".Ss %s: %s\n.Nm kura Cm %s", command->name, command->help, command->name);
    write_arguments(command->args);
    putchar('\n');
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (!option_belongs(spec, command->id) || option_is_global(spec) || option_is_of_repository(spec))
            continue;
        fputs(".Op ", stdout);
        write_option_words(spec);
        printf("%s\n", option_is_list(spec) ? " ..." : "");
    }
    puts(".Pp");
}

static void replace(char *mark, bool *named)
{
    char *argument = strchr(mark, ' ');
    if (argument != NULL)
        *argument++ = 0;
    if (strcmp(mark, "options") == 0)
        write_options();
    else if (strcmp(mark, "keys") == 0)
        write_keys();
    else if (strcmp(mark, "environment") == 0)
        write_environment();
    else if (strcmp(mark, "exit-statuses") == 0)
        write_statuses();
    else if (strcmp(mark, "error-codes") == 0)
        write_error_codes();
    else if (strcmp(mark, "command") == 0 && argument != NULL)
        write_command(argument, named);
    else
        fail("unknown mark", mark);
}

static void check_named(const bool *named)
{
    bool any = false;
    for (size_t i = 0; i < CMD_COUNT; i++)
        any = any || named[i];
    for (size_t i = 0; i < CMD_COUNT; i++)
        if (any && !named[i])
            fail("the page does not describe the command", command_specs[i].name);
}

static void write_page(const char *path)
{
    bool named[CMD_COUNT] = {false};
    char line[4096];
    FILE *in = fopen(path, "r");
    if (in == NULL)
        fail("cannot open", path);
    while (fgets(line, sizeof line, in) != NULL) {
        size_t len = strlen(line);
        if (len > 3 && line[0] == '@' && line[len - 2] == '@') {
            line[len - 2] = 0;
            replace(line + 1, named);
        } else {
            fputs(line, stdout);
        }
    }
    if (ferror(in))
        fail("cannot read", path);
    fclose(in);
    check_named(named);
}

int main(int argc, char *argv[])
{
    if (argc != 3 || strcmp(argv[1], "page") != 0)
        fail("usage", "genman page TEMPLATE");
    write_page(argv[2]);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
