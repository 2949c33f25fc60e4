// A score that its data cannot give is refused before training: the expression is built once, and
// what it reads and how large it is are held against what the score looks at. Finding out when the
// first score is due would waste the steps before it.
#include "eval/subject.h"

#include "base/arena.h"
#include "base/memory_left.h"
#include "base/size.h"
#include "data/mixture.h"

#include <inttypes.h>
#include <string.h>

// The generator's noise for scores: apart from training's and the grids'.
enum { SCORE_SEED = 0x15C0 };

// --- what can be scored --------------------------------------------------------------------------

static const struct data_source *real_source(const struct experiment *e)
{
    if (e->n_game && e->game[0].real[0]->kind == EXPR_FIELD) {
        const struct expression *field = e->game[0].real[0];
        for (int i = 0; field->n_arg == 1 && i < e->n_data; i++)
            if (field->arg[0]->kind == EXPR_NAME && !strcmp(field->arg[0]->name, e->data[i].name))
                return &e->data[i];
    }
    return e->n_data ? &e->data[0] : NULL;
}

static bool labelled(const struct data_source *s) { return s->dataset->classes >= 2; }

// What an expression is and reads.
struct subject_reading {
    const struct program *program;
    const struct data_source *source; // of its examples; NULL: it reads none
    bool several;
};

static struct subject_reading subject_read_inputs(const struct program *p)
{
    struct subject_reading r = {.program = p};
    for (int i = 0; i < p->n_input; i++) {
        const struct data_source *s = p->input[i].source;
        r.several |= s && r.source && s != r.source;
        r.source = s ? s : r.source;
    }
    return r;
}

static bool fits_examples(const struct subject_reading *r, const struct metric *m,
                          struct place where, struct diag *d)
{
    if (!r->source || r->several)
        return fail(d, where,
                    "'%s' looks at examples, and what it is given reads %s\n"
                    "expected what a network makes of one source's examples, such as "
                    "{%s: {of: NETWORK(real.image)}}",
                    m->word.name, r->source ? "several sources" : "none", m->word.name);
    return labelled(r->source) || fail(d, where, "'%s' needs data with labels, which '%s' has not",
                                       m->word.name, r->source->name);
}

static bool subject_same_shape(struct shape is, const struct dataset *s)
{
    return is.rank == 3 && is.dim[0] == s->channels && is.dim[1] == s->height &&
           is.dim[2] == s->width;
}

static bool fits_scorer(const struct subject_reading *r, const struct data_source *real,
                        const struct metric *m, struct place where, struct diag *d)
{
    if (!labelled(real))
        return fail(d, where,
                    "'%s' needs data with labels, which '%s' has not\n"
                    "its scorer is a classifier of the data; leave the score out with "
                    "evaluate.scores=[]",
                    m->word.name, real->name);
    if (real->dataset->height == 1 && real->dataset->width == 1)
        return fail(d, where,
                    "'%s' asks a classifier of pictures, and '%s' has points\n"
                    "expected scores of points: modes, high_quality",
                    m->word.name, real->name);
    return subject_same_shape(r->program->sample.shape, real->dataset) ||
           fail(d, where,
                "what is sampled has not the shape of the data, so '%s' cannot hold it against "
                "them\nexpected (%" PRId64 ", %" PRId64 ", %" PRId64 ")",
                m->word.name, real->dataset->channels, real->dataset->height, real->dataset->width);
}

static bool fits_modes(const struct subject_reading *r, const struct data_source *real,
                       const struct metric *m, struct place where, struct diag *d)
{
    struct modes modes;
    if (!mixture_modes(real->dataset, &modes))
        return fail(d, where,
                    "'%s' needs data whose modes are known, which '%s' has not\n"
                    "expected data set ring or grid",
                    m->word.name, real->name);
    return shape_size(r->program->sample.shape) == 2 ||
           fail(d, where, "'%s' looks at points, and this is none\nexpected two numbers",
                m->word.name);
}

// What subject_new will take, as far as it is known before there is a scorer.
static bool fits_memory(const struct experiment *e, const struct subject_reading *r,
                        const struct data_source *real, const struct metric *m, struct diag *d)
{
    const unsigned looks_at = metric_looks_at(m);
    const int64_t N = e->evaluate.samples, size = shape_size(r->program->sample.shape);
    int64_t each = 0;
    if (looks_at & METRIC_NUMBERS)
        each = size_product(size, sizeof(float));
    if (looks_at & METRIC_SCORER)
        each = size_sum(each, real->dataset->classes * (int64_t)sizeof(double));
    const struct memory_left left = memory_left();
    const int64_t all = size_product(each, N);
    return all <= left.bytes ||
           fail(d, e->evaluate.where,
                "%" PRId64 " samples for '%s' need %.3g GB of memory, and %.3g GB are %s\n"
                "expected fewer `samples:`",
                N, m->word.name, 1e-9 * (double)all, 1e-9 * (double)left.bytes, left.why);
}

static const struct expression *looked_at(const struct experiment *e, const struct scored *asked)
{
    return asked->of ? asked->of : e->evaluate.of ? e->evaluate.of : e->samples.of[0];
}

const struct data_source *subject_source(struct experiment *e, const struct scored *asked,
                                         const struct metric *m, struct diag *d)
{
    const struct place where = asked->of ? asked->of->where : asked->word.where;
    const struct data_source *real = real_source(e);
    struct arena *scratch = arena_new(NULL);
    const struct program *p = program_sampling_of(e, scratch, e->evaluate.batch,
                                                  looked_at(e, asked), e->ema_decay > 0, d);
    const struct subject_reading r = p ? subject_read_inputs(p) : (struct subject_reading){0};
    bool fits = p != NULL;
    if (fits && m->looks_at & METRIC_EXAMPLES)
        fits = fits_examples(&r, m, where, d);
    if (fits && asks_scorer(m))
        fits = fits_scorer(&r, real, m, where, d);
    if (fits && m->looks_at & METRIC_MODES)
        fits = fits_modes(&r, real, m, where, d);
    fits = fits && fits_memory(e, &r, real, m, d);
    arena_free(scratch);
    return !fits ? NULL : m->looks_at & METRIC_EXAMPLES ? r.source : real;
}

// --- looking -------------------------------------------------------------------------------------

static int64_t at_most(int64_t n, int64_t limit) { return n < limit ? n : limit; }

// Labels do not change, so they are read once.
static bool subject_read_labels(struct arena *a, const struct dataset *set, struct rows *to,
                                const struct data_source *source, struct diag *d)
{
    float *image = NEW_ARRAY(a, float, set->channels * set->height * set->width);
    int32_t *label = NEW_ARRAY(a, int32_t, to->n);
    for (int64_t i = 0; i < to->n; i++)
        if (!set->kind->get(set, i, image, &label[i]))
            return fail(d, source->where, "example %" PRId64 " of '%s' could not be read", i,
                        source->name);
    to->label = label;
    return true;
}

static bool prepare_split(struct arena *a, struct subject *s, enum split split, int64_t N,
                          struct rows *rows, float **x, struct diag *d)
{
    const struct dataset *set = sampler_split(s->sampler, s->source, split, d);
    if (!set)
        return false;
    *rows = (struct rows){.n = at_most(N, set->count), .size = shape_size(s->sampler->is.shape)};
    rows->x = *x = NEW_ARRAY(a, float, rows->n * rows->size);
    if (split == SPLIT_TEST)
        s->evidence.data = set;
    return subject_read_labels(a, set, rows, s->source, d);
}

static bool prepare_samples(struct arena *a, struct subject *s, const struct look *look)
{
    const int64_t N = look->protocol->samples, size = shape_size(s->sampler->is.shape);
    if (s->looks_at & METRIC_SCORER) {
        s->log_p = NEW_ARRAY(a, double, N * look->scorer->classes);
        s->evidence.said = (struct predictions){N, look->scorer->classes, s->log_p};
    }
    if (s->looks_at & METRIC_FEATURES) {
        s->feature = NEW_ARRAY(a, float, N * look->scorer->features);
        s->evidence.features = (struct rows){N, look->scorer->features, s->feature, NULL};
    }
    if (s->looks_at & METRIC_NUMBERS) {
        s->x = NEW_ARRAY(a, float, N *size);
        s->evidence.of = (struct rows){.n = N, .size = size, .x = s->x};
    }
    return true;
}

struct subject *subject_new(struct arena *a, struct experiment *e, float *slab,
                            const struct expression *of, unsigned looks_at,
                            const struct data_source *source, const struct look *look)
{
    struct subject *s = NEW(a, struct subject);
    const int64_t N = look->protocol->samples;
    ASSERT(N >= 1 && source);
    *s = (struct subject){.of = of, .looks_at = looks_at, .source = source};
    s->evidence.protocol = look->protocol;
    s->sampler = of ? sampler_new_of(a, e, slab, e->evaluate.batch, of, e->ema_decay > 0, look->d)
                    : sampler_new(a, e, slab, e->evaluate.batch, NULL, e->ema_decay > 0, look->d);
    if (!s->sampler)
        return NULL;
    if (!(looks_at & METRIC_EXAMPLES))
        return prepare_samples(a, s, look) ? s : NULL;
    if (!prepare_split(a, s, SPLIT_TEST, N, &s->evidence.of, &s->x, look->d))
        return NULL;
    return !(looks_at & METRIC_TRAINING) ||
                   prepare_split(a, s, SPLIT_TRAIN, N, &s->evidence.training, &s->training_x,
                                 look->d)
               ? s
               : NULL;
}

static bool stopped(const struct look *look) { return look->stop && *look->stop; }

// Rows from … of what has been drawn or read: kept, and shown to the scorer.
static void subject_keep(struct subject *s, float *x, const float *batch, int64_t from, int64_t n,
                         int64_t size, const struct look *look)
{
    ASSERT(n > 0 && from >= 0 && from + n <= look->protocol->samples);
    if (x)
        memcpy(x + from * size, batch, sizeof *x * (size_t)(n * size));
    if (s->log_p || s->feature)
        scorer_look(look->scorer, batch, n,
                    s->log_p ? s->log_p + from * look->scorer->classes : NULL,
                    s->feature ? s->feature + from * look->scorer->features : NULL);
}

// N rows of the sampler, the same noise each time; what it reads of data is the split's, in order.
static bool subject_draw(struct subject *s, enum split split, int64_t N, float *x,
                         const struct look *look)
{
    struct sampler *from = s->sampler;
    const int64_t size = shape_size(from->is.shape);
    for (int64_t i = 0; i < N; i += from->batch) {
        if (stopped(look) || !sampler_data(from, split, i, look->d))
            return false;
        sampler_noise(from, SCORE_SEED ^ (uint64_t)from->experiment->seed,
                      (uint64_t)(i / from->batch));
        subject_keep(s, x, sampler_draw(from), i, at_most(N - i, from->batch), size, look);
        s->finite &= from->finite;
    }
    return true;
}

bool subject_look(struct subject *s, const struct look *look)
{
    const bool examples = s->looks_at & METRIC_EXAMPLES;
    s->evidence.features.n = look->protocol->samples;
    s->finite = true;
    return subject_draw(s, SPLIT_TEST, examples ? s->evidence.of.n : look->protocol->samples, s->x,
                        look) &&
           (!s->training_x ||
            subject_draw(s, SPLIT_TRAIN, s->evidence.training.n, s->training_x, look));
}

bool subject_look_at_real(struct subject *s, const struct dataset *real, const struct look *look)
{
    const int64_t size = real->channels * real->height * real->width, N = look->protocol->samples,
                  batch = s->sampler->batch;
    struct arena *scratch = arena_new(NULL);
    float *image = NEW_ARRAY(scratch, float, batch *size);
    int32_t label;
    bool good = true;
    for (int64_t from = 0; good && from < N; from += batch) {
        const int64_t n = at_most(N - from, batch);
        good = !stopped(look);
        for (int64_t i = 0; good && i < n; i++)
            if (!real->kind->get(real, (from + i) % real->count, image + i * size, &label))
                good = fail(look->d, s->source->where, "example %" PRId64 " could not be read",
                            (from + i) % real->count);
        if (good)
            subject_keep(s, s->x, image, from, n, size, look);
    }
    arena_free(scratch);
    s->evidence.data = real;
    s->finite = true;
    s->evidence.features.n = at_most(N, real->count); // none twice: an equal row is nearest
    return good;
}
