// The keys that an override may set: `train.steps=`, `games.0.loss=`.
#ifndef CLI_CONFIG_KEYS_H
#define CLI_CONFIG_KEYS_H

struct arena;
struct node;

struct config_key {
    const char *path;          // "train.optimizer.adam.lr"
    const struct param *param; // the table's; NULL: a key that no table has
};

// Of a config that experiment_read has read: what it says, and what the tables it was read by have
// beside that. Of none (NULL): the keys of every config. *n of them.
struct config_key *config_keys(struct arena *a, const struct node *root, int *n);

#endif
