// What the files of this folder know about trees beyond node.h.
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config/node.h"

enum {
    DEPTH_MAX = 64,
    NODES_MAX = 100 * 1000, // aliases expanded
    BYTES_MAX = 4 * 1024 * 1024,
    KEY_MAX = 120 // bytes: a YAML key ends before 1024 characters, escapes included
};

// `!unset`: a NODE_NULL that removes what it is merged onto. Merging leaves none behind.
bool node_unset(const struct node *node);
struct node *node_new_unset(struct arena *a, struct place where);
struct node *node_new(struct arena *a, enum node_kind kind, struct place where);
void node_append(struct arena *a, struct node *node, const char *key, struct place where,
                 struct node *value);
// After entries were moved or removed.
void node_reindex(struct arena *a, struct node *map);
int node_index(const struct node *map, const char *key); // -1 when absent
bool text_is_null(const char *text);                     // "", ~, null, Null, NULL

// node_parse of the text from byte `from` on; places count from the source's begin.
struct node *yaml_parse(struct arena *a, const struct source *source, size_t from, struct diag *d);

// Where in the tree a node is: the keys above it, innermost first.
struct step {
    const struct step *up;
    const char *key;
};

// base ← over, neither changed. base NULL: over alone, without its `!unset` and `key+:`. Mistakes
// are reported.
struct node *node_merge(struct arena *a, const struct node *base, const struct node *over,
                        const struct step *at, struct diag *d);
// list ← list and value; `value`'s elements where that is a list.
struct node *node_extend(struct arena *a, const struct node *list, const struct node *value,
                         const struct step *at, struct diag *d);
// root ← "key.path=value". NULL after a mistake, reported.
struct node *node_override(struct arena *a, const struct node *root, const struct source *text,
                           struct diag *d);

#endif
