// Second copies of slots: that no reorder is left inside an iteration of dcgan, that every effect
// and everything outside keeps a packed copy equal to its slot, and that a run which reads packed copies is, to
// the bit, the run without them, resumed or not.
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "train/trainer.h"
#include "store/checkpoint.h"
#include "support/experiment.h"
#include "support/packed_copies.h"
#include "support/optimizers.h"

// --- every effect --------------------------------------------------------------------------------

static struct value *in_layout(struct value *v, const struct blocked_layout *layout)
{
    v->layout = layout ? LAYOUT_TRANSPOSED : LAYOUT_PLAIN;
    v->blocked = layout;
    return v;
}

// A version's packed copies, in row-major order for the host.
static void read_packed(struct value *version, const struct blocked_layout *layout,
                        const char *name)
{
    struct graph *g = version->graph;
    for (int type = TYPE_F32; type <= TYPE_BF16; type++) {
        struct value *t = in_layout(packed_copy(version, "so"), layout);
        t->type = (enum type)type;
        graph_root(g, arena_printf(g->arena, "%s%s", name, type == TYPE_BF16 ? " rounded" : ""),
                   in_layout(reorder(t, "the host"), NULL));
    }
}

static struct value *stepped(struct slots *s, const char *word, const char *params, struct value *v,
                             struct value *x, struct value *hyper)
{
    const struct optimizer o = optimizer_of(s->arena, word, params);
    const struct slot *of = v->attr.slot;
    struct slot *m[UPDATE_MOMENTS];
    for (int i = 0; i < optimizer_moments(&o); i++) {
        m[i] = slots_add(s, arena_printf(s->arena, "%s.%s", word, o.kind->moment[i]), SLOT_MOMENT,
                         of->shape, (struct init){INIT_CONSTANT, 1, 0}, (struct place){0});
        m[i]->of = of;
    }
    return optimizer_step(&o, v, x, hyper, m);
}

// One after the other; every version but the second is read from the packed copy.
static struct value *all_effects(struct graph *g, struct slots *s, struct slot *w,
                                 const struct blocked_layout *layout)
{
    struct value *hyper = input(g, "hyper", SHAPE(4)), *x = input(g, "x", w->shape);
    struct value *v = param(g, w);
    read_packed(v, layout, "0");
    v = stepped(s, "adam", "{beta1: 0.5, beta2: 0.9, epsilon: 1}", v, x, hyper);
    v = stepped(s, "rmsprop", "{rho: 0.9, epsilon: 1}", v, x, hyper);
    read_packed(v, layout, "2");
    v = stepped(s, "sgd", "{lr: 1, momentum: 0.9}", v, x, hyper);
    read_packed(v, layout, "3");
    v = clip_slot(v, -0.5, 0.5);
    read_packed(v, layout, "4");
    v = lerp_slot(v, x, 0.25);
    read_packed(v, layout, "5");
    v = assign_slot(v, x);
    read_packed(v, layout, "6");
    return descend(v, x, hyper);
}

static void given(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0; i < shape_size(v->shape); i++)
        out[i] = v->attr.slot ? v->attr.slot->init.a : (float)sin((double)i);
}

static void effects_write_packed(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots s;
    slots_init(&s, a);
    struct slot *w = slots_add(&s, "w", SLOT_PARAM, SHAPE(6 * 35, 7),
                               (struct init){INIT_CONSTANT, 0.25, 0}, (struct place){0});
    const struct blocked_layout *layout = layout_transposed(6, 35, 7);
    assert_null(slot_packed(w, layout, TYPE_F32));
    assert_non_null(slot_packed_made(w, layout, TYPE_F32));
    assert_null(slot_packed(w, layout, TYPE_BF16));
    assert_non_null(slot_packed_made(w, layout, TYPE_BF16));
    struct value *last = all_effects(g, &s, w, layout);
    graph_verify(g, "the test");
    assert_true(effect_writes_packed(last, slot_packed(w, layout, TYPE_F32)));
    assert_false(effect_writes_packed(graph_find_root(g, "2")->in[0]->in[0]->in[0],
                                      slot_packed(w, layout, TYPE_F32)));
    pass_assign_memory(g);
    float *slab = NEW_ARRAY(a, float, s.floats);
    struct plan *p = plan_new(a, g, slab, 0);
    slots_fill(&s, slab, 1);
    check_packed(&s, slab);
    for (int i = 0; i < 4; i++)
        plan_input(p, "hyper")[i] = (float)sin(i);
    for (int64_t i = 0; i < shape_size(w->shape); i++)
        plan_input(p, "x")[i] = (float)sin((double)i);
    plan_run(p, 0);
    check_packed(&s, slab);
    double **want = graph_reference(g, &(struct reference){given, NULL}, a);
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0; g->root[k].name && i < shape_size(w->shape); i++)
            assert_float_equal(plan_output(p, g->root[k].name)[i], want[g->root[k].value->id][i],
                               (strstr(g->root[k].name, "rounded") ? 0x1p-8 : 1e-6));
    arena_free(a);
}

// What was filled has no room for another.
static void filled_slots_get_none(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct slots s;
    slots_init(&s, a);
    struct slot *w = slots_add(&s, "w", SLOT_PARAM, SHAPE(4, 3), (struct init){INIT_NORMAL, 0, 1},
                               (struct place){0});
    const struct packed_copy *known = slot_packed_made(w, layout_transposed(2, 2, 3), TYPE_F32);
    float *slab = NEW_ARRAY(a, float, s.floats);
    slots_fill(&s, slab, 1);
    assert_null(slot_packed_made(w, NULL, TYPE_F32));
    assert_ptr_equal(slot_packed_made(w, layout_transposed(2, 2, 3), TYPE_F32), known);
    assert_null(slot_packed_made(w, layout_transposed(2, 2, 3), TYPE_BF16));
    check_packed(&s, slab);
    arena_free(a);
}

// --- dcgan ---------------------------------------------------------------------------------------

// As bf16 where the machine has it.
static struct fixture dcgan(bool rounded)
{
    const char *override[] = {"data.real.batch=4", "train.ema.decay=0.9",
                              rounded && plan_multiplies(TYPE_BF16) ? "precision=bf16"
                                                                    : "precision=f32"};
    struct fixture f = {.arena = arena_new(NULL)};
    f.diag = diag_new(f.arena);
    const struct config *c = config_load(f.arena, "configs/dcgan.yaml", override, LENGTH(override),
                                         f.diag);
    f.e = c ? experiment_read(f.arena, c, f.diag) : NULL;
    if (!f.e)
        show(&f);
    assert_non_null(f.e);
    return f;
}

static bool at_an_edge(const struct graph *g, const struct value *reorder)
{
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].value == reorder)
            return true;
    return reorder->in[0]->op == &op_input;
}

// In bf16 nothing that reads a parameter is: that is rounded where it lives.
static bool of_a_slot(const struct value *reorder) { return reorder->in[0]->attr.slot != NULL; }

// At the batch of the config.
static void only_inputs_and_outputs_are_reordered(void **state)
{
    (void)state;
    static const char *const config[] = {"configs/dcgan.yaml", "configs/acgan.yaml",
                                         "configs/wgan_gp.yaml"};
    for (size_t k = 0; k < 2 * LENGTH(config); k++) {
        struct arena *a = arena_new(NULL);
        struct diag *d = diag_new(a);
        const bool rounded = k % 2 && plan_multiplies(TYPE_BF16);
        const char *override[] = {rounded ? "precision=bf16" : "precision=f32"};
        const struct config *c = config_load(a, config[k / 2], override, 1, d);
        struct experiment *e = c ? experiment_read(a, c, d) : NULL;
        assert_non_null(e);
        struct graph *g = program_training(e, 0, a, d)->graph;
        passes_run(g, "layout");
        for (int i = 0; i < g->n; i++)
            if (g->value[i]->op == &op_reorder &&
                (rounded ? of_a_slot(g->value[i]) : !at_an_edge(g, g->value[i])))
                fail_msg("%s: %s", config[k / 2], g->value[i]->attr.why);
        arena_free(a);
    }
}

static void feed_numbers(const struct graph *g, struct plan *p)
{
    for (int i = 0; i < g->n; i++) {
        const char *name = g->value[i]->attr.name;
        float *to = name ? plan_input(p, name) : NULL;
        for (int64_t k = 0; to && k < shape_size(g->value[i]->shape); k++)
            to[k] = !strncmp(name, "hyper", 5) ? 0.01F : (float)sin((double)k);
    }
}

// Two iterations of it, as row-major slots one after the other; `*n` floats.
static float *trained(bool packed_copies, bool rounded, int64_t *n, struct arena *a)
{
    struct fixture f = dcgan(rounded);
    struct graph *g = program_training(f.e, 0, f.arena, f.diag)->graph;
    const struct slots *s = &f.e->slots;
    passes_run(g, "select_kernel");
    pass_assign_layouts(g);
    assert_true(!packed_copies || pass_packed_copy(g));
    pass_assign_memory(g);
    float *slab = NEW_ARRAY(f.arena, float, s->floats), *all = NEW_ARRAY(a, float, s->floats);
    struct plan *p = plan_new(f.arena, g, slab, 1);
    experiment_fill(f.e, slab);
    feed_numbers(g, p);
    plan_run(p, 0);
    plan_run(p, 1);
    *n = check_packed(s, slab);
    assert_int_equal(*n > 0, packed_copies);
    *n = 0;
    for (int i = 0; i < s->n; *n += shape_size(s->slot[i++]->shape))
        memcpy(all + *n, slot_get(s->slot[i], slab, f.arena),
               sizeof *all * (size_t)shape_size(s->slot[i]->shape));
    arena_free(f.arena);
    return all;
}

static void packed_copies_change_no_bit(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    for (int rounded = 0; rounded < 2; rounded++) {
        int64_t n = 0, m = 0;
        const float *with = trained(true, rounded, &n, a),
                    *without = trained(false, rounded, &m, a);
        assert_int_equal(n, m);
        assert_memory_equal(with, without, sizeof *with * (size_t)n);
    }
    arena_free(a);
}

static void train_for(struct trainer *t, int steps)
{
    static const struct observer nobody;
    volatile sig_atomic_t stop = 1;
    for (int i = 0; i < steps; i++)
        assert_int_equal(trainer_run(t, &nobody, &stop), OUTCOME_INTERRUPTED);
    assert_true(check_packed(&t->experiment->slots, t->slab) > 0);
}

// Packed copies are in no checkpoint, and there again when one was read.
static void packed_copies_are_there_again_after_a_checkpoint(void **state)
{
    (void)state;
    char path[] = "/tmp/copies-XXXXXX";
    struct fixture f = dcgan(true), again = dcgan(true);
    struct trainer *t = trainer_new(f.arena, f.e, TRAINER_TRAINS, f.diag),
                   *u = trainer_new(again.arena, again.e, TRAINER_TRAINS, again.diag);
    struct checkpoint c;
    assert_true(mkstemp(path) >= 0);
    train_for(t, 2);
    assert_true(checkpoint_write(path, f.e, t->slab, t->step, NULL, 0, f.diag));
    train_for(t, 2);
    assert_true(checkpoint_read(again.arena, path, again.e, u->slab, &c, again.diag));
    u->step = c.step;
    train_for(u, 2);
    assert_int_equal(f.e->slots.floats, again.e->slots.floats);
    assert_memory_equal(t->slab, u->slab, sizeof *t->slab * f.e->slots.floats);
    remove(path);
    arena_free(f.arena);
    arena_free(again.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_write_packed),
        cmocka_unit_test(filled_slots_get_none),
        cmocka_unit_test(only_inputs_and_outputs_are_reordered),
        cmocka_unit_test(packed_copies_change_no_bit),
        cmocka_unit_test(packed_copies_are_there_again_after_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
