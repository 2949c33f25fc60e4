// A map from text to pointer. Keys are copied into the arena. Iteration is in order of insertion.
#ifndef BASE_HASH_MAP_H
#define BASE_HASH_MAP_H

#include <stddef.h>

struct arena;

struct hash_map {
    struct arena *arena;
    struct hash_map_item {
        const char *key;
        void *value;
    } * item; // in order of insertion
    size_t n;
    int *slot;      // open addressing: index of item + 1, 0 is free
    size_t n_slots; // a power of two
};

void hash_map_init(struct hash_map *m, struct arena *a);
void *hash_map_get(const struct hash_map *m, const char *key);       // NULL when absent
void hash_map_set(struct hash_map *m, const char *key, void *value); // replaces

#endif
