// A data set whose distribution is known: which modes a generator finds and which it drops can be
// seen, as it cannot with photographs. A point is a function of (split, index) alone, and every n
// examples in a row hold every mode once, so that each split has exactly as many of each.
#include "data/mixture.h"

#include <math.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "base/philox.h"

// Change it with anything that moves a point: it goes into the fingerprint.
#define VERSION "1"

static const uint64_t key[] = {
    [SPLIT_TRAIN] = 0x706F696E74730001u, [SPLIT_TEST] = 0x706F696E74730002u};

struct mixture {
    enum split split;
    const struct mode *mode;
    double deviation;
};

bool mixture_open(struct dataset *s, enum split split, const struct mixture_options *o,
                  int64_t modes, struct mode (*place)(const struct mixture_options *, int64_t),
                  const char *name, const char *length, struct arena *a)
{
    struct mixture *own = NEW(a, struct mixture);
    ASSERT(modes > 0 && o->deviation > 0);
    struct mode *mode = NEW_ARRAY(a, struct mode, modes);
    for (int64_t k = 0; k < modes; k++)
        mode[k] = place(o, k);
    *own = (struct mixture){split, mode, o->deviation};
    s->state = own;
    s->channels = 2;
    s->height = s->width = 1;
    s->count = split == SPLIT_TRAIN ? 100000 : 10000;
    s->classes = (int)modes;
    const char *all = arena_printf(a, "mixture " VERSION " split %d %s %d %s %.17g deviation %.17g",
                                   (int)split, name, (int)o->n, length, o->length, o->deviation);
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    s->fingerprint = SHA256Data((const uint8_t *)all, strlen(all), hex);
    return true;
}

// x = mode + deviation · N(0, 1)
bool mixture_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct mixture *own = s->state;
    struct rng r;
    rng_init(&r, key[own->split], (uint64_t)index);
    *label = (int32_t)(index % s->classes);
    const double x = rng_normal(&r), y = rng_normal(&r);
    image[0] = own->mode[*label].x + (float)(own->deviation * x);
    image[1] = own->mode[*label].y + (float)(own->deviation * y);
    return true;
}

bool mixture_modes(const struct dataset *s, struct modes *out)
{
    if (s->kind->get != mixture_get)
        return false;
    const struct mixture *own = s->state;
    *out = (struct modes){own->mode, s->classes, own->deviation};
    return true;
}

int mixture_near(const struct modes *m, const float *point, double within)
{
    ASSERT(m->n > 0 && m->deviation > 0 && within >= 0);
    int nearest = -1;
    double least = INFINITY;
    for (int k = 0; k < m->n; k++) {
        const double away = hypot(point[0] - m->at[k].x, point[1] - m->at[k].y);
        if (away < least)
            least = away, nearest = k;
    }
    return least <= within * m->deviation ? nearest : -1;
}
