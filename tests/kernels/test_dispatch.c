// A whole program as it would be on a smaller machine: what tells oneDNN to do without instructions
// tells our kernels too, and what is recorded of a run says so.
#include "codegen/plan.h"
#include "codegen/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static void a_lower_limit_is_obeyed(void **state)
{
    (void)state;
    const char *const want = kernels_at(1) ? "avx2" : "portable";
    assert_string_equal(kernels()->isa, want);
    assert_null(strstr(plan_isa(), "avx512"));
    assert_false(plan_multiplies(TYPE_BF16));
}

int main(void)
{
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1); // oneDNN reads it once
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_lower_limit_is_obeyed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
