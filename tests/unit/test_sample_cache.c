// What is kept comes back bit for bit, whatever its pixels are; what does not fit does not come
// back.
#include <math.h>

#include "base/arena.h"
#include "base/philox.h"
#include "data/sample_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { COUNT = 40, PIXELS_MAX = 200 };

// Paper, ink and grey; by index also nothing but one of them, zeros of both signs, and NaN.
static void make(int64_t index, int64_t pixels, float *image)
{
    const float some[] = {-1, 0.9f, -0.f, 0.f, NAN};
    struct rng r;
    rng_init(&r, 7, (uint64_t)index);
    for (int64_t i = 0; i < pixels; i++) {
        const uint32_t kind = rng_below(&r, 4);
        const float grey = (float)rng_uniform(&r);
        image[i] = kind < 2 ? -1 : kind == 2 ? 0.9f : grey;
        if (index < 5)
            image[i] = some[index];
        else if (index < 10 && kind == 3)
            image[i] = some[index - 5];
    }
}

static void what_is_kept_comes_back(void **state)
{
    (void)state;
    const int64_t pixels[] = {1, 63, 64, 65, PIXELS_MAX};
    for (size_t n = 0; n < LENGTH(pixels); n++) {
        struct arena *a = arena_new(NULL);
        struct sample_cache *k = sample_cache_new(a, COUNT, pixels[n], 1 << 16);
        float image[PIXELS_MAX], same[PIXELS_MAX];
        int32_t label;
        for (int64_t i = COUNT - 1; i >= 0; i--) {
            assert_false(sample_cache_get(k, i, same, &label));
            make(i, pixels[n], image);
            sample_cache_put(k, i, image, (int32_t)(3 * i));
        }
        for (int64_t i = 0; i < COUNT; i++) {
            make(i, pixels[n], image);
            assert_true(sample_cache_get(k, i, same, &label));
            assert_int_equal(label, 3 * i);
            assert_memory_equal(image, same, sizeof(float) * (size_t)pixels[n]);
        }
        arena_free(a);
    }
}

static void room_has_an_end(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct sample_cache *k = sample_cache_new(a, COUNT, PIXELS_MAX, 2000);
    float image[PIXELS_MAX], same[PIXELS_MAX];
    int32_t label;
    int n = 0;
    for (int64_t i = 10; i < COUNT; i++) {
        make(i, PIXELS_MAX, image);
        sample_cache_put(k, i, image, 1);
        if (sample_cache_get(k, i, same, &label)) {
            assert_memory_equal(image, same, sizeof image);
            n++;
        }
    }
    assert_in_range(n, 3, 10);
    sample_cache_put(k, COUNT, image, 1);
    assert_false(sample_cache_get(k, COUNT, same, &label));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_comes_back),
        cmocka_unit_test(room_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
