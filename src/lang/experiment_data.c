// What comes into an experiment: batches from data sets, and noise.
#include "base/arena.h"
#include "lang/sections.h"
#include "lang/vocabulary.h"

#include <string.h>

const char *const data_field_name[FIELDS] = {"image", "label", "index"};

// --- data ----------------------------------------------------------------------------------------

static bool experiment_data_read_source(struct section_reader *r, const struct entry *entry,
                                        struct data_source *s)
{
    struct source_options o = {0};
    if (!source_options_read(entry->value, &o, r->d))
        return false;
    *s = (struct data_source){.name = entry->key,
                              .where = entry->where,
                              .node = entry->value,
                              .batch = o.batch,
                              .sampling = o.sampling};
    s->dataset = dataset_open(r->arena, entry->value, o.split, r->d);
    return s->dataset != NULL;
}

bool read_data(struct section_reader *r, const struct node *data)
{
    struct experiment *e = r->e;
    if (!read_map(r, data, "`data:`"))
        return false;
    if (!data || data->kind != NODE_MAP || !data->n)
        return fail(
            r->d, data ? data->where : r->e->config->root->where,
            "there are no data\nexpected `data:` with a source, such as real: {dataset: digits, "
            "batch: 64}");
    bool good = true;
    e->data = NEW_ARRAY(r->arena, struct data_source, data->n);
    for (int i = 0; i < data->n; i++) {
        struct data_source *s = &e->data[e->n_data];
        if (claim(r, &data->entry[i], "source of data") &&
            experiment_data_read_source(r, &data->entry[i], s))
            e->n_data++;
        else
            good = false;
    }
    e->batch = e->n_data ? e->data[0].batch : 1;
    return good;
}

// --- noise ---------------------------------------------------------------------------------------

struct noise_options {
    struct ints size;
};

#define NOISE_TABLE(table, word, text)                                                            \
    static const struct param table[] = {{word, PARAM_INTS, offsetof(struct noise_options, size), \
                                          .min = 1, .max = 1 << 20, .help = text},                \
                                         PARAM_END}
NOISE_TABLE(vector_params, "size", "how many numbers");
NOISE_TABLE(label_params, "classes", "how many classes");
NOISE_TABLE(box_params, "size", "height and width of the rectangle");

#define NOISE(name, help, table)                                    \
    {                                                               \
        name, NULL, help, NULL, table, sizeof(struct noise_options) \
    }
static const struct noise_word {
    struct word word;
    int numbers;
} noise_word[] = {
    [NOISE_NORMAL] = {NOISE("normal", "numbers from N(0, 1)", vector_params), 1},
    [NOISE_UNIFORM] = {NOISE("uniform", "numbers from U(−1, 1)", vector_params), 1},
    [NOISE_LABEL] = {NOISE("label", "a class, all equally likely", label_params), 1},
    [NOISE_ONE_HOT] = {NOISE("one_hot", "a class as numbers: 1 at its place, else 0", label_params),
                       1},
    [NOISE_BOX] = {NOISE("box", "1 in a rectangle somewhere in the image, else 0", box_params), 2},
};

const struct vocabulary noises = {
    "noise",
    (const struct word *const[]){&noise_word[0].word, &noise_word[1].word, &noise_word[2].word,
                                 &noise_word[3].word, &noise_word[4].word, NULL}};

static bool sign_box(struct section_reader *r, struct noise *n, struct place where)
{
    const struct dataset *s = r->e->n_data ? r->e->data[0].dataset : NULL;
    if (!s)
        return false;
    n->is.shape = SHAPE(1, s->height, s->width);
    if (n->size[0] > s->height || n->size[1] > s->width)
        return fail(r->d, where,
                    "the box is larger than the images of '%s'\nexpected at most [%d, %d]",
                    r->e->data[0].name, (int)s->height, (int)s->width);
    return true;
}

static bool sign(struct section_reader *r, struct noise *n, struct place where)
{
    switch (n->kind) {
    case NOISE_NORMAL:
    case NOISE_UNIFORM:
    case NOISE_ONE_HOT: n->is.shape = SHAPE(n->size[0]); return true;
    case NOISE_LABEL: n->is.classes = n->size[0]; return true;
    case NOISE_BOX: return sign_box(r, n, where);
    }
    return false;
}

static bool read_one(struct section_reader *r, const struct entry *entry, struct noise *n)
{
    struct word_call w;
    const struct word *word = word_choose(&noises, entry->value, NULL, &w, r->d);
    const struct noise_options *o = word ? word_params(&noises, word, &w, r->arena, r->d) : NULL;
    if (!o)
        return false;
    const struct noise_word *kind = (const struct noise_word *)word;
    if (o->size.n != kind->numbers)
        return fail(r->d, w.where, "noise '%s' has %d number%s\nexpected %d", w.name, o->size.n,
                    o->size.n == 1 ? "" : "s", kind->numbers);
    *n = (struct noise){.name = entry->key,
                        .where = entry->where,
                        .kind = (enum noise_kind)(kind - noise_word),
                        .size = {o->size.v[0], o->size.v[1]}};
    return sign(r, n, w.where);
}

bool read_noise(struct section_reader *r, const struct node *noise)
{
    struct experiment *e = r->e;
    if (!read_map(r, noise, "`noise:`"))
        return false;
    const int n = noise ? noise->n : 0;
    bool good = true;
    e->noise = NEW_ARRAY(r->arena, struct noise, n + 1);
    for (int i = 0; i < n; i++) {
        if (claim(r, &noise->entry[i], "noise") &&
            read_one(r, &noise->entry[i], &e->noise[e->n_noise]))
            e->n_noise++;
        else
            good = false;
    }
    return good;
}
