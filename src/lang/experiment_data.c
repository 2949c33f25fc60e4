// What comes into an experiment: batches from data sets, and noise.
#include "base/arena.h"
#include "base/text.h"
#include "data/recall.h"
#include "lang/sections.h"

#include <string.h>

// --- data ----------------------------------------------------------------------------------------

static bool read_one_source(struct section_reader *r, const struct entry *entry,
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
    const struct node *seen = node_get(r->e->config->seen, entry->key);
    s->dataset = seen                    ? dataset_recall(r->arena, entry->value, seen, r->d)
                 : r->e->config->looking ? dataset_look(r->arena, entry->value, o.split, r->d)
                                         : dataset_open(r->arena, entry->value, o.split, r->d);
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
        if (claim(r, &data->entry[i], "source of data") && read_one_source(r, &data->entry[i], s))
            e->n_data++;
        else
            good = false;
    }
    e->batch = e->n_data ? e->data[0].batch : 1;
    return good;
}

void data_remember(const struct experiment *e, struct text *out)
{
    text_add(out, "{");
    for (int i = 0; i < e->n_data; i++) {
        const struct data_source *s = &e->data[i];
        if (!dataset_has_files(s->dataset))
            continue;
        text_addf(out, "%s%s: ", out->s[out->n - 1] == '{' ? "" : ", ", s->name);
        dataset_remember(s->dataset, out);
    }
    text_add(out, "}");
}

// --- noise ---------------------------------------------------------------------------------------

static bool read_one(struct section_reader *r, const struct entry *entry, struct noise *n)
{
    struct word_call w;
    const struct word *word = word_choose(&noises, entry->value, NULL, &w, r->d);
    const struct noise_options *o = word ? word_params(&noises, word, &w, r->arena, r->d) : NULL;
    if (!o)
        return false;
    const struct noise_kind *kind = (const struct noise_kind *)word;
    const struct data_source *first = r->e->n_data ? &r->e->data[0] : NULL;
    if (o->size.n != kind->numbers)
        return fail(r->d, w.where, "noise '%s' has %d number%s\nexpected %d", w.name, o->size.n,
                    o->size.n == 1 ? "" : "s", kind->numbers);
    *n = (struct noise){.name = entry->key,
                        .where = entry->where,
                        .kind = kind,
                        .size = {o->size.v[0], kind->numbers > 1 ? o->size.v[1] : 0}};
    return kind->sign(n, first ? first->dataset : NULL, first ? first->name : NULL, w.where, r->d);
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
