// From the text of `networks:` to networks. Each is applied once, here, to inputs of a scratch
// graph: shape errors are found even where no expression gets as far as a call, and slots are
// numbered in the order of the file, so that the first weights (drawn from the streams of their
// numbers) do not depend on which game or picture happens to call a network first.
#include "lang/sections.h"
#include "nn/body.h"

#include "base/arena.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { CLASSES_MAX = 1 << 20, SAMPLE_MAX = 1 << 24, TRIAL_BATCH = 2 };

// --- inputs --------------------------------------------------------------------------------------

struct input_shape {
    struct ints dim;
};

static const struct param input_params[] = {{"shape", PARAM_INTS, offsetof(struct input_shape, dim),
                                             NULL, 1, SAMPLE_MAX,
                                             .help = "without batch: 100, [1, 28, 28]"},
                                            PARAM_END};

// `label(10)`, or the name of a noise
static bool read_input_word(struct network_reader *r, const struct node *node, struct signature *is)
{
    long classes = 0;
    int end = 0;
    for (const struct network_input *n = r->noise; n && n->name; n++)
        if (!strcmp(n->name, node->text)) {
            *is = n->is;
            return true;
        }
    if (sscanf(node->text, "label ( %ld ) %n", &classes, &end) != 1 || node->text[end] || !end ||
        classes < 1 || classes > CLASSES_MAX)
        return fail(r->diag, node->where,
                    "'%s' is no kind of input\n"
                    "expected label(10), a size, a shape: [1, 28, 28], or the name of a noise",
                    node->text);
    is->classes = classes;
    return true;
}

static bool read_signature(struct network_reader *r, const struct entry *e, struct signature *is)
{
    const struct node *node = e->value;
    if (node->kind == NODE_SCALAR && (node->text[0] < '0' || node->text[0] > '9'))
        return read_input_word(r, node, is);
    struct input_shape shape = {0};
    const char *what = arena_printf(r->arena, "input '%s'", e->key);
    if (!param_read(input_params, node, e->where, what, &shape, r->arena, r->diag))
        return false;
    if (shape.dim.n < 1 || shape.dim.n >= RANK_MAX)
        return fail(r->diag, node->where, "%d dimensions\nexpected 1 to %d, the batch not counted",
                    shape.dim.n, RANK_MAX - 1);
    double size = 1;
    for (int i = 0; i < shape.dim.n; i++)
        size *= (double)shape.dim.v[i];
    if (size > SAMPLE_MAX)
        return fail(r->diag, node->where, "%.3g numbers a sample\nexpected up to %d", size,
                    SAMPLE_MAX);
    is->shape.rank = shape.dim.n;
    memcpy(is->shape.dim, shape.dim.v, sizeof *shape.dim.v * (size_t)shape.dim.n);
    return true;
}

static bool read_inputs(struct network_reader *r, const struct node *inputs, struct scope *scope)
{
    struct network *net = r->net;
    if (!inputs || inputs->kind != NODE_MAP || !inputs->n)
        return fail(r->diag, inputs ? inputs->where : net->where,
                    "network '%s' has no inputs\nexpected inputs: {z: 100} or the like", net->name);
    net->input = NEW_ARRAY(r->arena, struct network_input, inputs->n);
    r->body->input_read = NEW_ARRAY(r->arena, bool, inputs->n);
    bool good = true;
    for (int i = 0; i < inputs->n; i++) {
        const struct entry *e = &inputs->entry[i];
        net->input[i] = (struct network_input){.name = e->key, .where = e->where};
        good &= read_signature(r, e, &net->input[i].is);
        good &= scope_add(r, scope, e->key, ~i, e->where);
    }
    net->n_input = inputs->n;
    return good;
}

// --- outputs -------------------------------------------------------------------------------------

static int read_head(struct network_reader *r, const struct node *node, const struct scope *trunk,
                     int above)
{
    struct scope scope = {.outer = trunk};
    if (node->kind == NODE_SCALAR)
        return scope_find(r, trunk, node);
    r->next = 0;
    const int end = read_layers(r, node, &scope, above);
    if (end != SOURCE_NONE)
        scope_mark(r->body, end);
    return end;
}

static bool read_outputs(struct network_reader *r, const struct node *outputs,
                         const struct scope *trunk, int above)
{
    struct network *net = r->net;
    if (outputs->kind != NODE_MAP || !outputs->n)
        return fail(r->diag, outputs->where,
                    "no outputs here\nexpected {NAME: [layers], …}, or no `outputs:` for a network "
                    "that has one");
    net->n_output = outputs->n;
    net->output = NEW_ARRAY(r->arena, const char *, outputs->n);
    r->body->result = NEW_ARRAY(r->arena, int, outputs->n);
    for (int i = 0; i < outputs->n; i++) {
        const struct entry *e = &outputs->entry[i];
        net->output[i] = e->key;
        if (!is_name(e->key))
            fail(r->diag, e->where,
                 "'%s' is not a name\nexpected letters, digits and _, beginning with no digit",
                 e->key);
        r->head = i;
        r->body->result[i] = read_head(r, e->value, trunk, above);
    }
    return true;
}

static void single_output(struct network_reader *r, int end)
{
    static const char *const unnamed[] = {""};
    r->net->n_output = 1;
    r->net->output = NEW_ARRAY(r->arena, const char *, 1);
    r->net->output[0] = unnamed[0];
    r->body->result = NEW_ARRAY(r->arena, int, 1);
    r->body->result[0] = end;
    scope_mark(r->body, end);
}

static void read_body(struct network_reader *r, const struct network_keys *keys,
                      struct scope *scope)
{
    const struct node *layer_list = keys->layers, *outputs = keys->outputs;
    if ((!layer_list || (layer_list->kind == NODE_LIST && !layer_list->n)) && !outputs) {
        fail(r->diag, r->net->where,
             "network '%s' has no layers\nexpected layers: [dense: 64, relu, …]", r->net->name);
        return;
    }
    const int end = layer_list ? read_layers(r, layer_list, scope, ~0) : ~0;
    if (outputs)
        read_outputs(r, outputs, scope, end);
    else if (end != SOURCE_NONE)
        single_output(r, end);
}

// --- checks --------------------------------------------------------------------------------------

static void check_read(struct network_reader *r)
{
    const struct body *body = r->body;
    for (int i = 0; i < r->net->n_input; i++)
        if (!body->input_read[i])
            fail(r->diag, r->net->input[i].where,
                 "input '%s' is read by no layer\nexpected `of: %s` somewhere, or no such input",
                 r->net->input[i].name, r->net->input[i].name);
    for (int i = 0; i < body->n_stage; i++)
        if (!body->stage[i]->read)
            fail(r->diag, body->stage[i]->where,
                 "nothing reads what '%s' gives\nexpected a layer below that does, or an output",
                 body->stage[i]->layer->word.name);
}

static void apply_once(struct network_reader *r)
{
    struct network *net = r->net;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct versions versions = {.graph = g};
    struct value **argument = NEW_ARRAY(a, struct value *, net->n_input);
    for (int i = 0; i < net->n_input; i++) {
        struct shape s = {.rank = net->input[i].is.shape.rank + 1, .dim = {TRIAL_BATCH}};
        memcpy(s.dim + 1, net->input[i].is.shape.dim,
               sizeof *s.dim * (size_t)net->input[i].is.shape.rank);
        argument[i] = input(g, net->input[i].name, s);
    }
    network_apply(net, &versions, argument, true, r->diag);
    arena_free(a);
}

// --- networks ------------------------------------------------------------------------------------

static struct network *read_network(struct network_reader *r, const struct entry *e,
                                    struct slots *slots)
{
    struct arena *a = r->arena;
    const int errors = diag_errors(r->diag);
    struct scope scope = {0};
    r->net = NEW(a, struct network);
    r->body = NEW(a, struct body);
    r->head = -1;
    r->next = r->depth = 0;
    *r->net = (struct network){.name = e->key, .where = e->where, .own = r->body};
    *r->body = (struct body){.arena = a, .slots = slots};
    if (!is_name(e->key))
        fail(r->diag, e->where,
             "'%s' is not a name\nexpected letters, digits and _, beginning with no digit", e->key);
    const struct node *node = network_expand(r, e->value, 0);
    if (!node)
        return r->net;
    struct network_keys keys = {0};
    const char *what = arena_printf(a, "network '%s'", e->key);
    param_read(network_params, node, e->where, what, &keys, a, r->diag);
    r->body->init = init_read(a, keys.init, r->diag);
    r->net->frozen = keys.frozen;
    r->net->load = keys.load;
    if (keys.load)
        r->net->load_where = node_get(node, "load")->where;
    if (read_inputs(r, keys.inputs, &scope))
        read_body(r, &keys, &scope);
    if (diag_errors(r->diag) == errors)
        check_read(r);
    if (diag_errors(r->diag) == errors)
        apply_once(r);
    return r->net;
}

struct network **networks_read(struct arena *a, const struct node *networks,
                               const struct node *templates, const struct network_input *noise,
                               struct slots *slots, int *n, struct diag *d)
{
    const int errors = diag_errors(d);
    struct network_reader r = {
        .arena = a, .diag = d, .templates = templates, .networks = networks, .noise = noise};
    if (!networks || networks->kind != NODE_MAP || !networks->n) {
        fail(d, networks ? networks->where : (struct place){0},
             "no networks\nexpected networks: {generator: {inputs: …, layers: […]}, …}");
        return NULL;
    }
    if (templates && templates->kind != NODE_MAP && templates->kind != NODE_NULL)
        fail(d, templates->where, "no templates\nexpected templates: {NAME: {layers: […]}, …}");
    struct network **net = NEW_ARRAY(a, struct network *, networks->n);
    for (int i = 0; i < networks->n; i++)
        (net[i] = read_network(&r, &networks->entry[i], slots))->number = i;
    *n = networks->n;
    return diag_errors(d) == errors ? net : NULL;
}
