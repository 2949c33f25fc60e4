// ganexp(1), from the tables that the commands are read by. It is made when the program is built: a
// page kept beside the sources would say what the program did once.
#include "base/arena.h"
#include "base/text.h"
#include "cli/command.h"
#include "lang/sections.h"
#include "version.h"

#include <string.h>

static const struct option_spec option[] = {OPTION_END};

// Text as roff has it: no line begins with a request, backslashes and hyphens are themselves, an
// empty line begins a paragraph.
static void roff_add(struct text *out, const char *s)
{
    for (const char *c = s; *c; c++) {
        const bool begins = c == s || c[-1] == '\n';
        if (begins && (*c == '.' || *c == '\''))
            text_add(out, "\\&");
        if (*c == '\\')
            text_add(out, "\\e");
        else if (*c == '-')
            text_add(out, "\\-");
        else if (*c == '\n' && begins)
            text_add(out, ".PP\n");
        else
            text_add_n(out, c, 1);
    }
}

static void roff_line(struct text *out, const char *before, const char *s, const char *after)
{
    text_add(out, before);
    roff_add(out, s);
    text_addf(out, "%s\n", after);
}

static void roff_option(struct text *out, const struct option_spec *s)
{
    ASSERT(s->help);
    text_add(out, ".TP\n");
    if (s->letter)
        text_addf(out, "\\fB\\-%c\\fR, ", s->letter);
    roff_line(out, "\\fB\\-\\-", s->name, s->arg ? "\\fR \\c" : "\\fR");
    if (s->arg)
        roff_line(out, "\\fI", s->arg, "\\fR");
    roff_line(out, "", s->help, "");
}

static void roff_command(struct arena *a, struct text *out, const struct command *c)
{
    ASSERT(c->help && c->usage);
    roff_line(out, ".SS ganexp ", c->name, "");
    roff_line(out, "\\fBganexp ", c->name, "\\fR \\c");
    roff_line(out, "", c->usage, "");
    const size_t phrase = strcspn(c->help, "\n");
    roff_line(out, ".PP\n", arena_strndup(a, c->help, phrase), "");
    if (c->help[phrase])
        roff_line(out, ".PP\n", c->help + phrase + strspn(c->help + phrase, "\n"), "");
    for (const struct option_spec *s = c->options; s && s->name; s++)
        roff_option(out, s);
}

static void roff_commands(struct arena *a, struct text *out)
{
    for (int g = 0; g < COMMAND_GROUPS; g++) {
        roff_line(out, ".SH COMMANDS TO ", command_group_title[g], "");
        for (const struct command *const *c = commands; *c; c++)
            if ((int)(*c)->group == g)
                roff_command(a, out, *c);
    }
}

static void roff_sections(struct text *out)
{
    text_add(out, ".SH CONFIGURATION\n"
                  "A config is a YAML file of sections. \\fBganexp help\\fR lists all words of the "
                  "language, \\fBganexp help\\fR \\fIWORD\\fR explains one. A word "
                  "\\fIKEY\\fB=\\fIVALUE\\fR on the command line replaces what the config says, "
                  "\\fIKEY\\fB+=\\fIVALUE\\fR appends to a list.\n");
    for (const struct word *const *w = sections.word; *w; w++) {
        roff_line(out, ".TP\n\\fB", (*w)->name, "\\fR");
        roff_line(out, "", (*w)->help, "");
        if ((*w)->usage)
            roff_line(out, ".br\n", (*w)->usage, "");
    }
}

static const char head[] =
    ".SH NAME\nganexp \\- a declarative GAN laboratory\n"
    ".SH SYNOPSIS\n\\fBganexp\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] [\\fIwords\\fR]\n"
    ".SH DESCRIPTION\n"
    "A YAML file describes networks, data, losses and training of a generative adversarial "
    "network. ganexp compiles it, trains it on the processor and keeps what happens in an SQLite "
    "database: metrics, scores, pictures, checkpoints.\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n0\nThe command did what it says.\n"
    ".TP\n1\nA run or the command failed.\n"
    ".TP\n2\nThe command line or the config is wrong.\n"
    ".TP\n3\nThe run diverged: NaN or Inf.\n"
    ".TP\n4\nNo such run, or several.\n"
    ".TP\n5\nRefused: something would be overwritten, or the run is alive.\n"
    ".TP\n6\nA check failed.\n"
    ".TP\n7\nMemory is out; a run goes on from its last checkpoint.\n"
    ".TP\n75\nThe database is busy.\n"
    ".TP\n128 + \\fISIGNAL\\fR\nInterrupted; the last step is saved.\n"
    ".SH ENVIRONMENT\n"
    ".TP\nGANEXP_DB\nThe database; \\-\\-db goes before it.\n"
    ".TP\nGANEXP_CACHE\nThe folder of trained scorers and of measured choices.\n"
    ".TP\nGANEXP_NO_TUNE\nWhen set, plans are made by rules alone, as with \\-\\-no\\-tune.\n"
    ".TP\nNO_COLOR\nWhen set, nothing is bold.\n"
    ".SH FILES\n"
    ".TP\nresults/results.db\nThe database, unless told otherwise.\n"
    ".TP\nresults/runs/\\fIID\\fR\\-\\fINAME\\fR/\nA run: its resolved config, pictures and "
    "checkpoints.\n"
    ".TP\n~/.cache/ganexp/choices\nWhat was measured to be fastest on this machine.\n";

static int cmd_manual_run(struct options *o)
{
    struct text out;
    text_init(&out);
    text_add(&out, ".TH GANEXP 1 \"\" \"ganexp " GANEXP_VERSION "\" \"User Commands\"\n");
    text_add(&out, head);
    roff_commands(o->arena, &out);
    roff_sections(&out);
    text_add(&out, tail);
    fputs(out.s, stdout);
    text_release(&out);
    return EXIT_DONE;
}

const struct command cmd_manual = {
    .name = "manual",
    .group = GROUP_TOOLS,
    .usage = "",
    .help = "write the manual page ganexp(1), as roff\n"
            "`meson install` puts it where man finds it; `ganexp manual | man -l -` reads it "
            "from here.",
    .options = option,
    .run = cmd_manual_run,
};
