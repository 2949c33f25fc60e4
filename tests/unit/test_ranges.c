// Every number that a config can say has a range, whatever word takes it: sums and products of such
// numbers are then known not to overflow.
#include "data/dataset.h"
#include "eval/metric.h"
#include "lang/function.h"
#include "lang/sections.h"
#include "losses/losses.h"
#include "nn/init.h"
#include "nn/layer.h"
#include "optimizers/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h> // last: its fail() is another

static int check_table(const char *word, const struct param *table)
{
    int n = 0;
    for (const struct param *p = table; p && p->name; p++) {
        if (!param_is_number(p->type))
            continue;
        if (!(p->min < p->max) || !isfinite(p->min) || !isfinite(p->max)) {
            print_error("'%s' of '%s' has no range\n", p->name, word);
            assert_true(false);
        }
        n++;
    }
    return n;
}

static void every_number_has_a_range(void **state)
{
    (void)state;
    static const struct vocabulary *const all[] = {
        &layers,   &losses, &penalties, &terms,           &dataset_kinds, &metrics,
        &sections, &noises, &functions, &initialisations, &optimizers,    &schedules};
    int n = check_table("layer", beside_layer) + check_table("term", term_params) +
            check_table("source", source_params) + check_table("score", beside_score);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct word *const *w = all[i]->word; *w; w++)
            n += check_table((*w)->name, (*w)->params);
    assert_in_range(n, 70, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number_has_a_range)};
    return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
