// The subset is a list of indices into the whole, made once by looking at the labels in order.
// Drawing n examples at random would have to be repeated exactly by whoever compares with this
// experiment; the first n of each class need no seed.
#include "data/subset.h"

#include <sha2.h>
#include <string.h>

#include "base/arena.h"

struct subset {
    const struct dataset *of;
    int64_t *index;
    int n;
};

static bool subset_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct subset *own = s->state;
    return own->of->kind->get(own->of, own->index[index], image, label);
}

static bool subset_get_own(const struct dataset *s, int64_t index, int k, float *to)
{
    const struct subset *own = s->state;
    return own->of->kind->get_own(own->of, own->index[index], k, to);
}

// False when an example is damaged.
static bool subset_choose(struct subset *own, int64_t per_class, struct arena *a)
{
    const struct dataset *of = own->of;
    float *image = NEW_ARRAY(a, float, of->channels * of->height * of->width);
    int64_t *left = NEW_ARRAY(a, int64_t, of->classes), wanted = per_class * of->classes;
    for (int k = 0; k < of->classes; k++)
        left[k] = per_class;
    for (int64_t i = 0; i < of->count && wanted > 0; i++) {
        int32_t label;
        if (!of->kind->get(of, i, image, &label))
            return false;
        ASSERT(label >= 0 && label < of->classes);
        if (!left[label])
            continue;
        left[label]--;
        wanted--;
        APPEND(a, own->index, own->n, i);
    }
    return true;
}

struct dataset *subset_open(struct arena *a, const struct dataset *of, int64_t per_class,
                            struct place where, struct diag *d)
{
    ASSERT(per_class > 0 && of->count > 0);
    struct dataset *s = NEW(a, struct dataset);
    struct dataset_kind *kind = NEW(a, struct dataset_kind);
    struct subset *own = NEW(a, struct subset);
    *own = (struct subset){.of = of};
    if (!of->classes) {
        fail(d, where,
             "data set '%s' has no classes\nexpected a source with labels beside `per_class:`",
             of->kind->word.name);
        return NULL;
    }
    if (!subset_choose(own, per_class, a)) {
        fail(d, where, "an example of data set '%s' is damaged", of->kind->word.name);
        return NULL;
    }
    *kind = *of->kind;
    kind->get = subset_get;
    kind->get_own = subset_get_own;
    *s = *of;
    s->kind = kind;
    s->state = own;
    s->count = own->n;
    s->found = of->found ? of->found : of->count;
    s->beside = arena_printf(a, "%d of them used, %lld of each class%s%s", own->n,
                             (long long)per_class, of->beside ? "; " : "",
                             of->beside ? of->beside : "");
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    const char *text = arena_printf(a, "%s per_class %d", of->fingerprint, (int)per_class);
    s->fingerprint = SHA256Data((const uint8_t *)text, strlen(text), hex);
    return s;
}
