// A source in `data:` is read by one table made of two, the part all sources share and the kind's
// own, so that an unknown key is compared with both and an error names the nearest word of either.
// The kind must be known before its table is, so its word is looked up first. Reading the source
// twice, once a table, fails: each reading would call the other's keys unknown.
#include "data/dataset.h"
#include "data/subset.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "registry_datasets.h"

static const struct word *const listed[] = {REGISTRY_datasets NULL};
const struct vocabulary dataset_kinds = {"data set", listed};

enum { KINDS = LENGTH(listed) - 1, TABLE_MAX = 32 };

static const char *const splits[] = {"train", "test", NULL};
static const char *const samplings[] = {"shuffle", "replace", NULL};

// What the shared table fills, at the start of the block that the kind's own parameters end.
struct shared {
    const char *dataset;
    int64_t batch, per_class;
    int split, sampling;
};

#define FIELD(name) offsetof(struct shared, name)
const struct param source_params[] = {
    {"dataset", PARAM_TEXT, FIELD(dataset), NULL, 0, 0, NULL, "the data set's word"},
    {"batch", PARAM_INT, FIELD(batch), "64", 1, 65536, NULL, "examples an iteration"},
    {"split", PARAM_WORD, FIELD(split), "train", 0, 0, splits, "which part of the data set"},
    {"sampling", PARAM_WORD, FIELD(sampling), "shuffle", 0, 0, samplings,
     "each example once an epoch, or with replacement"},
    {"per_class", PARAM_INT, FIELD(per_class), "", 1, 1 << 30, NULL,
     "of the training split, only the first examples of each class; all unless said"},
    PARAM_END,
};

const struct dataset_kind *dataset_kind(const char *name)
{
    return (const struct dataset_kind *)word_find(&dataset_kinds, name);
}

// --- fields --------------------------------------------------------------------------------------

int dataset_fields(const struct dataset *s)
{
    ASSERT(s->n_own >= 0 && FIELD_OWN + s->n_own <= FIELDS_MAX);
    return FIELD_OWN + s->n_own;
}

struct data_field dataset_field(const struct dataset *s, int i)
{
    ASSERT(i >= 0 && i < dataset_fields(s));
    const bool point = s->height == 1 && s->width == 1;
    switch (i) {
    case FIELD_IMAGE:
        return (struct data_field){point ? "point" : "image", s->channels, s->height, s->width, 0};
    case FIELD_LABEL: return (struct data_field){.name = "label", .classes = s->classes};
    case FIELD_INDEX: return (struct data_field){.name = "index"};
    default: return s->own[i - FIELD_OWN];
    }
}

int64_t dataset_field_size(const struct dataset *s, int i)
{
    const struct data_field f = dataset_field(s, i);
    return f.channels ? f.channels * f.height * f.width : 1;
}

bool dataset_get(const struct dataset *s, int64_t index, float *const field[FIELDS_MAX],
                 float *image)
{
    int32_t label = 0;
    ASSERT(index >= 0 && index < s->count);
    if (!s->kind->get(s, index, field[FIELD_IMAGE] ? field[FIELD_IMAGE] : image, &label))
        return false;
    if (field[FIELD_LABEL])
        *field[FIELD_LABEL] = (float)label;
    if (field[FIELD_INDEX])
        *field[FIELD_INDEX] = (float)index;
    for (int k = 0; k < s->n_own; k++)
        if (field[FIELD_OWN + k] && !s->kind->get_own(s, index, k, field[FIELD_OWN + k]))
            return false;
    return true;
}

// --- telling -------------------------------------------------------------------------------------

static const char *noun(const struct dataset *s)
{
    return s->height == 1 && s->width == 1                            ? "point"
           : s->channels == 1 || s->channels == 3 || s->channels == 4 ? "picture"
                                                                      : "example";
}

void dataset_tell(const struct dataset *s, const char *name, struct text *out)
{
    const int64_t n = s->found ? s->found : s->count;
    text_addf(out, "%s: %lld %s%s", name, (long long)n, noun(s), n == 1 ? "" : "s");
    if (s->classes)
        text_addf(out, " in %d class%s", s->classes, s->classes == 1 ? "" : "es");
    text_addf(out, " (%s)", s->parts ? s->parts : splits[s->split]);
    text_addf(out, ", %lld × %lld × %lld", (long long)s->channels, (long long)s->height,
              (long long)s->width);
    if (s->beside)
        text_addf(out, "; %s", s->beside);
}

void dataset_tell_classes(const struct dataset *s, int most, struct text *out)
{
    const int n = s->class_name ? s->classes : 0;
    for (int k = 0; k < n && k < most; k++)
        text_addf(out, "%s%d '%s'", k ? ", " : "", k, s->class_name[k]);
    if (n > most)
        text_addf(out, " and %d more", n - most);
}

// --- reading -------------------------------------------------------------------------------------

static bool fail_without_word(struct diag *d, struct place where)
{
    struct text known;
    text_init(&known);
    for (int i = 0; i < KINDS; i++)
        text_addf(&known, "%s%s", i ? ", " : "", listed[i]->name);
    fail(d, where, "a source without a data set\nexpected `dataset:` with one of %s", known.s);
    text_release(&known);
    return false;
}

// The node that holds the data set's word: of `real: digits` or of `real: {dataset: digits}`.
static const struct node *word_node(const struct node *source)
{
    return source->kind == NODE_MAP ? node_get(source, "dataset") : source;
}

static const struct dataset_kind *find_kind(const struct node *source, struct diag *d)
{
    const struct node *word = word_node(source);
    if (!word || word->kind != NODE_SCALAR) {
        fail_without_word(d, word ? word->where : source->where);
        return NULL;
    }
    const struct word_call call = {word->text, word->where, NULL};
    return (const struct dataset_kind *)word_called(&dataset_kinds, &call, d);
}

static size_t aligned(size_t n) { return (n + 15) & ~(size_t)15; }

// The shared table, then the kind's own with its fields moved behind the shared ones. Static, one a
// kind, because nodes remember the table they were read by.
static const struct param *dataset_joined(const struct dataset_kind *kind)
{
    static struct param tables[KINDS + 1][TABLE_MAX];
    size_t k = 0;
    while (listed[k] != &kind->word)
        k++;
    ASSERT(k < KINDS);
    struct param *to = tables[k];
    const struct param *own = kind->word.params;
    int n = 0;
    for (const struct param *p = source_params; p->name; p++)
        to[n++] = *p;
    for (const struct param *p = own; p && p->name; p++) {
        ASSERT(n + 1 < TABLE_MAX);
        to[n] = *p;
        to[n++].offset += aligned(sizeof(struct shared));
    }
    to[n] = (struct param)PARAM_END;
    return to;
}

// The filled block, shared part first; NULL after errors.
static struct shared *read_source_block(struct arena *a, const struct node *source,
                                        const struct dataset_kind **kind, struct diag *d)
{
    *kind = find_kind(source, d);
    if (!*kind)
        return NULL;
    struct shared *block = arena_alloc(a, aligned(sizeof *block) + (*kind)->word.size);
    const char *what = arena_printf(a, "data set '%s'", (*kind)->word.name);
    return param_read(dataset_joined(*kind), source, source->where, what, block, a, d) ? block
                                                                                       : NULL;
}

bool source_options_read(const struct node *source, struct source_options *out, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    const struct shared *s = read_source_block(a, source, &out->kind, d);
    if (s)
        out->batch = s->batch, out->split = (enum split)s->split,
        out->sampling = (enum sampling)s->sampling;
    arena_free(a);
    return s;
}

struct place dataset_place(const struct dataset *s, const char *key)
{
    const struct node *said = node_get(s->node, key);
    return (said ? said : word_node(s->node))->where;
}

bool dataset_has_files(const struct dataset *s)
{
    for (const struct param *p = s->kind->word.params; p && p->name; p++)
        if (p->type == PARAM_PATH)
            return true;
    return false;
}

static struct dataset *open_source(struct arena *a, const struct node *source, enum split split,
                                   bool looking, struct diag *d)
{
    const struct dataset_kind *kind;
    const struct shared *block = read_source_block(a, source, &kind, d);
    if (!block)
        return NULL;
    const bool part = split == SPLIT_TRAIN && block->per_class;
    struct dataset *s = NEW(a, struct dataset);
    *s = (struct dataset){
        .kind = kind, .node = source, .split = split, .looking = looking && !part};
    const void *own = (const char *)block + aligned(sizeof *block);
    if (!kind->open(s, split, own, dataset_place(s, "path"), a, d))
        return NULL;
    ASSERT(s->channels > 0 && s->height > 0 && s->width > 0 && s->count > 0 && s->fingerprint);
    ASSERT(dataset_fields(s) == FIELD_OWN || s->kind->get_own);
    return part ? subset_open(a, s, block->per_class, node_get(source, "per_class")->where, d) : s;
}

struct dataset *dataset_open(struct arena *a, const struct node *source, enum split split,
                             struct diag *d)
{
    return open_source(a, source, split, false, d);
}

struct dataset *dataset_look(struct arena *a, const struct node *source, enum split split,
                             struct diag *d)
{
    return open_source(a, source, split, true, d);
}

struct dataset *dataset_open_split(struct arena *a, const struct dataset *training,
                                   enum split split, struct diag *d)
{
    struct dataset *s = dataset_open(a, training->node, split, d);
    if (!s || (s->channels == training->channels && s->height == training->height &&
               s->width == training->width && s->classes <= training->classes))
        return s;
    fail(d, training->node->where,
         "the %s split has %lld × %lld × %lld (C, H, W) and %d classes, the training split %lld × "
         "%lld × %lld and %d\nexpected one shape, and no class that training does not know",
         splits[split], (long long)s->channels, (long long)s->height, (long long)s->width,
         s->classes, (long long)training->channels, (long long)training->height,
         (long long)training->width, training->classes);
    return NULL;
}
