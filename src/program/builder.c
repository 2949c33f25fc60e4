// Values are remembered under a text that says what they are made of: the word and the ids of the
// values it is applied to, for a network also how many updates have changed it. So the rule of the
// language, "the same expression is the same value until an update changes a network in it", needs
// no analysis of expressions, and dropout inside a layer is shared with the rest. Leaving it to
// common-subexpression elimination would merge everything but what is random, which is exactly what
// must agree.
#include "program/builder.h"

#include "base/arena.h"
#include "base/text.h"
#include "lang/meaning.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

void builder_init(struct builder *b, struct experiment *e, struct graph *g, int64_t batch,
                  bool training, struct diag *d)
{
    *b = (struct builder){.e = e,
                          .graph = g,
                          .arena = g->arena,
                          .d = d,
                          .versions = {.graph = g},
                          .batch = batch,
                          .training = training};
    b->stamp = NEW_ARRAY(b->arena, int, e->n_network + 1);
    b->noise_draw = NEW_ARRAY(b->arena, int, e->n_noise + 1);
    b->data_draw = NEW_ARRAY(b->arena, int, e->n_data + 1);
    b->known = NEW_ARRAY(b->arena, struct known_value, e->n_value + 1);
    builder_look(b);
    hash_map_init(&b->memo, b->arena);
}

void builder_look(struct builder *b)
{
    b->look++;
    b->n_touched = b->n_named = 0;
    b->touched = NULL;
    b->named = NULL;
}

// "add %3 0.5"
static const char *builder_key_of(struct builder *b, const char *word, const struct operand *x,
                                  int n)
{
    const char *key = word;
    for (int i = 0; i < n; i++)
        key = x[i].value ? arena_printf(b->arena, "%s %%%d", key, x[i].value->id)
                         : arena_printf(b->arena, "%s %.17g", key, x[i].number);
    return key;
}

static struct operand *builder_recall(struct builder *b, const char *key)
{
    return hash_map_get(&b->memo, key);
}

static void remember(struct builder *b, const char *key, const struct operand *x)
{
    struct operand *kept = NEW(b->arena, struct operand);
    *kept = *x;
    hash_map_set(&b->memo, key, kept);
}

// --- sources -------------------------------------------------------------------------------------

static struct shape with_batch(int64_t batch, struct shape of)
{
    struct shape s = {.rank = of.rank + 1, .dim = {batch}};
    for (int i = 0; i < of.rank; i++)
        s.dim[i + 1] = of.dim[i];
    return s;
}

static void record_input(struct builder *b, struct source_input in)
{
    APPEND(b->arena, b->input, b->n_input, in);
}

static struct operand noise_value(struct builder *b, const struct noise *n)
{
    struct graph *g = b->graph;
    const int index = (int)(n - b->e->noise), draw = b->noise_draw[index];
    const int stream = NOISE_STREAMS + index * NOISE_DRAWS + draw;
    ASSERT(draw < NOISE_SECOND);
    const char *key = arena_printf(b->arena, "%s@%d", n->name, draw);
    struct operand *known = builder_recall(b, key);
    if (known)
        return *known;
    const struct place where = g->where;
    g->where = n->where;
    g->label = key;
    struct operand x = {.is = n->is};
    x.value = b->host ? input(g, n->name, noise_shape(n, b->batch))
                      : n->kind->draw(n, g, b->batch, stream);
    record_input(b, (struct source_input){.noise = n, .draw = draw, .value = x.value});
    g->where = where;
    g->label = NULL;
    remember(b, key, &x);
    return x;
}

static struct signature field_signature(const struct data_source *s, int field)
{
    const struct data_field f = dataset_field(s->dataset, field);
    if (f.classes)
        return (struct signature){.classes = f.classes};
    if (!f.channels)
        return (struct signature){.shape = SCALAR};
    if (f.height == 1 && f.width == 1)
        return (struct signature){.shape = SHAPE(f.channels)};
    return (struct signature){.shape = SHAPE(f.channels, f.height, f.width)};
}

static struct operand data_value(struct builder *b, const struct data_source *s, int field)
{
    const int draw = b->data_draw[s - b->e->data];
    const char *said = field == FIELD_IMAGE ? "image" : dataset_field(s->dataset, field).name;
    const char *name = arena_printf(b->arena, "%s.%s", s->name, said);
    const char *key = b->host ? name : arena_printf(b->arena, "%s@%d", name, draw);
    struct operand *known = builder_recall(b, key);
    if (known)
        return *known;
    struct operand x = {.is = field_signature(s, field)};
    x.value = input(b->graph, key, with_batch(b->host ? b->batch : s->batch, x.is.shape));
    record_input(b, (struct source_input){s, NULL, field, draw, x.value});
    remember(b, key, &x);
    return x;
}

// --- networks ------------------------------------------------------------------------------------

static void touch(struct builder *b, struct application *app)
{
    for (int i = 0; i < b->n_touched; i++)
        if (b->touched[i] == app)
            return;
    APPEND(b->arena, b->touched, b->n_touched, app);
}

struct application *builder_apply(struct builder *b, struct network *net,
                                  const struct operand *argument, struct place where)
{
    ASSERT(b->e->network[net->number] == net);
    const char *word = arena_printf(b->arena, "%s #%d", net->name, b->stamp[net->number]);
    const char *key = builder_key_of(b, word, argument, net->n_input);
    struct application *app = hash_map_get(&b->memo, key);
    if (!app) {
        struct value **x = NEW_ARRAY(b->arena, struct value *, net->n_input + 1);
        for (int i = 0; i < net->n_input; i++)
            x[i] = argument[i].value;
        b->graph->where = where;
        app = network_apply(net, &b->versions, x, b->training && !net->frozen, b->d);
        if (!app)
            return NULL;
        hash_map_set(&b->memo, key, app);
    }
    touch(b, app);
    return app;
}

// A number becomes that number for each sample.
static bool builder_fit(struct builder *b, struct operand *x, const struct network *net,
                        int input_index, struct place where)
{
    const struct network_input *in = &net->input[input_index];
    if (!x->value) {
        const char *key = arena_printf(b->arena, "%.17g for %s.%s", x->number, net->name, in->name);
        struct operand *known = builder_recall(b, key);
        *x = known ? *known
                   : (struct operand){
                         constant(b->graph, x->number, with_batch(b->batch, in->is.shape)), 0,
                         in->is};
        remember(b, key, x);
    }
    if (x->value->shape.rank > 0 && signature_fits(x->is, in->is))
        return true;
    return fail(
        b->d, where, "input '%s' of network '%s' is %s, but this is %s\nexpected %s (line %d)",
        in->name, net->name, signature_text(b->arena, in->is),
        x->value->shape.rank ? signature_text(b->arena, x->is) : "one number for the whole batch",
        signature_text(b->arena, in->is), in->where.line);
}

static bool same_batch(struct builder *b, const struct operand *x, int n, struct place where)
{
    const struct value *first = NULL;
    for (int i = 0; i < n; i++) {
        const struct value *v = x[i].value;
        if (!v || !v->shape.rank)
            continue;
        if (first && v->shape.dim[0] != first->shape.dim[0])
            return fail(b->d, where,
                        "a batch of %" PRId64 " meets a batch of %" PRId64 "\n"
                        "expected sources with the same `batch:`, noise is drawn for the first",
                        first->shape.dim[0], v->shape.dim[0]);
        first = v;
    }
    return true;
}

static int input_of(const struct expression *is, int i, const struct network *net)
{
    if (!is->arg_name[i])
        return i;
    for (int j = 0; j < net->n_input; j++)
        if (!strcmp(net->input[j].name, is->arg_name[i]))
            return j;
    BUG("network '%s' has no input '%s'", net->name, is->arg_name[i]);
}

// Each call of the text once in a look, however many heads are taken of it.
static const struct application *apply_network(struct builder *b, const struct expression *is,
                                               struct network *net)
{
    const char *key = arena_printf(b->arena, "%p@%d", (const void *)is, b->look);
    const struct application *app = hash_map_get(&b->memo, key);
    if (app)
        return app;
    struct operand *argument = NEW_ARRAY(b->arena, struct operand, net->n_input + 1);
    for (int i = 0; i < is->n_arg; i++) {
        const int k = input_of(is, i, net);
        if (!builder_value(b, is->arg[i], &argument[k]) ||
            !builder_fit(b, &argument[k], net, k, is->arg[i]->where))
            return NULL;
    }
    if (!same_batch(b, argument, net->n_input, is->where))
        return NULL;
    app = builder_apply(b, net, argument, is->where);
    if (app)
        hash_map_set(&b->memo, key, (void *)(uintptr_t)app);
    return app;
}

static bool call_network(struct builder *b, const struct expression *is, struct network *net,
                         struct operand *out)
{
    const struct application *app = apply_network(b, is, net);
    if (app)
        *out = operand_of(app->output[0]);
    return app != NULL;
}

// --- arithmetic ----------------------------------------------------------------------------------

static double calculate(char op, double x, double y)
{
    return op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y;
}

static struct value *with_number(struct builder *b, char op, struct value *x, double number,
                                 bool number_first)
{
    struct shape ones = x->shape;
    for (int i = 0; i < ones.rank; i++)
        ones.dim[i] = 1;
    switch (op) {
    case '+': return affine(x, 1, number);
    case '-': return number_first ? affine(x, -1, number) : affine(x, 1, -number);
    case '*': return affine(x, number, 0);
    default:
        return number_first ? divide(constant(b->graph, number, ones), x)
                            : affine(x, 1 / number, 0);
    }
}

static struct value *with_value(char op, struct value *x, struct value *y)
{
    if (x->shape.rank == 0 && y->shape.rank)
        x = repeat_to(x, y->shape);
    else if (y->shape.rank == 0 && x->shape.rank)
        y = repeat_to(y, x->shape);
    return op == '+' ? add(x, y) : op == '-' ? sub(x, y) : op == '*' ? mul(x, y) : divide(x, y);
}

static bool builder_binary(struct builder *b, const struct expression *is, struct operand *out)
{
    struct operand x[2];
    struct shape fits;
    if (!builder_value(b, is->arg[0], &x[0]) || !builder_value(b, is->arg[1], &x[1]) ||
        !same_batch(b, x, 2, is->where))
        return false;
    if (!x[1].value && is->op == '/' && !(fabs(x[1].number) > 1 / FLT_MAX))
        return fail(b->d, is->arg[1]->where, "a division by %g", x[1].number);
    if (!x[0].value && !x[1].value) {
        *out = (struct operand){.number = calculate(is->op, x[0].number, x[1].number)};
        return true;
    }
    if (x[0].value && x[1].value && x[0].value->shape.rank && x[1].value->shape.rank &&
        !shape_broadcast(x[0].value->shape, x[1].value->shape, &fits))
        return fail(b->d, is->where,
                    "'%c' between %s and %s\nexpected equal shapes, or 1 where one side repeats",
                    is->op, signature_text(b->arena, x[0].is), signature_text(b->arena, x[1].is));
    const char *key = builder_key_of(b, (char[]){is->op, 0}, x, 2);
    struct operand *known = builder_recall(b, key);
    if (known) {
        *out = *known;
        return true;
    }
    b->graph->where = is->where;
    *out = operand_of(!x[0].value   ? with_number(b, is->op, x[1].value, x[0].number, true)
                      : !x[1].value ? with_number(b, is->op, x[0].value, x[1].number, false)
                                    : with_value(is->op, x[0].value, x[1].value));
    remember(b, key, out);
    return true;
}

// --- all kinds -----------------------------------------------------------------------------------

static bool call_function(struct builder *b, const struct expression *is, struct operand *out)
{
    const struct function *f = function_find(is->name);
    struct operand *x = NEW_ARRAY(b->arena, struct operand, is->n_arg + 1);
    for (int i = 0, word; i < is->n_arg; i++)
        if (function_takes_word(f, is, i, &word))
            x[i].number = word;
        else if (!builder_value(b, is->arg[i], &x[i]))
            return false;
    if (!same_batch(b, x, is->n_arg, is->where))
        return false;
    const char *key = builder_key_of(b, is->name, x, is->n_arg);
    struct operand *known = builder_recall(b, key);
    if (known) {
        *out = *known;
        return true;
    }
    b->graph->where = is->where;
    if (!f->build(&(struct function_call){b->graph, b->d, is}, x, out))
        return false;
    remember(b, key, out);
    return true;
}

static bool field(struct builder *b, const struct expression *is, struct operand *out)
{
    const struct expression *of = is->arg[0];
    const struct data_source *s = of->kind == EXPR_NAME ? experiment_source(b->e, of->name) : NULL;
    if (s) {
        *out = data_value(b, s, data_source_field(s, is->name));
        return true;
    }
    const struct expression *call = expression_behind(b->e, of);
    struct network *net = experiment_network(b->e, call->name);
    const struct application *app = apply_network(b, call, net);
    if (app)
        *out = operand_of(app->output[network_head(net, is->name)]);
    return app != NULL;
}

static bool named_value(struct builder *b, const char *name, struct operand *out)
{
    const struct named_value *v = experiment_value(b->e, name);
    struct known_value *known = &b->known[v - b->e->value];
    if (known->look != b->look) {
        if (!builder_value(b, v->is, &known->is))
            return false;
        known->look = b->look;
        if (known->is.value)
            APPEND(b->arena, b->named, b->n_named, ((struct part){name, known->is.value}));
    }
    *out = known->is;
    return true;
}

static bool builder_any(struct builder *b, const struct expression *is, struct operand *out)
{
    const struct noise *noise;
    b->graph->where = is->where;
    switch (is->kind) {
    case EXPR_NUMBER: *out = (struct operand){.number = is->number}; return true;
    case EXPR_NAME:
        noise = experiment_noise(b->e, is->name);
        if (!noise)
            return named_value(b, is->name, out);
        *out = noise_value(b, noise);
        return true;
    case EXPR_CALL:
        if (experiment_network(b->e, is->name))
            return call_network(b, is, experiment_network(b->e, is->name), out);
        return call_function(b, is, out);
    case EXPR_FIELD: return field(b, is, out);
    case EXPR_BINARY: return builder_binary(b, is, out);
    }
    return false;
}

// Numbers are computed with as float32.
bool builder_value(struct builder *b, const struct expression *is, struct operand *out)
{
    if (!builder_any(b, is, out))
        return false;
    if (!out->value && !(fabs(out->number) <= FLT_MAX))
        return fail(b->d, is->where, "this number is beyond float32\nexpected at most %.3g",
                    (double)FLT_MAX);
    return graph_fits(b->graph, b->d);
}
