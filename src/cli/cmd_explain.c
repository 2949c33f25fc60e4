#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/tuning.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <string.h>

static const struct option_spec option[] = {
    {"at", 'a', "STAGE", "graph, simplify, … or plan; `--at help` lists them; plan unless told"},
    {"phase", 'p', "N", "which phase of the training, from 0"},
    {"threads", 't', "N", "cores to plan for; all unless told"},
    OPTION_NO_TUNE,
    OPTION_REPLAY,
    OPTION_DB,
    OPTION_END,
};

static bool known_stage(const char *at, struct diag *d)
{
    const char *known[32] = {"graph", "plan"};
    size_t n = 2;
    for (int i = 0; compile_pass(i) && n < LENGTH(known); i++)
        known[n++] = compile_pass(i)->name;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(known[i], at))
            return true;
    struct text all;
    text_init(&all);
    text_add(&all, "graph");
    for (int i = 0; compile_pass(i); i++)
        text_addf(&all, ", %s", compile_pass(i)->name);
    const char *near = nearest_word(at, known, n);
    fail(d, (struct place){0}, "no stage '%s'\nthere are %s, plan%s%s", at, all.s,
         near ? "; did you mean " : "", near ? near : "");
    text_release(&all);
    return false;
}

static int cmd_explain_run(struct options *o)
{
    struct session s;
    const char *at = option_text(o, "at", "plan");
    int64_t phase = 0;
    int threads;
    if (!known_stage(at, o->diag))
        return EXIT_USAGE;
    const int opened = tuning_open(&s, o, TUNING_REMEMBERED, &threads);
    if (opened != EXIT_DONE)
        return opened;
    if (!option_int(o, "phase", 0, s.experiment->n_phase - 1, &phase))
        return EXIT_USAGE;
    struct text out, shown;
    text_init(&out);
    text_init(&shown);
    if (!strcmp(at, "plan")) {
        struct trainer *t = trainer_new(o->arena, s.experiment, TRAINER_EXPLAINS, o->diag);
        struct plan *plan = t ? trainer_plan(t, (int)phase) : NULL;
        if (!plan)
            return EXIT_USAGE;
        plan_print(plan, &out);
        text_addf(&out,
                  "activations: %zu bytes, of which %zu are kept between iterations; slots: %zu "
                  "bytes\n",
                  plan_activation_bytes(plan), plan_kept_bytes(plan),
                  s.experiment->slots.floats * sizeof(float));
    } else {
        struct program *p = program_training(s.experiment, (int)phase, o->arena, o->diag);
        if (!p)
            return EXIT_USAGE;
        if (strcmp(at, "graph"))
            passes_run(p->graph, at);
        graph_print(p->graph, &out);
    }
    text_add_printable(&shown, out.s, out.n, "\n\t");
    fputs(shown.s, stdout);
    text_release(&out);
    text_release(&shown);
    return EXIT_DONE;
}

const struct command cmd_explain = {
    .name = "explain",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] CONFIG|--replay RUN [key=value …]",
    .help =
        "show what a config is compiled to, at any stage\n"
        "One training iteration as a list of values, each with its shape and the line of the "
        "config it comes from: as built\n"
        "(graph), after each pass, or as the steps that run (plan): with what is fastest, as far "
        "as that was measured on this\nmachine before, or with --replay as it was recorded; "
        "explain "
        "measures nothing.\nAt `layout` each reorder, and each read of a parameter's second copy "
        "(packed_copy), says what lies how, and who takes it\notherwise.",
    .options = option,
    .overrides = true,
    .min_words = 0,
    .max_words = 1,
    .run = cmd_explain_run,
};
