// The first word names the command; commands are the files cmd_*.c. Nothing is opened or allocated
// before the command is known, so that --help answers in the time it takes to start a process.
#include "base/arena.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/memory.h"
#include "cli/streams.h"
#include "version.h"

#include <langinfo.h>
#include <locale.h>
#include <malloc.h>
#include <string.h>

static void print_group(enum command_group group, FILE *to)
{
    bool titled = false;
    for (const struct command *const *c = commands; *c; c++) {
        if ((*c)->group != group)
            continue;
        if (!titled)
            fprintf(to, "\n%s:\n", command_group_title[group]);
        titled = true;
        fprintf(to, "  %-12s %.*s\n", (*c)->name, (int)strcspn((*c)->help, "\n"), (*c)->help);
    }
}

static void print_help(FILE *to)
{
    fputs("ganexp: a declarative GAN laboratory\n\nusage: ganexp COMMAND [options] [words]\n", to);
    for (int g = 0; g < COMMAND_GROUPS; g++)
        print_group((enum command_group)g, to);
    fputs("\n`ganexp COMMAND --help` says what a command takes; `ganexp --version` prints the "
          "version.\n",
          to);
}

static int unknown_command(const char *name)
{
    struct arena *a = arena_new(NULL);
    const char **known = NULL;
    int n = 0;
    for (const struct command *const *c = commands; *c; c++)
        APPEND(a, known, n, (*c)->name);
    const char *near = nearest_word(name, known, (size_t)n);
    fprintf(stderr, "ganexp: unknown command '%s'\n", printable(a, name));
    if (near)
        fprintf(stderr, "did you mean 'ganexp %s'?\n", near);
    else
        fputs("`ganexp --help` lists the commands\n", stderr);
    arena_free(a);
    return EXIT_USAGE;
}

static int main_run(const struct command *command, int argc, char **argv)
{
    struct arena *arena = arena_new(NULL);
    struct options o = {
        .command = command, .arena = arena, .diag = diag_new(arena), .argc = argc, .argv = argv};
    bool help = false;
    int code = EXIT_USAGE;
    if (options_read(&o, &help)) {
        if (help)
            options_help(command, stdout);
        code = help ? EXIT_DONE : command->run(&o);
    }
    streams_flush();
    diag_print(o.diag, stderr);
    arena_free(arena);
    return code;
}

// Large blocks go back to the system when they are freed. By itself malloc keeps what is smaller
// than the largest freed so far, and a run that has measured candidates stays a hundred megabytes
// larger.
static void return_memory(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

static int obey(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (!strcmp(word, "help") && argc > 2 && command_find(argv[2]))
        return options_help(command_find(argv[2]), stdout), EXIT_DONE;
    if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
        print_help(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_DONE : EXIT_USAGE;
    }
    if (!strcmp(word, "--version")) {
        puts("ganexp " GANEXP_VERSION);
        return EXIT_DONE;
    }
    const struct command *command = command_find(word);
    return command ? main_run(command, argc, argv) : unknown_command(word);
}

int main(int argc, char **argv)
{
    streams_open();
    memory_guard();
    return_memory();
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8"))
        setlocale(LC_CTYPE, "C.UTF-8"); // configs are UTF-8 whatever the terminal says
    return streams_close(obey(argc, argv));
}
