// NaN and ±Inf are found wherever they lie; what is merely large, small or zero is none.
#include "base/arena.h"
#include "base/finite.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h> // last: its fail() is another

static void one_among_many_is_found(void **state)
{
    (void)state;
    enum { LONG = 300001 }; // with threads, and a tail
    static const float wrong[] = {NAN, -NAN, INFINITY, -INFINITY};
    struct arena *a = arena_new(NULL);
    float *x = NEW_ARRAY(a, float, LONG);
    for (int i = 0; i < LONG; i++)
        x[i] = i % 2 ? FLT_MAX : -1e-45f;
    for (int n = 0; n < 70; n++)
        assert_true(floats_finite(x, (size_t)n));
    assert_true(floats_finite(x, LONG));
    static const int at[] = {0, 1, 15, 16, 63, LONG / 2, LONG - 2, LONG - 1};
    for (size_t k = 0; k < LENGTH(at); k++)
        for (size_t w = 0; w < LENGTH(wrong); w++) {
            const float was = x[at[k]];
            x[at[k]] = wrong[w];
            assert_false(floats_finite(x, LONG));
            assert_false(floats_finite(x, (size_t)at[k] + 1));
            assert_true(floats_finite(x, (size_t)at[k]));
            x[at[k]] = was;
        }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_among_many_is_found)};
    return cmocka_run_group_tests_name("finite", tests, NULL, NULL);
}
