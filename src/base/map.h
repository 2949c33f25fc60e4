// A map from text to pointer. Keys are copied into the arena. Iteration is in order of insertion.
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>

struct arena;

struct map {
    struct arena *arena;
    struct map_item {
        const char *key;
        void *value;
    } *item;          // in order of insertion
    size_t n;
    int *slot;        // open addressing: index of item + 1, 0 is free
    size_t n_slots;   // a power of two
};

void map_init(struct map *m, struct arena *a);
void *map_get(const struct map *m, const char *key);          // NULL when absent
void map_set(struct map *m, const char *key, void *value);    // replaces

#endif
