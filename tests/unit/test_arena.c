// What an arena gives is aligned, zeroed and apart; under ASan what lies between is nobody's.
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_is_given_is_aligned_zeroed_and_apart(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    unsigned char *given[200];
    for (int i = 0; i < 200; i++) {
        const size_t n = (size_t)i * (size_t)i;
        given[i] = arena_alloc(a, n);
        assert_int_equal((uintptr_t)given[i] % (n >= 64 ? 64 : 16), 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(given[i][k], 0);
        memset(given[i], i, n);
    }
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < i * i; k++)
            assert_int_equal(given[i][k], (unsigned char)i);
    arena_free(a);
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

static void what_was_not_given_is_poisoned(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    for (size_t n = 1; n < 5000; n = 2 * n + 3) {
        char *p = arena_alloc(a, n), *q = arena_room(a, n);
        assert_null(__asan_region_is_poisoned(p, n));
        assert_null(__asan_region_is_poisoned(q, n));
        assert_true(__asan_address_is_poisoned(p + n));
        assert_true(__asan_address_is_poisoned(p + n + 32));
        assert_true(__asan_address_is_poisoned(q + n));
    }
    arena_free(a);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_is_aligned_zeroed_and_apart),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(what_was_not_given_is_poisoned),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
