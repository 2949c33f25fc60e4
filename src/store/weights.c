// A checkpoint restores a run and must fit it in every slot; weights that are loaded start one, and
// fit a network. So the names are looked up network by network, a name may lack the network's own,
// and what else the file holds (another network, a classifier's last layer, num_batches_tracked) is
// not read.
#include "store/weights.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/safetensors.h"

#include <string.h>

static bool weights_fits(const struct tensor *t, struct shape s)
{
    if (t->type != TENSOR_F32 || t->rank != s.rank)
        return false;
    for (int i = 0; i < s.rank; i++)
        if (t->dim[i] != s.dim[i])
            return false;
    return true;
}

static const struct tensor *weights_find(const struct safetensors *file, const struct network *net,
                                         const struct slot *slot)
{
    ASSERT(strlen(slot->name) > strlen(net->name));
    const struct tensor *t = safetensors_find(file, slot->name);
    return t ? t : safetensors_find(file, slot->name + strlen(net->name) + 1);
}

static bool fail_tensor(const struct network *net, const struct slot *slot, const char *problem,
                        struct diag *d)
{
    struct text shape;
    text_init(&shape);
    shape_text(slot->shape, &shape);
    fail(d, net->load_where, "%s: tensor '%s' %s\nexpected %s float32", net->load, slot->name,
         problem, shape.s);
    text_release(&shape);
    return false;
}

// A tensor of another shape: most often a network made for other classes, or images of another size.
static bool fail_shape(const struct network *net, const struct slot *slot, const struct tensor *t,
                       struct diag *d)
{
    struct shape is = {.rank = t->rank < RANK_MAX ? t->rank : RANK_MAX};
    struct text there, wanted;
    text_init(&there);
    text_init(&wanted);
    memcpy(is.dim, t->dim, sizeof *is.dim * (size_t)is.rank);
    shape_text(is, &there);
    shape_text(slot->shape, &wanted);
    fail(d, net->load_where,
         "%s: tensor '%s' is %s there%s, but %s in network '%s' (line %d)\n"
         "expected the network as it was when it was saved: the same classes, sizes and filters",
         net->load, slot->name, there.s, t->type == TENSOR_F32 ? "" : " and no float32", wanted.s,
         net->name, slot->where.line);
    text_release(&there);
    text_release(&wanted);
    return false;
}

static bool weights_check(const struct safetensors *file, const struct network *net,
                          struct slot *const *slot, int n, struct diag *d)
{
    bool good = true;
    for (int i = 0; i < n; i++) {
        const struct tensor *t = weights_find(file, net, slot[i]);
        if (!t)
            good = fail_tensor(net, slot[i], "is missing", d);
        else if (!weights_fits(t, slot[i]->shape))
            good = fail_shape(net, slot[i], t, d);
    }
    return good;
}

static void weights_fill(const struct safetensors *file, const struct network *net,
                         struct slot *const *slot, int n, const struct slots *slots, float *slab)
{
    for (int i = 0; i < n; i++)
        slot_put(slot[i], slab, weights_find(file, net, slot[i])->data);
    for (int i = 0; i < slots->n; i++) {
        const struct slot *average = slots->slot[i];
        const char *of = average->kind == SLOT_AVERAGE ? strchr(average->name, '/') : NULL;
        for (int j = 0; of && j < n; j++)
            if (!strcmp(of + 1, slot[j]->name))
                slot_put(average, slab, weights_find(file, net, slot[j])->data);
    }
}

bool weights_load(struct network *const *net, int n, const struct slots *slots, float *slab,
                  struct diag *d)
{
    struct arena *a = arena_new(NULL);
    struct safetensors **file = NEW_ARRAY(a, struct safetensors *, n + 1);
    bool good = true;
    for (int i = 0; i < n; i++) {
        if (!net[i]->load)
            continue;
        file[i] = safetensors_open(a, net[i]->load, d);
        if (!file[i])
            fail(d, net[i]->load_where, "'load' of network '%s' gives no weights", net[i]->name);
        good &= file[i] && weights_check(file[i], net[i], net[i]->param, net[i]->n_param, d) &&
                weights_check(file[i], net[i], net[i]->buffer, net[i]->n_buffer, d);
    }
    for (int i = 0; slab && good && i < n; i++) {
        if (!file[i])
            continue;
        weights_fill(file[i], net[i], net[i]->param, net[i]->n_param, slots, slab);
        weights_fill(file[i], net[i], net[i]->buffer, net[i]->n_buffer, slots, slab);
    }
    arena_free(a);
    return good;
}
