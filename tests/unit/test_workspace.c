// Memory that is lent: what a run's plans have in common, and that nothing is lost by it.
#include "base/workspace.h"
#include "codegen/plan.h"
#include "train/sampler.h"
#include "train/trainer.h"
#include "support/experiment.h"

static void the_same_request_gets_the_same_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct workspace *w = workspace_new(a);
    assert_int_equal(workspace_bytes(w), 0);
    char *first = workspace_lend(w, 0, 1000);
    assert_int_equal((uintptr_t)first % 64, 0);
    first[0] = first[999] = 1;
    assert_ptr_equal(workspace_lend(w, 0, 10), first);
    assert_ptr_equal(workspace_lend(w, 0, 1000), first);
    assert_int_equal(workspace_bytes(w), 1000);
    char *larger = workspace_lend(w, 0, 3000);
    assert_ptr_equal(workspace_lend(w, 0, 10), larger);
    assert_ptr_not_equal(workspace_lend(w, 1, 10), larger);
    assert_int_equal(workspace_bytes(w), 1000 + 3000 + 10);
    larger[2999] = first[999]; // what had the smaller one keeps it
    arena_free(a);
}

// One iteration's numbers.
static void train_once(struct trainer *t)
{
    static const struct observer nobody;
    volatile sig_atomic_t stop = 1;
    assert_int_equal(trainer_run(t, &nobody, &stop), OUTCOME_INTERRUPTED);
}

static void plans_of_a_run_take_turns(void **state)
{
    (void)state;
    enum { PIXELS = 64 };
    float drawn[PIXELS];
    struct fixture f = READ(head, game, train);
    struct trainer *t = trainer_new(f.arena, f.e, TRAINER_TRAINS, f.diag);
    assert_non_null(t);
    const size_t alone = workspace_bytes(f.e->workspace);
    const struct plan *p = trainer_plan(t, 0);
    assert_int_equal(alone, plan_activation_bytes(p) - plan_kept_bytes(p));
    struct sampler *s = sampler_new(f.arena, f.e, t->slab, 1, "generator(z)", false, f.diag),
                   *same = sampler_new(f.arena, f.e, t->slab, 1, "generator(z)", false, f.diag);
    assert_int_equal(workspace_bytes(f.e->workspace), alone);
    assert_true(plan_activation_bytes(s->plan) > plan_kept_bytes(s->plan));

    // noise is drawn, then the others run, and it is as if they had not
    sampler_noise(s, 1, 0);
    sampler_noise(same, 1, 0);
    train_once(t);
    memcpy(drawn, sampler_draw(s), sizeof drawn);
    const float loss = *t->measure[0].at;
    assert_true(isfinite(loss));
    sampler_draw(same);
    assert_memory_equal(s->sample, drawn, sizeof drawn);
    assert_memory_equal(same->sample, drawn, sizeof drawn);
    assert_float_equal(*t->measure[0].at, loss, 0);
    train_once(t);
    assert_memory_equal(s->sample, drawn, sizeof drawn);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_request_gets_the_same_memory),
        cmocka_unit_test(plans_of_a_run_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
