// The share of samples within three deviations of a mode, of a mixture of Gaussians whose modes are
// known. Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761; Lin et al. 2018 (PacGAN),
// arXiv:1712.04086. Of the data themselves 1 − exp(−3² / 2) = 0.9889; a generator that puts all
// samples onto the modes has more, so the real score is what to come near, not what to beat. It
// says nothing about dropped modes: `modes` does.
#include "eval/near.h"

#include "base/diag.h"
#include "data/mixture.h"

#include <math.h>

static struct score high_quality(const struct evidence *e, const void *params)
{
    const struct near *p = params;
    struct modes m;
    int64_t near = 0;
    if (!mixture_modes(e->data, &m))
        BUG("modes of '%s'", e->data->kind->word.name);
    for (int64_t i = 0; i < e->of.n; i++)
        near += mixture_near(&m, e->of.x + 2 * i, p->within) >= 0;
    return (struct score){(double)near / (double)e->of.n, NAN};
}

const struct metric metric_high_quality = {
    .word = {.name = "high_quality",
             .help = "share of samples near a mode of `ring` or `grid`; higher is better, 0.989 of "
                     "real data",
             .params = near_params,
             .size = sizeof(struct near)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_MODES,
    .compute = high_quality,
};
