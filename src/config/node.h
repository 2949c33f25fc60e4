// A YAML document as a tree in which every key and value remembers its place. Parsed from text,
// merged along `extends:` and overrides, then read by param tables. Scalars stay text until a table
// says what type is expected.
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "base/diag.h"

struct arena;
struct hash_map;
struct param;
struct text;

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct place where; // of the value
    const char *text;   // NODE_SCALAR
    bool quoted;
    bool verbatim; // NODE_SCALAR: text stands in the source as it is, at `where`, behind its quote
    struct entry {
        const char *key;    // NULL in a list
        struct place where; // of the key
        struct node *value;
    } * entry; // NODE_LIST, NODE_MAP: in the user's order
    int n;
    struct hash_map *index;    // NODE_MAP of many keys: key to 1 + its entry; NULL in small ones
    const struct param *table; // the parameters it was read by (param_read): what it leaves out has
                               // their defaults; NULL when none were
};

// The value under key of a map; NULL when absent or when node is no map (or NULL).
struct node *node_get(const struct node *node, const char *key);
// "train.optimizer.adam.lr" from the root; NULL when absent.
struct node *node_at(const struct node *root, const char *path);
const struct entry *node_entry(const struct node *map, const char *key);
// Sets the value of a key, which keeps its position; a new key goes to the end.
void node_put(struct arena *a, struct node *map, const char *key, struct place where,
              struct node *value);
// The canonical text of a tree: what `ganexp show --resolved` prints, results.db stores and the
// config hash is taken of. It parses back to an equal tree.
void node_write(const struct node *root, struct text *out);
// The same on one line: "[1, 28, 28]", as an override takes it.
void node_write_flow(const struct node *node, struct text *out);
const char *config_library_version(void); // "0.2.5": libyaml's

// Parses one document. NULL after a syntax error, duplicate key, or excess of depth, size or
// aliases, reported to diag.
struct node *node_parse(struct arena *a, const struct source *source, struct diag *d);

struct config {
    struct node *root; // merged: extends, file, overrides
    const char *path;  // of the file
    // What its sources of data were when it was trained (data/recall.h), by name: these are not
    // opened. NULL: all are.
    const struct node *seen;
    bool looking; // no example is asked for: data/dataset.h's dataset_look
    // "default", "configs/base.yaml:12", "command line": where each leaf came from is its node's
    // `where`.
};
// Reads path, its `extends:` (relative to the file that says so; cycles are errors) and the
// overrides "key.path=value", "key+=x", "key=!unset". NULL after errors.
struct config *config_load(struct arena *a, const char *path, const char *const *override, int n,
                           struct diag *d);
// The same from memory, for tests and for the resolved text of a stored run.
struct config *config_parse(struct arena *a, const char *name, const char *text,
                            const char *const *override, int n, struct diag *d);
// SHA-256, in hex, of the canonical text; `group` leaves out seed, name, about and paths.
const char *config_hash(struct arena *a, const struct config *c, bool group);

#endif
