// A checkpoint knows nothing of how slots lie: written by one machine, it is read by another that
// lays them otherwise.
#include "store/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/experiment.h"

static float *read_slab(const struct fixture *f, const char *path)
{
    struct checkpoint c;
    float *slab = NEW_ARRAY(f->arena, float, f->e->slots.floats);
    assert_true(checkpoint_read(f->arena, path, f->e, slab, &c, f->diag));
    assert_int_equal(c.step, 3);
    return slab;
}

static void a_checkpoint_is_plain_however_slots_lie(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    const size_t bytes = f.e->slots.floats * sizeof *f.slab;
    struct slot *w = slots_find(&f.e->slots, "critic.1.weight"),
                *m = slots_find(&f.e->slots, "adam.m/critic.1.weight");
    float *transposed = NEW_ARRAY(f.arena, float, f.e->slots.floats);
    char plain_path[] = "/tmp/test_checkpoint.XXXXXX",
         transposed_path[] = "/tmp/test_checkpoint.XXXXXX";
    close(mkstemp(plain_path));
    close(mkstemp(transposed_path));
    assert_true(checkpoint_write(plain_path, f.e, f.slab, 3, NULL, 0, f.diag));
    w->layout = layout_transposed(4, 16, 1);
    assert_ptr_equal(slot_layout(m), w->layout);
    experiment_fill(f.e, transposed);
    assert_memory_not_equal(transposed, f.slab, bytes);
    assert_true(checkpoint_write(transposed_path, f.e, transposed, 3, NULL, 0, f.diag));
    assert_memory_equal(read_slab(&f, plain_path), transposed, bytes);
    w->layout = NULL;
    assert_memory_equal(read_slab(&f, transposed_path), f.slab, bytes);
    unlink(plain_path);
    unlink(transposed_path);
    arena_free(f.arena);
}

static void one_with_nan_is_not_read(void **state)
{
    (void)state;
    struct fixture f = READ(head, game, train);
    const struct slot *w = slots_find(&f.e->slots, "critic.1.weight");
    const size_t bytes = f.e->slots.floats * sizeof *f.slab;
    float *slab = NEW_ARRAY(f.arena, float, f.e->slots.floats);
    char path[] = "/tmp/test_checkpoint.XXXXXX";
    struct checkpoint c;
    close(mkstemp(path));
    assert_true(checkpoint_write(path, f.e, f.slab, 3, NULL, 0, f.diag));
    assert_true(checkpoint_sound(f.arena, path, NULL, f.diag));
    f.slab[w->offset + 5] = NAN;
    assert_true(checkpoint_write(path, f.e, f.slab, 3, NULL, 0, f.diag));
    memset(slab, 0, bytes);
    assert_false(checkpoint_sound(f.arena, path, NULL, f.diag));
    assert_false(checkpoint_read(f.arena, path, f.e, slab, &c, f.diag));
    assert_int_equal(diag_errors(f.diag), 2);
    for (size_t i = 0; i < f.e->slots.floats; i++)
        assert_true(slab[i] == 0);
    unlink(path);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_is_plain_however_slots_lie),
        cmocka_unit_test(one_with_nan_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
