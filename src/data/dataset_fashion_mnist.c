// Zalando's articles in MNIST's format (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747).
#include "data/idx_set.h"

static const char *const article[] = {
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot",
};

static bool fashion_open(struct dataset *s, enum split split, const void *params,
                         struct place where, struct arena *a, struct diag *d)
{
    s->class_name = article;
    return idx_set_open(s, split, params, where, a, d);
}

const struct dataset_kind dataset_fashion_mnist = {
    .word = {.name = "fashion_mnist",
             .help = "articles of clothing, 28 × 28 grey (Xiao, Rasul, Vollgraf), from IDX files",
             .params = idx_params,
             .size = sizeof(struct idx_params)},
    .open = fashion_open,
    .get = idx_set_get,
};
