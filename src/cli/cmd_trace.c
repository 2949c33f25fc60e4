#include "base/arena.h"
#include "base/printable.h"
#include "cli/session.h"
#include "cli/tuning.h"
#include "store/trace.h"
#include "store/weights.h"

static const struct option_spec option[] = {
    {"steps", 'n', "N", "how many iterations; 3 unless told"},
    {"output", 'o', "FILE", "the file to write; trace.safetensors unless told"},
    {"threads", 't', "N", "cores to use; all unless told"},
    OPTION_REPLAY,
    OPTION_DB,
    OPTION_END,
};

static int cmd_trace_run(struct options *o)
{
    struct session s;
    int64_t steps = 3;
    int threads;
    const char *to = option_text(o, "output", "trace.safetensors");
    if (!option_int(o, "steps", 1, 1000, &steps))
        return EXIT_USAGE;
    const int opened = tuning_open(&s, o, TUNING_RULES, &threads);
    if (opened != EXIT_DONE)
        return opened;
    s.trainer = trainer_new(o->arena, s.experiment, TRAINER_TRACES, o->diag);
    if (!s.trainer)
        return EXIT_USAGE;
    const struct experiment *e = s.experiment;
    if (!weights_load(e->network, e->n_network, &e->slots, s.trainer->slab, o->diag))
        return EXIT_USAGE;
    if (!trace_write(s.trainer, steps, to, o->diag))
        return EXIT_FAILED;
    printf("%s\n", printable(o->arena, to));
    return EXIT_DONE;
}

const struct command cmd_trace = {
    .name = "trace",
    .group = GROUP_TOOLS,
    .usage = "[options] CONFIG|--replay RUN [key=value …]",
    .help = "write all that the first iterations draw, compute and change\n"
            "One safetensors file: data, noise and masks as drawn, every loss, every gradient, "
            "weights and buffers\n"
            "before each iteration, in PyTorch's layouts, and the resolved config. Another "
            "implementation that is\n"
            "fed the draws must find the rest: tests/parity does so with PyTorch. Names: "
            "src/store/trace.h.\n"
            "Planned by rules, or with --replay as the run was.",
    .options = option,
    .overrides = true,
    .min_words = 0,
    .max_words = 1,
    .run = cmd_trace_run,
};
