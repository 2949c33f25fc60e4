#include "store/checkpoint.h"

#include "base/arena.h"
#include "base/finite.h"
#include "base/text.h"

#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

struct content {
    const struct slot *slot;
    const float *slab;
};

// In order only while it is written: together, copies would be a second slab.
static const void *checkpoint_load(const void *context, struct arena *a)
{
    const struct content *c = context;
    return slot_get(c->slot, c->slab, a);
}

bool checkpoint_write(const char *path, const struct experiment *e, const float *slab, int64_t step,
                      const struct metadata *extra, int n_extra, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    ASSERT(slab && step >= 0);
    struct tensor *tensor = NEW_ARRAY(a, struct tensor, e->slots.n + 1);
    struct content *content = NEW_ARRAY(a, struct content, e->slots.n + 1);
    for (int i = 0; i < e->slots.n; i++) {
        const struct slot *s = e->slots.slot[i];
        content[i] = (struct content){s, slab};
        tensor[i] = (struct tensor){.name = s->name,
                                    .type = TENSOR_F32,
                                    .rank = s->shape.rank,
                                    .load = checkpoint_load,
                                    .context = &content[i]};
        memcpy(tensor[i].dim, s->shape.dim, sizeof *s->shape.dim * (size_t)s->shape.rank);
    }
    struct text yaml;
    text_init(&yaml);
    node_write(e->config->root, &yaml);
    struct text data;
    text_init(&data);
    data_remember(e, &data);
    struct metadata *metadata = NEW_ARRAY(a, struct metadata, n_extra + 5);
    metadata[0] = (struct metadata){"step", arena_printf(a, "%" PRId64, step)};
    metadata[1] = (struct metadata){"seed", arena_printf(a, "%" PRId64, e->seed)};
    metadata[2] = (struct metadata){"config_hash", config_hash(a, e->config, false)};
    metadata[3] = (struct metadata){"config", yaml.s};
    metadata[4] = (struct metadata){"data", data.s};
    if (n_extra)
        memcpy(metadata + 5, extra, sizeof *extra * (size_t)n_extra);
    const bool ok = safetensors_write(path, tensor, e->slots.n, metadata, n_extra + 5, d);
    text_release(&yaml);
    text_release(&data);
    arena_free(a);
    return ok;
}

// What an earlier version, or another program, wrote.
static bool checkpoint_finite(const struct safetensors *file, const char *path, struct diag *d)
{
    for (int i = 0; i < file->n; i++) {
        const struct tensor *t = &file->tensor[i];
        if (t->type == TENSOR_F32 && !floats_finite(t->data, (size_t)tensor_elements(t)))
            return fail(d, (struct place){0},
                        "%s: tensor '%s' holds NaN or Inf\nthe run had diverged when it was saved",
                        path, t->name);
    }
    return true;
}

static bool checkpoint_same_shape(const struct tensor *t, const struct slot *s)
{
    if (t->type != TENSOR_F32 || t->rank != s->shape.rank)
        return false;
    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] != s->shape.dim[i])
            return false;
    return true;
}

static bool checkpoint_check(const struct safetensors *file, const char *path,
                             const struct experiment *e, struct diag *d)
{
    const struct place nowhere = {0};
    for (int i = 0; i < e->slots.n; i++) {
        const struct tensor *t = safetensors_find(file, e->slots.slot[i]->name);
        if (!t)
            return fail(d, nowhere, "%s: no tensor '%s'\nthe checkpoint is of another experiment",
                        path, e->slots.slot[i]->name);
        if (!checkpoint_same_shape(t, e->slots.slot[i]))
            return fail(
                d, nowhere,
                "%s: tensor '%s' has another shape\nthe checkpoint is of another experiment", path,
                t->name);
    }
    return file->n == e->slots.n || fail(d, nowhere,
                                         "%s: has tensors that this experiment has not\nthe "
                                         "checkpoint is of another experiment",
                                         path);
}

static bool read_step(const struct safetensors *file, const char *path, int64_t *step,
                      struct diag *d)
{
    const char *said = safetensors_metadata(file, "step");
    char *end = NULL;
    *step = said ? strtoll(said, &end, 10) : -1;
    return (*step >= 0 && !*end) ||
           fail(d, (struct place){0}, "%s: does not say which step it is of", path);
}

bool checkpoint_sound(struct arena *a, const char *path, const char *sha256, struct diag *d)
{
    const struct place nowhere = {0};
    char now[SHA256_DIGEST_STRING_LENGTH];
    int64_t step;
    const struct safetensors *file = safetensors_open(a, path, d);
    if (!file || !read_step(file, path, &step, d))
        return false;
    if (!safetensors_metadata(file, "config_hash") || !safetensors_metadata(file, "config"))
        return fail(d, nowhere,
                    "%s: does not say which config it was trained under\nthe checkpoint is of "
                    "another program",
                    path);
    if (!checkpoint_finite(file, path, d))
        return false;
    return !sha256 || (SHA256File(path, now) && !strcmp(now, sha256)) ||
           fail(d, nowhere, "%s: is not the file that was saved: its SHA-256 has changed", path);
}

bool checkpoint_read(struct arena *a, const char *path, const struct experiment *e, float *slab,
                     struct checkpoint *out, struct diag *d)
{
    struct safetensors *file = safetensors_open(a, path, d);
    if (!file || !checkpoint_check(file, path, e, d) || !checkpoint_finite(file, path, d))
        return false;
    const char *hash = safetensors_metadata(file, "config_hash");
    out->config_hash = hash ? hash : "";
    if (!read_step(file, path, &out->step, d))
        return false;
    for (int i = 0; i < e->slots.n; i++) {
        const struct slot *s = e->slots.slot[i];
        slot_put(s, slab, safetensors_find(file, s->name)->data);
    }
    return true;
}
