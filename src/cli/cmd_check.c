#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "store/weights.h"
#include "train/footprint.h"
#include "view/table.h"

static const struct option_spec option[] = {OPTION_JSON, OPTION_WARN, OPTION_END};

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

// The layers of all networks; what is wrong with them goes to the session's diag.
static struct table *list_layers(struct session *s)
{
    struct experiment *e = s->experiment;
    struct table *t = table_new(s->arena, "layers");
    static const char *const column[] = {"network",    "layer",         "output",
                                         "parameters", "multiply-adds", "activation bytes"};
    struct totals all = {0};
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    for (int i = 0; i < e->n_network; i++) {
        const struct totals sum = add_network(t, e, e->network[i], s->diag);
        all.params += sum.params;
        all.multiply_adds += sum.multiply_adds;
        all.bytes += sum.bytes;
    }
    if (e->n_network > 1)
        cmd_check_add_row(t, "all", "", NULL, all.params, all.multiply_adds, all.bytes);
    return t;
}

// What is told to people on standard error, a row each.
static struct table *list_messages(struct session *s)
{
    static const char *const column[] = {"level", "name", "file", "line", "column", "text"};
    struct table *t = table_new(s->arena, "messages");
    int n;
    const struct diag_message *m = diag_messages(s->diag, &n);
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    for (int i = 0; i < n; i++) {
        table_text(t, m[i].error ? "error" : "warning");
        table_text(t, m[i].warning ? m[i].warning : "");
        table_text(t, m[i].where.source ? m[i].where.source->name : "");
        table_int(t, m[i].where.line);
        table_int(t, m[i].where.col);
        table_text(t, m[i].text);
    }
    return t;
}

// The files that networks `load:`, and the memory that a run takes.
static bool run_fits(struct experiment *e, struct diag *d)
{
    return weights_load(e->network, e->n_network, &e->slots, NULL, d) &&
           footprint_fits(e, NULL, d) && footprint_fits_from(e, 0, d);
}

static int cmd_check_run(struct options *o)
{
    struct session s;
    const bool json = option_given(o, "json");
    const bool good = session_look(&s, o) && run_fits(s.experiment, o->diag);
    const struct table *layers_of = good ? list_layers(&s) : NULL;
    const bool failed = diag_errors(o->diag) > 0;
    if (json) {
        const struct table *const t[] = {list_messages(&s), layers_of};
        tables_json(t, failed ? 1 : 2, stdout);
    } else if (!failed) {
        session_tell_data(&s, stdout, NULL);
        table_draw(layers_of, stdout, 0);
        printf("%s: well formed. Multiply-adds and activation bytes are for one sample, forward.\n",
               printable(o->arena, o->word[0]));
    }
    return failed ? EXIT_USAGE : EXIT_DONE;
}

const struct command cmd_check = {
    .name = "check",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] CONFIG [key=value …]",
    .help =
        "find every mistake in a config, or show its layers\n"
        "Up to 20 mistakes at once, each drawn in the file. What was found of each source of "
        "data is said in a line;\n"
        "of a folder of more than 500 pictures, 500 are opened. A config without mistakes is "
        "shown layer by layer: output\n"
        "shape, parameters, multiply-adds and activation bytes. What is well formed and probably "
        "not\nmeant is warned of, by a name.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_check_run,
};
