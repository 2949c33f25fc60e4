#include "program/warnings.h"

static void warn_of_frozen(struct warning_look *w, const struct network *net)
{
    if (net->frozen && !net->load)
        warn(w->d, WARNING_frozen_without_load, net->where,
             "network '%s' is frozen at its first, random weights\n"
             "expected a file to load: networks.%s.load=FILE.safetensors",
             net->name, net->name);
}

static void warn_of_batch_of_one(struct warning_look *w, struct network *net)
{
    const struct application *app = net->frozen ? NULL : look_at_network(w, net, true);
    for (int i = 0; app && i < app->n_row; i++)
        if (app->row[i].flags & LAYER_COUPLES)
            warn(w->d, WARNING_batch_norm_at_batch_1, app->row[i].where,
                 "'%s' takes its statistics of a batch of one\n"
                 "training sees each sample's own statistics, sampling those of all: expected a "
                 "larger batch, "
                 "data.%s.batch=16, or instance_norm",
                 app->row[i].word, w->e->data[0].name);
}

void warn_of_networks(struct warning_look *w)
{
    for (int i = 0; i < w->e->n_network; i++) {
        warn_of_frozen(w, w->e->network[i]);
        if (w->e->batch == 1)
            warn_of_batch_of_one(w, w->e->network[i]);
    }
}
