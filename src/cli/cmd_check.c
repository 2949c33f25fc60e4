#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/session.h"
#include "store/weights.h"
#include "view/table.h"

static const struct option_spec option[] = {OPTION_JSON, OPTION_END};

struct totals {
    int64_t params;
    double multiply_adds, bytes;
};

// The network by itself on two samples, in training: only to see its layers.
static struct application *probe(struct network *net, struct arena *a, struct diag *d)
{
    struct graph *g = graph_new(a);
    struct versions v = {.graph = g};
    struct value **argument = NEW_ARRAY(a, struct value *, net->n_input + 1);
    for (int i = 0; i < net->n_input; i++) {
        // two samples: one alone cannot be normalised
        struct shape s = {.rank = net->input[i].is.shape.rank + 1, .dim = {2}};
        for (int k = 1; k < s.rank; k++)
            s.dim[k] = net->input[i].is.shape.dim[k - 1];
        argument[i] = input(g, net->input[i].name, s);
    }
    return network_apply(net, &v, argument, true, d);
}

static void cmd_check_add_row(struct table *t, const char *network, const char *layer,
                              struct shape *output, int64_t params, double multiply_adds,
                              double bytes)
{
    struct text shape;
    text_init(&shape);
    if (output)
        shape_text(*output, &shape);
    table_text(t, network);
    table_text(t, layer);
    table_text(t, shape.s);
    table_int(t, params);
    table_int(t, (int64_t)multiply_adds);
    table_int(t, (int64_t)bytes);
    text_release(&shape);
}

static struct totals add_network(struct table *t, struct experiment *e, struct network *net,
                                 struct diag *d)
{
    struct totals sum = {0};
    const struct application *app = probe(net, e->arena, d);
    for (int i = 0; app && i < app->n_row; i++) {
        struct layer_row *r = &app->row[i];
        cmd_check_add_row(t, net->name, r->layer, &r->output, r->params, r->multiply_adds,
                          r->activation_bytes);
        sum.params += r->params;
        sum.multiply_adds += r->multiply_adds;
        sum.bytes += r->activation_bytes;
    }
    cmd_check_add_row(t, net->name, "in all", NULL, sum.params, sum.multiply_adds, sum.bytes);
    return sum;
}

// The files that networks say they `load:`.
static bool files_fit(struct experiment *e, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    float *slab = NEW_ARRAY(a, float, e->slots.floats);
    const bool fit = weights_load(e->network, e->n_network, &e->slots, slab, d);
    arena_free(a);
    return fit;
}

static int cmd_check_run(struct options *o)
{
    struct session s;
    if (!session_open(&s, o) || !files_fit(s.experiment, o->diag))
        return EXIT_USAGE;
    struct experiment *e = s.experiment;
    struct table *t = table_new(o->arena, "layers");
    static const char *const column[] = {"network",    "layer",         "output",
                                         "parameters", "multiply-adds", "activation bytes"};
    struct totals all = {0};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    for (int i = 0; i < e->n_network; i++) {
        const struct totals sum = add_network(t, e, e->network[i], o->diag);
        all.params += sum.params;
        all.multiply_adds += sum.multiply_adds;
        all.bytes += sum.bytes;
    }
    if (e->n_network > 1)
        cmd_check_add_row(t, "all", "", NULL, all.params, all.multiply_adds, all.bytes);
    if (diag_errors(o->diag))
        return EXIT_USAGE;
    if (option_given(o, "json")) {
        tables_json((const struct table *const[]){t}, 1, stdout);
        return EXIT_DONE;
    }
    table_draw(t, stdout, 0);
    printf("%s: well formed. Multiply-adds and activation bytes are for one sample, forward.\n",
           printable(o->arena, o->word[0]));
    return EXIT_DONE;
}

const struct command cmd_check = {
    .name = "check",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] CONFIG [key=value …]",
    .help = "find every mistake in a config, or show its layers\n"
            "Up to 20 mistakes at once, each drawn in the file. A config without mistakes is shown "
            "layer by layer: output shape,\n"
            "parameters, multiply-adds and activation bytes.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_check_run,
};
