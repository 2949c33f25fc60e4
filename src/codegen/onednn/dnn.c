// What the two majors of oneDNN have in common, which is most of it: layouts, primitives and their
// binding to memory.
//
// Making a primitive compiles machine code and takes up to some ten milliseconds; running it with a
// set of addresses takes a microsecond of bookkeeping. A program repeats itself (an unrolled loop
// of critic steps, the same convolution in three plans), so primitives are found again by what they
// compute, for the life of the process; the addresses belong to the call, of which there may be
// many. Layouts are interned for a plainer reason: graphs compare them, and a pointer compares
// best.
//
// oneDNN's scratch memory is ours to give (dnnl_scratchpad_mode_user): steps run one after another,
// so one room serves them all and is counted with a plan's memory. Left to the library, it is
// allocated per thread and seen by nothing else.
//
// The simpler idea, one primitive for each step with its own memory, fails by start-up time:
// dcgan's ninety convolutions are fifteen different ones.
#include "codegen/onednn/dnn_seam.h"

#include "base/arena.h"

#include <dnnl_debug.h>
#include <dnnl_version.h>
#include <stdint.h>
#include <string.h>

struct dnn_layout {
    struct blocked_layout head;
    void *md;
};

enum { PART_X, PART_W, PART_Y, PART_AFTER, PARTS = PART_AFTER + DNN_AFTERS };

struct key {
    enum { KEY_CONV, KEY_MATMUL, KEY_REORDER } kind;
    union {
        struct dnn_conv conv;
        struct dnn_matmul matmul;
        struct {
            const struct dnn_layout *from, *to;
        } reorder;
    };
};

struct dnn_primitive {
    struct key key;
    dnnl_primitive_desc_t pd;   // NULL: oneDNN has none
    dnnl_primitive_t primitive; // NULL until it is bound
    int arg[PARTS];             // DNNL_ARG_…; 0 where there is no such tensor
    const void *md[PARTS];
    const void *room_md;
    const struct dnn_layout *weights;
    const char *name;
    size_t scratch;
};

static struct {
    struct arena *arena;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct dnn_layout **layout;
    int n_layout;
    struct dnn_primitive **primitive;
    int n_primitive;
} library;

static void dnn_check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_out_of_memory)
        out_of_memory(0);
    if (status != dnnl_success)
        BUG("%s cannot %s: %s", dnn_version(), what, dnnl_status2str(status));
}

static void open_library(void)
{
    if (library.arena)
        return;
    library.arena = arena_new(NULL);
    seam_terminate_with_a_line();
    dnn_check(dnnl_engine_create(&library.engine, dnnl_cpu, 0), "open the processor");
    dnn_check(dnnl_stream_create(&library.stream, library.engine, dnnl_stream_default_flags),
              "open a stream");
}

const char *dnn_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

static bool uses(unsigned isa) { return (dnnl_get_effective_cpu_isa() & isa) == isa; }

bool dnn_uses_avx2(void) { return uses(dnnl_cpu_isa_avx2); }

bool dnn_uses_avx512(void) { return uses(dnnl_cpu_isa_avx512_core); }

bool dnn_multiplies_bf16(void) { return uses(dnnl_cpu_isa_avx512_core_bf16); }

const char *dnn_isa(void)
{
    static const char prefix[] = "cpu_isa_";
    const char *name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
    return strncmp(name, prefix, sizeof prefix - 1) ? name : name + sizeof prefix - 1;
}

// --- layouts -------------------------------------------------------------------------------------

// One dimension's pieces, outermost first; those inside blocks have been given their strides.
static void dnn_cut(struct permutation *o, const struct seam_blocks *b, int d, bool padded)
{
    int64_t inside = 1;
    const int outer = o->rank++;
    for (int i = 0; i < b->n; i++) {
        int64_t stride = 1;
        for (int j = i + 1; j < b->n; j++)
            stride *= b->block[j];
        if (b->of[i] != d)
            continue;
        o->dim[o->rank] = b->block[i];
        o->stride[o->rank++] = stride;
        inside *= b->block[i];
    }
    o->dim[outer] = (b->dim[d] + inside - 1) / inside;
    o->stride[outer] = b->stride[d];
    o->whole[outer] = padded ? b->dim[d] : 0;
}

// oneDNN's word: "ABcd16b16a", dimensions as they lie, those cut in blocks as capitals.
static const char *layout_name(const struct seam_blocks *b)
{
    char dims[RANK_MAX + 1] = "";
    bool named[RANK_MAX] = {false};
    const char *name;
    for (int i = 0; i < b->rank; i++) {
        int next = -1;
        for (int d = 0; d < b->rank; d++)
            if (!named[d] && (next < 0 || b->stride[d] > b->stride[next]))
                next = d;
        named[next] = true;
        dims[i] = (char)('a' + next);
        for (int j = 0; j < b->n; j++)
            if (b->of[j] == next)
                dims[i] = (char)('A' + next);
    }
    name = arena_strdup(library.arena, dims);
    for (int i = 0; i < b->n; i++)
        name = arena_printf(library.arena, "%s%d%c", name, (int)b->block[i], 'a' + b->of[i]);
    return name;
}

// Elements, and what fills the last blocks up.
static int64_t room_of(const struct seam_blocks *b)
{
    int64_t room = 1;
    for (int d = 0; d < b->rank; d++) {
        int64_t inside = 1;
        for (int i = 0; i < b->n; i++)
            inside *= b->of[i] == d ? b->block[i] : 1;
        room *= (b->dim[d] + inside - 1) / inside * inside;
    }
    return room;
}

static void dnn_describe(struct blocked_layout *l, const void *md)
{
    struct seam_blocks b;
    struct shape s = {0};
    l->bytes = dnnl_memory_desc_get_size(md);
    l->name = "blocked";
    if (!seam_blocks(md, &b))
        return;
    l->name = layout_name(&b);
    s.rank = b.rank;
    memcpy(s.dim, b.dim, sizeof b.dim);
    if (!b.each || b.rank + b.n > ORDER_RANK || l->bytes != b.each * (size_t)room_of(&b))
        return;
    const bool padded = room_of(&b) != shape_size(s);
    l->dense = b.each == sizeof(float) && !padded;
    for (int d = 0; d < b.rank; d++)
        dnn_cut(&l->order, &b, d, padded);
}

// Takes md over.
static struct dnn_layout *dnn_intern(void *md)
{
    for (int i = 0; i < library.n_layout; i++)
        if (seam_equal(library.layout[i]->md, md)) {
            seam_free(md);
            return library.layout[i];
        }
    struct dnn_layout *l = NEW(library.arena, struct dnn_layout);
    l->md = md;
    dnn_describe(&l->head, md);
    APPEND(library.arena, library.layout, library.n_layout, l);
    return l;
}

static void strides(struct shape s, enum layout layout, int64_t *stride)
{
    shape_strides(s, stride);
    if (layout != LAYOUT_CHANNELS_LAST)
        return;
    stride[0] = s.dim[1] * s.dim[2] * s.dim[3];
    stride[1] = 1;
    stride[2] = s.dim[3] * s.dim[1];
    stride[3] = s.dim[1];
}

static void *dnn_descriptor(struct shape s, enum layout layout, enum type type)
{
    int64_t stride[RANK_MAX];
    if (s.rank == 0)
        s = SHAPE(1);
    strides(s, layout, stride);
    return layout == LAYOUT_BLOCKED ? seam_any(s, type) : seam_strided(s, stride, type);
}

const struct dnn_layout *dnn_layout(struct shape shape, enum layout layout, enum type type)
{
    ASSERT(layout == LAYOUT_PLAIN || (layout == LAYOUT_CHANNELS_LAST && shape.rank == 4));
    open_library();
    struct dnn_layout *l = dnn_intern(dnn_descriptor(shape, layout, type));
    if (layout == LAYOUT_PLAIN)
        l->head.plain = true;
    return l;
}

const struct dnn_layout *dnn_layout_of(const struct value *v)
{
    if (v->layout == LAYOUT_BLOCKED)
        return (const struct dnn_layout *)v->blocked;
    return dnn_layout(v->shape, v->layout, v->type);
}

const struct blocked_layout *dnn_layout_head(const struct dnn_layout *l) { return &l->head; }

// --- primitives ----------------------------------------------------------------------------------

// Bytes are compared as far as there is no padding between members.
static bool same_key(const struct key *a, const struct key *b)
{
    const struct dnn_conv *c = &a->conv, *d = &b->conv;
    const struct dnn_matmul *m = &a->matmul, *n = &b->matmul;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case KEY_CONV: return !memcmp(c, d, sizeof *c);
    case KEY_MATMUL:
        return !memcmp(m, n, offsetof(struct dnn_matmul, ta)) && m->ta == n->ta && m->tb == n->tb;
    default: return a->reorder.from == b->reorder.from && a->reorder.to == b->reorder.to;
    }
}

static void dnn_make(struct dnn_primitive *p);

// The primitive that does it, made where it is not there yet; NULL where there is none to be made.
static const struct dnn_primitive *dnn_find(const struct key *key)
{
    open_library();
    for (int i = 0; i < library.n_primitive; i++)
        if (same_key(&library.primitive[i]->key, key))
            return library.primitive[i]->pd ? library.primitive[i] : NULL;
    struct dnn_primitive *p = NEW(library.arena, struct dnn_primitive);
    p->key = *key;
    APPEND(library.arena, library.primitive, library.n_primitive, p);
    dnn_make(p);
    return p->pd ? p : NULL;
}

// "No implementation" is an answer; anything else is trouble.
static bool refused(dnnl_status_t status, const char *what)
{
    if (status == dnnl_unimplemented || status == dnnl_invalid_arguments)
        return true;
    dnn_check(status, what);
    return false;
}

static void dnn_finish(struct dnn_primitive *p, dnnl_primitive_desc_t pd, const int arg[PARTS])
{
    const char *name = "";
    p->pd = pd;
    for (int i = 0; i < PARTS; i++) {
        p->arg[i] = arg[i];
        if (arg[i])
            p->md[i] = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, arg[i]);
    }
    p->room_md = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->scratch = dnnl_memory_desc_get_size(p->room_md);
    dnn_check(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name),
              "name a primitive");
    p->name = arena_strdup(library.arena, name);
}

// --- what is done afterwards ---------------------------------------------------------------------

static dnnl_alg_kind_t algorithm(enum dnn_after_kind kind)
{
    static const dnnl_alg_kind_t of[] = {[DNN_AFTER_SCALE] = dnnl_eltwise_linear,
                                         [DNN_AFTER_LEAKY_RELU] = dnnl_eltwise_relu,
                                         [DNN_AFTER_ELU] = dnnl_eltwise_elu,
                                         [DNN_AFTER_TANH] = dnnl_eltwise_tanh,
                                         [DNN_AFTER_SIGMOID] = dnnl_eltwise_logistic};
    return of[kind];
}

// What is added to a product before all else is oneDNN's own bias.
static bool dnn_has_bias(const struct dnn_after *after)
{
    return after->kind == DNN_AFTER_ADD_BIAS;
}

static bool dnn_adds(struct dnn_after a)
{
    return a.kind == DNN_AFTER_ADD_BIAS || a.kind == DNN_AFTER_ADD;
}

static const struct dnn_after nothing[DNN_AFTERS];

// bias, whole: how what ADD_BIAS and ADD add lies, in the result's rank.
static dnnl_primitive_attr_t attributes(const struct dnn_after *after, const void *bias,
                                        const void *whole)
{
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    dnn_check(dnnl_primitive_attr_create(&attr), "make attributes");
    dnn_check(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
              "use our scratch memory");
    dnn_check(dnnl_post_ops_create(&ops), "make post-ops");
    for (int i = dnn_has_bias(after); i < DNN_AFTERS && after[i].kind != DNN_AFTER_NOTHING; i++)
        dnn_check(dnn_adds(after[i])
                      ? dnnl_post_ops_append_binary(ops, dnnl_binary_add,
                                                    after[i].kind == DNN_AFTER_ADD ? whole : bias)
                      : seam_eltwise(ops, algorithm(after[i].kind), after[i].number),
                  "append a post-op");
    dnn_check(dnnl_primitive_attr_set_post_ops(attr, ops), "set post-ops");
    dnnl_post_ops_destroy(ops);
    return attr;
}

// Which arguments what is added are.
static void after_args(const struct dnn_after *after, int *arg)
{
    const int bias = dnn_has_bias(after);
    for (int i = 0; i < DNN_AFTERS; i++)
        arg[PART_AFTER + i] = !dnn_adds(after[i]) ? 0
                              : i == 0 && bias
                                  ? DNNL_ARG_BIAS
                                  : DNNL_ARG_ATTR_MULTIPLE_POST_OP(i - bias) | DNNL_ARG_SRC_1;
}

// --- descriptions --------------------------------------------------------------------------------

static void free_tensors(struct seam_tensors *t)
{
    seam_free((void *)t->x);
    seam_free((void *)t->w);
    if (t->bias)
        seam_free((void *)t->bias);
    seam_free((void *)t->y);
}

// Of the convolution itself, or, all as operands, of the forward one that it is a gradient of.
static struct seam_tensors conv_tensors(const struct dnn_conv *s, bool itself)
{
    const enum type result = itself ? s->gives : s->takes;
    const enum type type[] = {s->kind == DNN_CONV_DATA_GRAD ? result : s->takes,
                              s->kind == DNN_CONV_WEIGHT_GRAD ? result : s->takes,
                              s->kind == DNN_CONV_FORWARD ? result : s->takes};
    const bool bias = itself && dnn_has_bias(s->after);
    return (struct seam_tensors){
        dnn_descriptor(SHAPE(s->n, s->c, s->h, s->w), s->x, type[0]),
        s->as && itself ? seam_copy(s->as->md)
                        : dnn_descriptor(SHAPE(s->k, s->c, s->kh, s->kw), s->weights, type[1]),
        bias ? dnn_descriptor(SHAPE(s->k), LAYOUT_PLAIN, TYPE_F32) : NULL,
        dnn_descriptor(SHAPE(s->n, s->k, s->oh, s->ow), s->y, type[2])};
}

static dnnl_primitive_attr_t conv_attributes(const struct dnn_conv *s)
{
    void *const bias = dnn_descriptor(SHAPE(1, s->k, 1, 1), LAYOUT_PLAIN, TYPE_F32),
                *const whole = dnn_descriptor(SHAPE(s->n, s->k, s->oh, s->ow), s->y, TYPE_F32);
    dnnl_primitive_attr_t attr = attributes(s->after, bias, whole);
    seam_free(bias);
    seam_free(whole);
    return attr;
}

// oneDNN 2.6.3's AVX2 kernel for the weight gradient of strided 1 × 1 convolutions adds up what lies
// beside an image of a few channels.
static bool known_wrong(const struct dnn_primitive *p, const struct dnn_conv *s)
{
    static const char kernel[] = "jit_1x1:avx2";
    return s->kind == DNN_CONV_WEIGHT_GRAD && s->kh * s->kw == 1 && s->c % 8 != 0 &&
           s->stride[0] * s->stride[1] > 1 && !strncmp(p->name, kernel, sizeof kernel - 1);
}

static void make_conv(struct dnn_primitive *p, const struct dnn_conv *s)
{
    static const int arg[][PARTS] = {
        [DNN_CONV_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        [DNN_CONV_DATA_GRAD] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        [DNN_CONV_WEIGHT_GRAD] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
    };
    struct seam_tensors t = conv_tensors(s, true), forward = conv_tensors(s, false);
    dnnl_primitive_attr_t attr = conv_attributes(s);
    dnnl_primitive_desc_t pd;
    if (!refused(seam_conv(&pd, library.engine, s, &t, &forward, attr), "describe a convolution")) {
        int parts[PARTS];
        memcpy(parts, arg[s->kind], sizeof parts);
        after_args(s->after, parts);
        dnn_finish(p, pd, parts);
        (void)dnn_layout(SHAPE(s->k, s->c, s->kh, s->kw), LAYOUT_PLAIN,
                         s->kind == DNN_CONV_WEIGHT_GRAD ? s->gives : s->takes);
        p->weights = dnn_intern(seam_copy(p->md[PART_W]));
        if (known_wrong(p, s)) {
            dnnl_primitive_desc_destroy(p->pd);
            p->pd = NULL;
        }
    }
    dnnl_primitive_attr_destroy(attr);
    free_tensors(&t);
    free_tensors(&forward);
}

// A matrix, or a batch of them, of the given logical size; stored with its last two dimensions
// exchanged where `transposed`.
static void *matrix(int64_t batch, int64_t rows, int64_t columns, bool transposed, enum type type)
{
    struct shape s = batch > 1 ? SHAPE(batch, rows, columns) : SHAPE(rows, columns);
    int64_t stride[RANK_MAX];
    shape_strides(s, stride);
    if (transposed) {
        stride[s.rank - 1] = rows;
        stride[s.rank - 2] = 1;
    }
    return seam_strided(s, stride, type);
}

static void make_matmul(struct dnn_primitive *p, const struct dnn_matmul *s)
{
    struct seam_tensors t = {matrix(s->batch, s->m, s->k, s->ta, s->takes),
                             matrix(s->batch, s->k, s->n, s->tb, s->takes), NULL,
                             matrix(s->batch, s->m, s->n, false, s->gives)};
    void *const bias = dnn_descriptor(s->batch > 1 ? SHAPE(1, 1, s->n) : SHAPE(1, s->n),
                                      LAYOUT_PLAIN, TYPE_F32),
                *const whole = matrix(s->batch, s->m, s->n, false, TYPE_F32);
    t.bias = dnn_has_bias(s->after) ? seam_copy(bias) : NULL;
    dnnl_primitive_attr_t attr = attributes(s->after, bias, whole);
    dnnl_primitive_desc_t pd;
    int arg[PARTS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    after_args(s->after, arg);
    if (!refused(seam_matmul(&pd, library.engine, &t, attr), "describe a matmul"))
        dnn_finish(p, pd, arg);
    dnnl_primitive_attr_destroy(attr);
    seam_free(bias);
    seam_free(whole);
    free_tensors(&t);
}

static void make_reorder(struct dnn_primitive *p, const struct dnn_layout *from,
                         const struct dnn_layout *to)
{
    static const int arg[PARTS] = {DNNL_ARG_FROM, 0, DNNL_ARG_TO};
    dnnl_primitive_attr_t attr = attributes(nothing, NULL, NULL);
    dnnl_primitive_desc_t pd;
    const dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, from->md, library.engine,
                                                                    to->md, library.engine, attr);
    if (!refused(status, "describe a reorder"))
        dnn_finish(p, pd, arg);
    dnnl_primitive_attr_destroy(attr);
}

static void dnn_make(struct dnn_primitive *p)
{
    switch (p->key.kind) {
    case KEY_CONV: make_conv(p, &p->key.conv); break;
    case KEY_MATMUL: make_matmul(p, &p->key.matmul); break;
    default: make_reorder(p, p->key.reorder.from, p->key.reorder.to);
    }
}

const struct dnn_primitive *dnn_conv(const struct dnn_conv *spec)
{
    return dnn_find(&(struct key){.kind = KEY_CONV, .conv = *spec});
}

const struct dnn_primitive *dnn_matmul(const struct dnn_matmul *spec)
{
    return dnn_find(&(struct key){.kind = KEY_MATMUL, .matmul = *spec});
}

const struct dnn_primitive *dnn_reorder(const struct dnn_layout *from, const struct dnn_layout *to)
{
    ASSERT(from && to);
    return dnn_find(&(struct key){.kind = KEY_REORDER, .reorder = {from, to}});
}

const struct dnn_layout *dnn_conv_weights(const struct dnn_primitive *p) { return p->weights; }

const char *dnn_name(const struct dnn_primitive *p) { return p->name; }

bool dnn_direct(const struct dnn_primitive *p)
{
    return !strncmp(p->name, "jit", 3) || !strncmp(p->name, "brg", 3);
}

size_t dnn_scratch(const struct dnn_primitive *p) { return p->scratch; }

// --- calls ---------------------------------------------------------------------------------------

struct dnn_call {
    dnnl_primitive_t primitive; // the library's; the memories are the call's
    int n;
    dnnl_exec_arg_t arg[PARTS + 1];
    dnnl_memory_t room;
};

static void dnn_release(void *call)
{
    struct dnn_call *c = call;
    for (int i = 0; i < c->n; i++)
        dnnl_memory_destroy(c->arg[i].memory);
}

static dnnl_memory_t add_memory(struct dnn_call *c, int arg, const void *md, void *data)
{
    dnnl_memory_t m;
    dnn_check(dnnl_memory_create(&m, md, library.engine, data), "bind memory");
    c->arg[c->n++] = (dnnl_exec_arg_t){arg, m};
    return m;
}

// Only what is run is made: describing costs little, and some are asked for their layouts alone.
static dnnl_primitive_t made(const struct dnn_primitive *p)
{
    struct dnn_primitive *own = (struct dnn_primitive *)(uintptr_t)p;
    if (!own->primitive)
        dnn_check(dnnl_primitive_create(&own->primitive, own->pd), "make a primitive");
    return own->primitive;
}

struct dnn_call *dnn_bind(struct arena *a, const struct dnn_primitive *p, struct dnn_args args)
{
    ASSERT(p);
    struct dnn_call *c = NEW(a, struct dnn_call);
    void *data[PARTS] = {args.x, args.w, args.y};
    memcpy(data + PART_AFTER, args.after, sizeof args.after);
    c->primitive = made(p);
    arena_defer(a, dnn_release, c);
    for (int i = 0; i < PARTS; i++)
        if (p->arg[i])
            add_memory(c, p->arg[i], p->md[i], data[i]);
    if (p->scratch)
        c->room = add_memory(c, DNNL_ARG_SCRATCHPAD, p->room_md, DNNL_MEMORY_NONE);
    return c;
}

void dnn_call_room(void *call, void *room)
{
    struct dnn_call *c = call;
    if (c->room)
        dnn_check(dnnl_memory_set_data_handle(c->room, room), "use scratch memory");
}

void dnn_run(const void *call)
{
    const struct dnn_call *c = call;
    dnnl_status_t status = dnnl_primitive_execute(c->primitive, library.stream, c->n, c->arg);
    if (status == dnnl_success)
        status = dnnl_stream_wait(library.stream);
    if (status == dnnl_out_of_memory)
        out_of_memory(0);
    if (status != dnnl_success)
        BUG("oneDNN failed while running: %s", dnnl_status2str(status));
}
