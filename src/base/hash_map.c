#include "base/hash_map.h"

#include "base/diag.h"

#include "base/arena.h"
#include "base/size.h"

#include <stdint.h>
#include <string.h>

void hash_map_init(struct hash_map *m, struct arena *a) { *m = (struct hash_map){.arena = a}; }

// FNV-1a
WRAPS static uint64_t hash_map_hash(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

// The slot that holds key, or the free one where it would go.
static int *hash_map_find(const struct hash_map *m, const char *key)
{
    size_t i = hash_map_hash(key) & (m->n_slots - 1);
    while (m->slot[i] && strcmp(m->item[m->slot[i] - 1].key, key))
        i = (i + 1) & (m->n_slots - 1);
    return &m->slot[i];
}

void *hash_map_get(const struct hash_map *m, const char *key)
{
    const int at = m->n ? *hash_map_find(m, key) : 0;
    return at ? m->item[at - 1].value : NULL;
}

static void hash_map_widen(struct hash_map *m)
{
    ASSERT(__builtin_popcountll(m->n_slots) <= 1);
    m->n_slots = m->n_slots ? 2 * m->n_slots : 16;
    m->slot = NEW_ARRAY(m->arena, int, m->n_slots);
    for (size_t i = 0; i < m->n; i++)
        *hash_map_find(m, m->item[i].key) = (int)i + 1;
}

void hash_map_set(struct hash_map *m, const char *key, void *value)
{
    ASSERT(key && value);
    if (2 * (m->n + 1) > m->n_slots)
        hash_map_widen(m);
    int *slot = hash_map_find(m, key);
    if (*slot) {
        m->item[*slot - 1].value = value;
        return;
    }
    struct hash_map_item item = {arena_strdup(m->arena, key), value};
    APPEND(m->arena, m->item, m->n, item);
    *slot = (int)m->n;
}
