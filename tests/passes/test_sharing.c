// What updates share, counted in the plans of a real config: which convolutions an iteration of
// dcgan does, one way round and the other.
#include "codegen/plan.h"
#include "support/experiment.h"

static const char discriminator_first[] =
    "train.iteration=[{update: discriminator}, {update: generator}]";
static const char generator_first[] =
    "train.iteration=[{update: generator}, {update: discriminator}]";
static const char at_once[] =
    "train.iteration=[{simultaneous: [{update: discriminator}, {update: generator}]}]";

static struct fixture load(const char *order, const char *loss)
{
    const char *override[] = {order, loss, "compile.minimal_filtering=false"};
    struct fixture f = {.arena = arena_new(NULL)};
    f.diag = diag_new(f.arena);
    const struct config *c = config_load(f.arena, "configs/dcgan.yaml", override, LENGTH(override),
                                         f.diag);
    f.e = c ? experiment_read(f.arena, c, f.diag) : NULL;
    f.p = f.e ? program_training(f.e, 0, f.arena, f.diag) : NULL;
    if (!f.p)
        show(&f);
    assert_non_null(f.p);
    f.slab = NEW_ARRAY(f.arena, float, f.e->slots.floats);
    return f;
}

struct convolutions {
    int generator, discriminator, weight_gradients; // of either network; of both
};

// Steps of the plan that are convolutions in any direction.
static struct convolutions count(const char *order, const char *loss)
{
    struct convolutions n = {0};
    struct fixture f = load(order, loss);
    passes_run(f.p->graph, NULL);
    struct plan *plan = plan_new(f.arena, f.p->graph, f.slab, 0);
    for (int i = 0; i < plan_steps(plan); i++) {
        const struct value *v = plan_step_value(plan, i);
        if (v->op != &op_conv && v->op != &op_conv_data_grad && v->op != &op_conv_weight_grad)
            continue;
        n.weight_gradients += v->op == &op_conv_weight_grad;
        n.generator += !strncmp(v->label, "generator", 9);
        n.discriminator += !strncmp(v->label, "discriminator", 13);
    }
    arena_free(f.arena);
    return n;
}

// The generator's three convolutions run once for both updates; back through them go three data
// gradients (a dense layer stands before them) and three weight gradients. The discriminator's four
// run for real and fake, and, since it has changed, for the fake again. Its own update takes four
// weight gradients and three data gradients of real and of fake; the generator's, four data
// gradients.
static void discriminator_first_shares_the_fake(void **state)
{
    (void)state;
    const struct convolutions n = count(discriminator_first, "games.0.loss=log");
    assert_int_equal(n.generator, 3 + 3 + 3);
    assert_int_equal(n.discriminator, 3 * 4 + 2 * (4 + 3) + 4);
    assert_int_equal(n.weight_gradients, 3 + 2 * 4);
}

// Now the generator has changed before the discriminator reads it, so its fake is another: three
// convolutions more. The discriminator has not, but what it judges has.
static void generator_first_makes_its_fake_anew(void **state)
{
    (void)state;
    const struct convolutions n = count(generator_first, "games.0.loss=log");
    assert_int_equal(n.generator, 3 + 3 + 3 + 3);
    assert_int_equal(n.discriminator, 3 * 4 + 2 * (4 + 3) + 4);
    assert_int_equal(n.weight_gradients, 3 + 2 * 4);
}

// Where both losses read discriminator(real), both updates do, and only the order that leaves the
// discriminator alone in between computes it once.
static void a_real_batch_is_shared_while_the_discriminator_stays(void **state)
{
    (void)state;
    struct convolutions n = count(discriminator_first, "games.0.loss=relativistic");
    assert_int_equal(n.generator, 3 + 3 + 3);
    assert_int_equal(n.discriminator, 4 * 4 + 2 * (4 + 3) + 4);
    n = count(generator_first, "games.0.loss=relativistic");
    assert_int_equal(n.generator, 3 + 3 + 3 + 3);
    assert_int_equal(n.discriminator, 3 * 4 + 2 * (4 + 3) + 4);
}

// At once, both read one discriminator(fake). Its batch statistics couple samples, so each goes back
// by itself (four data gradients to the picture); unless the generator's loss is the negative of the
// discriminator's, when only the last of these is left.
static void simultaneous_updates_share_what_is_said_of_the_fake(void **state)
{
    (void)state;
    struct convolutions n = count(at_once, "games.0.loss=log");
    assert_int_equal(n.generator, 3 + 3 + 3);
    assert_int_equal(n.discriminator, 2 * 4 + 2 * (4 + 3) + 4);
    assert_int_equal(n.weight_gradients, 3 + 2 * 4);
    n = count(at_once, "games.0.loss={log: {saturating: true}}");
    assert_int_equal(n.discriminator, 2 * 4 + 2 * (4 + 3) + 1);
    assert_int_equal(n.weight_gradients, 3 + 2 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discriminator_first_shares_the_fake),
        cmocka_unit_test(generator_first_makes_its_fake_anew),
        cmocka_unit_test(a_real_batch_is_shared_while_the_discriminator_stays),
        cmocka_unit_test(simultaneous_updates_share_what_is_said_of_the_fake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
