// The recipe is a config: data, one network, one cross-entropy. What it does not know is the data
// set, so that is handed in as overrides, and everything else (training, checking, running the
// network) is what every experiment uses.
#include "eval/scorer.h"

#include "base/arena.h"
#include "base/image.h"
#include "base/text.h"
#include "codegen/plan.h"

#include <sha256.h>
#include <inttypes.h>
#include <omp.h>
#include <string.h>
#include <sys/utsname.h>

static bool about_batches(const char *key)
{
    static const char *const own[] = {"batch", "split", "sampling"};
    for (size_t i = 0; i < LENGTH(own); i++)
        if (!strcmp(key, own[i]))
            return true;
    return false;
}

// The data source as overrides of the recipe's, then its shape and classes.
static int overrides(struct arena *a, const struct data_source *source, const char **out, int room)
{
    const struct dataset *s = source->dataset;
    int n = 0;
    if (source->node->kind == NODE_SCALAR)
        out[n++] = arena_printf(a, "data.real.dataset=%s", source->node->text);
    for (int i = 0; source->node->kind == NODE_MAP && i < source->node->n && n < room - 2; i++) {
        const struct entry *e = &source->node->entry[i];
        if (about_batches(e->key))
            continue;
        struct text value;
        text_init(&value);
        node_write_flow(e->value, &value);
        out[n++] = arena_printf(a, "data.real.%s=%s", e->key, value.s);
        text_release(&value);
    }
    out[n++] = arena_printf(
        a, "networks.classifier.inputs.image=[%" PRId64 ", %" PRId64 ", %" PRId64 "]", s->channels,
        s->height, s->width);
    out[n++] = arena_printf(a, "networks.classifier.outputs.class=[{dense: %d}]", s->classes);
    return n;
}

static const char *sha256_hex(struct arena *a, const void *const *part, const size_t *size, int n)
{
    SHA2_CTX context;
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    SHA256Init(&context);
    for (int i = 0; i < n; i++)
        SHA256Update(&context, part[i], size[i]);
    return SHA256End(&context, hex);
}

static const char *scorer_key_of(struct arena *a, const struct config *recipe,
                                 const struct dataset *s)
{
    const char *hash = config_hash(a, recipe, true);
    return sha256_hex(a, (const void *[]){hash, s->fingerprint},
                      (size_t[]){strlen(hash), strlen(s->fingerprint)}, 2);
}

static const char *weights_hash(struct arena *a, const struct experiment *e, const float *slab)
{
    SHA2_CTX context;
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    SHA256Init(&context);
    for (int i = 0; i < e->slots.n; i++) {
        const struct slot *slot = e->slots.slot[i];
        if (slot->kind != SLOT_PARAM && slot->kind != SLOT_BUFFER)
            continue;
        struct arena *scratch = arena_new(NULL);
        SHA256Update(&context, (const uint8_t *)slot->name, strlen(slot->name));
        SHA256Update(&context, (const uint8_t *)slot_get(slot, slab, scratch),
                     sizeof *slab * (size_t)shape_size(slot->shape));
        arena_free(scratch);
    }
    return SHA256End(&context, hex);
}

// One batch of n, the rest of it zeros: (batch, classes + features)
static const float *look_at_batch(struct scorer *s, const float *image, int64_t n, int64_t size)
{
    float *to = sampler_input(s->output, "real.image");
    ASSERT(to && n >= 1 && n <= s->batch);
    for (int64_t i = 0; i < n * size; i++)
        to[i] = (float)image_byte(image[i]) / 127.5f - 1;
    memset(to + n * size, 0, sizeof *to * (size_t)((s->batch - n) * size));
    return sampler_draw(s->output);
}

void scorer_look(struct scorer *s, const float *image, int64_t n, double *log_p, float *feature)
{
    ASSERT(log_p || feature);
    const struct dataset *data = s->source->dataset;
    const int64_t size = data->channels * data->height * data->width, K = s->classes,
                  F = s->features;
    for (int64_t from = 0; from < n; from += s->batch) {
        const int64_t m = n - from < s->batch ? n - from : s->batch;
        const float *y = look_at_batch(s, image + from * size, m, size);
        for (int64_t i = 0; i < m; i++, y += K + F) {
            if (log_p)
                log_softmax_rows(y, 1, s->classes, log_p + (from + i) * K);
            if (feature)
                memcpy(feature + (from + i) * F, y + K, sizeof *y * (size_t)F);
        }
    }
}

// The share of the test split that is classified as its label.
static bool measure_accuracy(struct scorer *s, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    const struct dataset *t = s->test;
    const int64_t size = t->channels * t->height * t->width;
    float *image = NEW_ARRAY(a, float, s->batch *size);
    int32_t *label = NEW_ARRAY(a, int32_t, s->batch);
    double *log_p = NEW_ARRAY(a, double, s->batch * s->classes);
    int64_t right = 0;
    bool ok = true;
    for (int64_t from = 0; ok && from < t->count; from += s->batch) {
        const int64_t n = t->count - from < s->batch ? t->count - from : s->batch;
        for (int64_t i = 0; ok && i < n; i++)
            ok = t->kind->get(t, from + i, image + i * size, &label[i]);
        scorer_look(s, image, n, log_p, NULL);
        for (int64_t i = 0; i < n; i++) {
            int best = 0;
            for (int k = 1; k < s->classes; k++)
                if (log_p[i * s->classes + k] > log_p[i * s->classes + best])
                    best = k;
            right += best == label[i];
        }
    }
    arena_free(a);
    s->record.accuracy = (double)right / (double)t->count;
    return ok || fail(d, s->source->where, "an example of the test split could not be read");
}

bool scorer_reference(struct arena *a, struct scorer *s, int64_t N, struct rows *out,
                      struct diag *d)
{
    const struct dataset *t = s->source->dataset;
    const int64_t size = t->channels * t->height * t->width, all = N < t->count ? N : t->count;
    float *feature = NEW_ARRAY(a, float, all * s->features),
          *image = NEW_ARRAY(a, float, s->batch *size);
    int32_t label;
    for (int64_t from = 0; from < all; from += s->batch) {
        const int64_t n = all - from < s->batch ? all - from : s->batch;
        for (int64_t i = 0; i < n; i++)
            if (!t->kind->get(t, from + i, image + i * size, &label))
                return fail(d, s->source->where, "example %" PRId64 " could not be read", from + i);
        scorer_look(s, image, n, NULL, feature + from * s->features);
    }
    *out = (struct rows){all, s->features, feature, NULL};
    return true;
}

static bool train(struct trainer *t, const struct observer *o, const volatile sig_atomic_t *stop,
                  struct diag *d)
{
    switch (trainer_run(t, o, stop)) {
    case OUTCOME_DONE: return true;
    case OUTCOME_INTERRUPTED: return false;
    default: return fail(d, (struct place){0}, "the scorer could not be trained");
    }
}

static const char *origin_here(struct arena *a)
{
    struct utsname name;
    const int threads = omp_get_max_threads();
    uname(&name);
    return arena_printf(a, "%d thread%s, %s, %s, host %s", threads, threads == 1 ? "" : "s",
                        plan_isa(), plan_library_version(), name.nodename);
}

struct scorer *scorer_open(struct arena *a, const char *recipe, const struct data_source *source,
                           struct workspace *workspace, const struct scorer_cache *cache,
                           const struct observer *o, const volatile sig_atomic_t *stop,
                           struct diag *d)
{
    const char *override[64];
    if (source->dataset->classes < 2) {
        fail(d, source->where,
             "this data set has no labels, and the scorer is trained on labels\nscores of its "
             "samples need a data set with labels");
        return NULL;
    }
    const int n = overrides(a, source, override, (int)LENGTH(override));
    struct config *config = config_parse(a, "configs/scorer.yaml", recipe, override, n, d);
    struct experiment *e = config ? experiment_read(a, config, d) : NULL;
    if (!e)
        return NULL;
    e->workspace = workspace;
    struct trainer *t = trainer_new(a, e, TRAINER_TRAINS, d);
    if (!t)
        return NULL;
    struct scorer *s = NEW(a, struct scorer);
    *s = (struct scorer){.classes = source->dataset->classes, .batch = 250, .source = &e->data[0]};
    s->key = scorer_key_of(a, config, s->source->dataset);
    s->test = dataset_open_split(a, s->source->dataset, SPLIT_TEST, d);
    s->output = sampler_new(a, e, t->slab, s->batch,
                            "concat(classifier(real.image).class, classifier(real.image).features)",
                            false, d);
    if (!s->test || !s->output)
        return NULL;
    s->features = shape_size(s->output->is.shape) - s->classes;
    if (!cache->load(cache->context, s->key, e, t->slab, &s->record)) {
        if (!train(t, o, stop, d) || !measure_accuracy(s, d))
            return NULL;
        s->record.origin = origin_here(a);
        if (!cache->save(cache->context, s->key, e, t->slab, &s->record))
            warn(d, WARNING_scorer_not_kept, (struct place){0},
                 "the trained scorer could not be kept; the next run trains it again");
    }
    s->sha256 = weights_hash(a, e, t->slab);
    return s;
}
