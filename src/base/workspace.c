// Plans bind addresses when they are made, so a block that has been lent cannot move: what wants
// more than there is gets a new block, and so does all that comes after. A run asks for the most first,
// what training needs, and then there is one block only. Address space reserved for whatever may
// come would always be one block; but limits on address space refuse it, and how much is enough
// is not known.
#include "base/workspace.h"

#include "base/arena.h"

#include <stdbool.h>
#if defined __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

struct loan {
    void *at;
    size_t bytes;
    struct loan *before; // smaller
};

struct workspace {
    struct arena *arena;
    struct loan *last[WORKSPACE_PARTS];
};

struct workspace *workspace_new(struct arena *a)
{
    struct workspace *w = NEW(a, struct workspace);
    w->arena = a;
    return w;
}

void *workspace_lend(struct workspace *w, int part, size_t bytes)
{
    struct loan **last = &w->last[part];
    if (!*last || (*last)->bytes < bytes) {
        struct loan *l = NEW(w->arena, struct loan);
        *l = (struct loan){arena_room(w->arena, bytes), bytes, *last};
        *last = l;
    }
    return (*last)->at;
}

size_t workspace_bytes(const struct workspace *w)
{
    size_t bytes = 0;
    for (int part = 0; part < WORKSPACE_PARTS; part++)
        for (const struct loan *l = w->last[part]; l; l = l->before)
            bytes += l->bytes;
    return bytes;
}

static void set_open(const struct workspace *w, bool open)
{
#if defined __SANITIZE_ADDRESS__
    for (int part = 0; part < WORKSPACE_PARTS; part++)
        for (const struct loan *l = w->last[part]; l; l = l->before)
            (open ? __asan_unpoison_memory_region : __asan_poison_memory_region)(l->at, l->bytes);
#else
    (void)w, (void)open;
#endif
}

void workspace_open(const struct workspace *w) { set_open(w, true); }

void workspace_close(const struct workspace *w) { set_open(w, false); }
