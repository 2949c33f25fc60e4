// A yes-or-no question about some values of a graph. The example is those values, copied: what they
// read from outside is made by a pointwise op or is a parameter, what is read outside changes that
// parameter or is read by a pointwise op and summed, so that layouts are those of a network; or
// some of it is summed, where it is to be in memory as a whole. The key is a hash of the same: ops, shapes and attributes, numbered as they come; words in front are
// for people.
//
// The whole graph would be the truer example, and a question that no other config could share.
#include "opt/region.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/op.h"

#include <inttypes.h>
#include <string.h>

// of the pointwise ops around an example
static const double SLOPE = 0.2;

// --- the key -------------------------------------------------------------------------------------

static const char *operand_kind(const struct value *v)
{
    return v->attr.slot ? "parameter" : is_constant(v) ? "constant" : "input";
}

// Values outside get a number when they are first read, those inside when they are computed.
static void add_operand(struct text *t, const struct value *v, int *number, int *n)
{
    if (number[v->id]) {
        text_addf(t, " %d", number[v->id]);
        return;
    }
    number[v->id] = ++*n;
    text_addf(t, " %s", operand_kind(v));
    shape_text(v->shape, t);
    if (v->op->print && is_constant(v))
        v->op->print(v, t);
}

static void add_value(struct text *t, const struct value *v, int *number, int *n)
{
    text_add(t, v->op->name);
    for (int i = 0; i < v->n_in; i++)
        add_operand(t, v->in[i], number, n);
    text_add(t, " ");
    shape_text(v->shape, t);
    if (v->op->print)
        v->op->print(v, t);
    text_add(t, "\n");
    number[v->id] = ++*n;
}

static void add_dims(struct text *t, struct shape s)
{
    for (int i = 0; i < s.rank; i++)
        text_addf(t, "%s%" PRId64, i ? "x" : " ", s.dim[i]);
}

const char *region_conv(struct arena *a, const char *words, struct shape x, struct shape w,
                        const struct value *conv)
{
    ASSERT(is_conv(conv));
    const struct window *win = &conv->attr.conv.window;
    struct text t;
    text_init(&t);
    text_add(&t, words);
    add_dims(&t, x);
    add_dims(&t, w);
    text_addf(&t, " /%" PRId64 " %" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, win->stride[0],
              win->pad[0], win->pad[1], win->pad[2], win->pad[3]);
    const char *kept = arena_strdup(a, t.s);
    text_release(&t);
    return kept;
}

static uint32_t fnv(const char *s)
{
    uint32_t h = 2166136261u;
    while (*s)
        h = (h ^ (unsigned char)*s++) * 16777619u;
    return h;
}

// "WORDS #0123abcd": equal for regions that do the same to operands of the same shapes.
static const char *region_key_of(const struct region *r, const char *words, struct arena *a)
{
    int n = 0, *number = NEW_ARRAY(a, int, r->graph->n + 1);
    struct text t;
    text_init(&t);
    text_addf(&t, "%d %d\n", r->graph->precision, r->graph->minimal_filtering);
    for (int i = 0; i < r->graph->n; i++)
        if (r->inside[i])
            add_value(&t, r->graph->value[i], number, &n);
    const char *key = arena_printf(a, "%s #%08" PRIx32, words, fnv(t.s));
    text_release(&t);
    return key;
}

// --- the example ---------------------------------------------------------------------------------

struct copy {
    struct graph *graph;
    struct slots *slots;
    struct value **of; // by id in the region's graph
    struct value **parameter;
    int n_parameter;
};

static struct value *stand_in(struct copy *c, const struct value *v)
{
    struct graph *g = c->graph;
    const char *name = arena_printf(g->arena, "x%d", v->id);
    static const struct init unit = {INIT_UNIFORM, -1, 1};
    if (is_constant(v))
        return graph_add(g, v->op, v->shape, 0, NULL, v->attr);
    if (v->attr.slot) {
        struct slot *slot = slots_add(c->slots, name, SLOT_PARAM, v->shape, unit, v->where);
        APPEND(g->arena, c->parameter, c->n_parameter, param(g, slot));
        return c->parameter[c->n_parameter - 1];
    }
    struct value *in = input(g, graph_name(g, name), v->shape);
    return v->shape.rank == 4 ? leaky_relu(in, SLOPE) : in;
}

static struct value *again(struct copy *c, const struct value *v)
{
    struct value **in = NEW_ARRAY(c->graph->arena, struct value *, v->n_in + 1);
    for (int i = 0; i < v->n_in; i++) {
        const int id = v->in[i]->id;
        if (!c->of[id])
            c->of[id] = stand_in(c, v->in[i]);
        in[i] = c->of[id];
    }
    return graph_add(c->graph, v->op, v->shape, v->n_in, in, v->attr);
}

static bool *read_outside(const struct region *r, struct arena *a)
{
    const struct graph *g = r->graph;
    bool *read = NEW_ARRAY(a, bool, g->n + 1);
    for (int i = 0; i < g->n; i++)
        for (int j = 0; !r->inside[i] && j < g->value[i]->n_in; j++)
            read[g->value[i]->in[j]->id] = true;
    for (int i = 0; i < g->n_root; i++)
        read[g->root[i].value->id] = true;
    return read;
}

// What has the shape of a parameter is a gradient of it: all of them together change it.
static bool change_parameter(struct copy *c, struct value *y, struct value **gradient)
{
    ASSERT(y->graph == c->graph);
    for (int i = 0; i < c->n_parameter; i++)
        if (shape_equal(c->parameter[i]->shape, y->shape)) {
            gradient[i] = gradient[i] ? add(gradient[i], y) : y;
            return true;
        }
    return false;
}

static void read_results(struct copy *c, const struct region *r)
{
    struct graph *g = c->graph;
    const bool *read = read_outside(r, g->arena);
    struct value **gradient = NEW_ARRAY(g->arena, struct value *, c->n_parameter + 1);
    for (int i = 0; i < r->graph->n; i++) {
        const enum region_read as = r->read ? r->read[i] : REGION_BY_MAPS;
        if (!r->inside[i] || !read[i] || as == REGION_NOT ||
            change_parameter(c, c->of[i], gradient))
            continue;
        struct value *y = as == REGION_AS_IT_IS ? slice(c->of[i], 0, 0, 1)
                                                : leaky_relu(c->of[i], SLOPE);
        graph_root(g, arena_printf(g->arena, "%d", i), sum(y));
    }
    for (int i = 0; i < c->n_parameter; i++)
        if (gradient[i])
            lerp_slot(c->parameter[i], gradient[i], 0); // an update that leaves the numbers
}

struct graph *region_graph(const struct region *r, struct arena *a)
{
    ASSERT(r->graph && r->inside);
    struct copy c = {.graph = graph_new(a), .of = NEW_ARRAY(a, struct value *, r->graph->n + 1)};
    c.graph->minimal_filtering = r->graph->minimal_filtering;
    c.graph->precision = r->graph->precision;
    c.slots = NEW(a, struct slots);
    slots_init(c.slots, a);
    for (int i = 0; i < r->graph->n; i++)
        if (r->inside[i])
            c.of[i] = again(&c, r->graph->value[i]);
    read_results(&c, r);
    return c.graph;
}

static struct graph *region_example(const struct question *q, struct arena *a)
{
    return region_graph(q->about, a);
}

static bool region_ask(const struct region *r, const char *pass, const char *words, struct arena *a)
{
    int answer[CHOICE_AXES];
    const struct question q = {.key = region_key_of(r, words, a),
                               .pass = pass,
                               .example = region_example,
                               .about = r,
                               .n_axes = 1,
                               .n_options = 2,
                               .option = {0, 1},
                               .rule = {1}};
    choose(r->graph, &q, answer);
    return answer[0];
}

// The last of each op: as a rule those of one update, that read each other's operands.
static void mark_last(const struct graph *g, const bool *alike, region_work *work, bool *inside,
                      struct arena *a)
{
    for (int i = 0; i < g->n; i++) {
        int later = i + 1;
        while (alike[i] && later < g->n &&
               !(alike[later] && g->value[later]->op == g->value[i]->op))
            later++;
        if (alike[i] && later == g->n)
            work(g->value[i], inside, a);
    }
}

bool *region_declined(const struct graph *g, const char *pass, region_work *work, struct arena *a)
{
    const char **words = NEW_ARRAY(a, const char *, g->n + 1);
    bool *declined = NEW_ARRAY(a, bool, g->n + 1);
    for (int i = 0; g->chooser && i < g->n; i++)
        words[i] = work(g->value[i], NULL, a);
    for (int i = 0; i < g->n; i++) {
        const char *common = words[i];
        if (!common)
            continue;
        const struct region r = {g, NEW_ARRAY(a, bool, g->n + 1), NULL};
        bool *alike = NEW_ARRAY(a, bool, g->n + 1);
        for (int j = i; j < g->n; j++) {
            alike[j] = words[j] && !strcmp(words[j], common);
            words[j] = alike[j] ? NULL : words[j];
        }
        mark_last(g, alike, work, r.inside, a);
        const bool no = !region_ask(&r, pass, common, a);
        for (int j = i; j < g->n; j++)
            declined[j] |= no && alike[j];
    }
    return declined;
}
