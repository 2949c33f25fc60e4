// Blocks double in size as an arena grows, so a small arena is one malloc and a large one few.
// Simpler ideas fail: one malloc a thing needs an owner a thing, and a fixed block size either
// wastes a page on every small arena or turns a large one into a long list. Blocks of many megabytes
// ask for huge pages: activations are walked at strides of a page and more, and the processor
// remembers a few dozen pages only.
#include "base/arena.h"

#include "base/diag.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Under ASan what no caller was given is poisoned, and between any two there is some: whoever reads or
// writes past the end of his own, a kernel above all, is found as if each had a malloc of its own.
#if !defined(__SANITIZE_ADDRESS__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 // clang's way to say it
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { POISON = 64 };
#else
enum { POISON = 0 };
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { HUGE_PAGE = 2 << 20, LARGE = 4 * HUGE_PAGE };
static const size_t bytes_max = SIZE_MAX / 4; // beyond any machine; sums of a few do not overflow

struct arena_block {
    struct arena_block *next;
    size_t used, size;
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *ptr;
};

struct arena {
    struct arena *parent, *child, *prev, *next; // siblings are a doubly linked list
    struct arena_block *block;
    struct deferred *deferred;
};

// Whoever cannot have memory cannot go on, and nothing here may need any: no stdio, no exit
// handlers. A run that ends so is one that was killed: it is resumed from its last checkpoint.
void out_of_memory(size_t bytes)
{
    char line[96];
    const int n = bytes
                      ? snprintf(line, sizeof line,
                                 "ganexp: out of memory: %.1f MB more are not to be had\n",
                                 1e-6 * (double)bytes)
                      : snprintf(line, sizeof line, "ganexp: out of memory: a library has none\n");
    if (write(STDERR_FILENO, line, (size_t)n) != n)
        _exit(EXIT_NO_MEMORY); // the exit code has to do
    _exit(EXIT_NO_MEMORY);
}

void *must_have(void *p, size_t bytes)
{
    if (!p)
        out_of_memory(bytes);
    return p;
}

struct arena *arena_new(struct arena *parent)
{
    struct arena *a = must_have(calloc(1, sizeof *a), sizeof *a);
    a->parent = parent;
    if (parent) {
        a->next = parent->child;
        if (a->next)
            a->next->prev = a;
        parent->child = a;
    }
    return a;
}

static void unlink_from_parent(struct arena *a)
{
    if (a->next)
        a->next->prev = a->prev;
    if (a->prev)
        a->prev->next = a->next;
    else if (a->parent)
        a->parent->child = a->next;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    while (a->child)
        arena_free(a->child);
    for (struct deferred *d = a->deferred; d; d = d->next)
        d->fn(d->ptr);
    unlink_from_parent(a);
    for (struct arena_block *b = a->block, *next; b; b = next) {
        next = b->next;
        ASAN_UNPOISON_MEMORY_REGION(b, b->size);
        free(b);
    }
    free(a);
}

static size_t align_up(size_t x, size_t to) { return (x + to - 1) & ~(to - 1); }

static struct arena_block *block_new(struct arena_block *next, size_t room)
{
    if (room > bytes_max)
        out_of_memory(room);
    void *p = room < LARGE ? malloc(room) : aligned_alloc(HUGE_PAGE, align_up(room, HUGE_PAGE));
    struct arena_block *b = must_have(p, room);
#ifdef MADV_HUGEPAGE
    if (room >= LARGE)
        (void)madvise(b, align_up(room, HUGE_PAGE), MADV_HUGEPAGE); // a wish; no harm when refused
#endif
    *b = (struct arena_block){next, sizeof *b, room};
    ASAN_POISON_MEMORY_REGION(b + 1, room - sizeof *b);
    return b;
}

static void *arena_take(struct arena_block *b, size_t size, size_t align)
{
    ASSERT(align && (align & (align - 1)) == 0);
    if (!b)
        return NULL;
    const size_t at = align_up((uintptr_t)b + b->used, align) - (uintptr_t)b;
    if (at + size > b->size)
        return NULL;
    b->used = at + size + POISON;
    ASAN_UNPOISON_MEMORY_REGION((char *)b + at, size);
    return (char *)b + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > bytes_max)
        out_of_memory(size);
    const size_t align = size >= 64 ? 64 : 16;
    void *p = arena_take(a->block, size, align);
    if (!p) {
        size_t room = a->block ? 2 * a->block->size : 1024;
        room = room > (1 << 20) ? 1 << 20 : room;
        if (room < size + sizeof(struct arena_block) + align)
            room = size + sizeof(struct arena_block) + align;
        a->block = block_new(a->block, room);
        p = arena_take(a->block, size, align);
    }
    return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    return arena_alloc(a, __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes);
}

void *arena_room(struct arena *a, size_t size)
{
    if (size > bytes_max)
        out_of_memory(size);
    struct arena_block *b = block_new(NULL, size + sizeof *b + 64);
    struct arena_block **at = a->block ? &a->block->next : &a->block;
    b->next = *at;
    *at = b;
    return arena_take(b, size, 64);
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
    if (n && (n & (n - 1)))
        return array;
    void *bigger = arena_array(a, n ? 2 * n : 1, size);
    if (n)
        memcpy(bigger, array, n * size);
    return bigger;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    n = strnlen(s, n);
    char *copy = arena_alloc(a, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list measure;
    va_copy(measure, ap);
    const int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    char *s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *ptr)
{
    struct deferred *d = NEW(a, struct deferred);
    *d = (struct deferred){a->deferred, fn, ptr};
    a->deferred = d;
}
