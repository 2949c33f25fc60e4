// The places of the language where one word is chosen among several, each with parameters of its
// own.
#ifndef CONFIG_UNION_H
#define CONFIG_UNION_H

#include "config/tree.h"

struct union_place {
    const char *path;          // from the root; * is any one key or index
    const char *selector;      // the key whose value is the word; NULL: a one-word map
    const char *const *beside; // keys that stay when the word changes; NULL-terminated
};

const struct union_place *union_place(const struct step *at);
bool union_beside(const struct union_place *u, const char *key);
// The word that a node at this place chooses: a scalar, the one key of a map, the selector's value;
// NULL elsewhere.
const char *union_word(const struct node *node, const struct step *at);
// Is this the place of a one-word map, and `key` no option beside the word?
bool union_has_word(const struct step *at, const char *key);
// Is `key` the selector here?
bool union_selects(const struct step *at, const char *key);
// `real: digits` as {dataset: digits}, where a selector's word may stand alone; else the node
// itself.
const struct node *union_map(struct arena *a, const struct node *node, const struct step *at);

#endif
