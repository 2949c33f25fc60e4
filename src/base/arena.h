// Memory has lifetimes, not owners. An arena is a lifetime: everything taken from it dies with it,
// children die with their parent, foreign handles are tied to it by arena_defer.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

// The exit code when memory is out.
enum { EXIT_NO_MEMORY = 7 };
// Ends the program with a line that says how much was wanted; 0: a library, which does not say. All of this file does so when memory
// is out; so does who has other memory.
void out_of_memory(size_t bytes) __attribute__((noreturn));
// p, which is what malloc, strdup and the like gave; NULL ends the program so.
void *must_have(void *p, size_t bytes);

// A new arena; with a parent it is freed no later than the parent.
struct arena *arena_new(struct arena *parent);
// Runs the deferred calls, last first, frees the children and all memory. Accepts NULL.
void arena_free(struct arena *a);

// Zeroed memory, aligned to 64 bytes when size >= 64, else to 16. Never NULL.
void *arena_alloc(struct arena *a, size_t size);
// The same for n of `size` bytes; what would overflow is memory that is out.
void *arena_array(struct arena *a, size_t n, size_t size);
// Memory of any content, aligned to 64, that costs nothing before it is written to. Never NULL.
void *arena_room(struct arena *a, size_t size);
// Grows an array of n elements of `size` bytes so that one more fits; returns the (moved) array.
// Amortised: capacity is the next power of two of n, so call it with the count before the append.
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
// Calls fn(ptr) when the arena is freed.
void arena_defer(struct arena *a, void (*fn)(void *), void *ptr);

#define NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_ARRAY(arena, type, n) ((type *)arena_array((arena), (size_t)(n), sizeof(type)))
// Appends x to array (of count n): APPEND(a, v->in, v->n_in, x).
#define APPEND(a, array, n, x) \
    ((array) = arena_grow((a), (array), (size_t)(n), sizeof *(array)), (array)[(n)++] = (x))
#define LENGTH(array) (sizeof(array) / sizeof *(array))

#endif
