// Modes covered: of a mixture of Gaussians whose modes are known, how many have a sample within
// three deviations that is nearest to them. A sample further from every mode counts for none.
// Srivastava, Valkov, Russell, Gutmann, Sutton 2017, "VEEGAN: reducing mode collapse in GANs using
// implicit variational learning", arXiv:1705.07761, with 2500 samples; so do Lin, Khetan,
// Fanti, Oh 2018, "PacGAN", arXiv:1712.04086. One sample is enough to cover a mode, so the number
// grows with N: it is comparable under the same N only.
#include "eval/near.h"

#include "base/arena.h"
#include "data/mixture.h"

#include <math.h>

static struct score modes(const struct evidence *e, const void *params)
{
    const struct near *p = params;
    struct arena *a = arena_new(NULL);
    struct modes m;
    if (!mixture_modes(e->data, &m))
        BUG("modes of '%s'", e->data->kind->word.name);
    bool *found = NEW_ARRAY(a, bool, m.n);
    int n = 0;
    for (int64_t i = 0; i < e->of.n; i++) {
        const int k = mixture_near(&m, e->of.x + 2 * i, p->within);
        if (k >= 0 && !found[k])
            found[k] = true, n++;
    }
    arena_free(a);
    return (struct score){n, NAN};
}

const struct metric metric_modes = {
    .word =
        {.name = "modes",
         .help =
             "modes of `ring` or `grid` that samples are found near; higher is better, at most all",
         .params = near_params,
         .size = sizeof(struct near)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_MODES,
    .compute = modes,
};
