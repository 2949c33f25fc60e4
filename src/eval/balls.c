#include "eval/balls.h"

#include "base/arena.h"

#include <math.h>

float distance(const float *x, const float *y, int64_t n)
{
    float part[8] = {0}, rest = 0;
    for (int64_t i = 0; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += (x[i + k] - y[i + k]) * (x[i + k] - y[i + k]);
    for (int64_t i = n - n % 8; i < n; i++)
        rest += (x[i] - y[i]) * (x[i] - y[i]);
    for (int k = 0; k < 8; k++)
        rest += part[k];
    return rest;
}

// The k smallest so far, in order.
static void balls_insert(float *smallest, int64_t k, float x)
{
    if (!(x < smallest[k - 1]))
        return;
    int64_t i = k - 1;
    for (; i > 0 && x < smallest[i - 1]; i--)
        smallest[i] = smallest[i - 1];
    smallest[i] = x;
}

// Distance to the k-th nearest of the others; an equal row counts as one of them, at distance 0.
static float kth(const struct rows *x, int64_t i, int64_t k, float *smallest)
{
    for (int64_t j = 0; j < k; j++)
        smallest[j] = INFINITY;
    for (int64_t j = 0; j < x->n; j++)
        if (j != i)
            balls_insert(smallest, k, distance(x->x + i * x->size, x->x + j * x->size, x->size));
    return smallest[k - 1];
}

struct balls balls_new(struct arena *a, const struct rows *x, int64_t k)
{
    ASSERT(k >= 1 && x->n >= 1 && x->size >= 1);
    const int64_t K = k < x->n ? k : x->n > 1 ? x->n - 1 : 1;
    struct balls b = {x, NEW_ARRAY(a, float, x->n)};
    float *room = NEW_ARRAY(a, float, x->n *K);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < x->n; i++)
        b.radius[i] = kth(x, i, K, room + i * K);
    return b;
}

static bool holds(const struct balls *b, int64_t i, const float *x, bool edge)
{
    const int64_t size = b->middle->size;
    const float away = distance(b->middle->x + i * size, x, size);
    return edge ? away <= b->radius[i] : away < b->radius[i];
}

int64_t *balls_holding(struct arena *a, const struct balls *b, const struct rows *x, bool edge)
{
    ASSERT(b->middle->size == x->size);
    int64_t *n = NEW_ARRAY(a, int64_t, x->n);
#pragma omp parallel for schedule(static)
    for (int64_t j = 0; j < x->n; j++)
        for (int64_t i = 0; i < b->middle->n; i++)
            n[j] += holds(b, i, x->x + j * x->size, edge);
    return n;
}

int64_t *balls_held(struct arena *a, const struct balls *b, const struct rows *x, bool edge)
{
    ASSERT(b->middle->size == x->size);
    int64_t *n = NEW_ARRAY(a, int64_t, b->middle->n);
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < b->middle->n; i++)
        for (int64_t j = 0; j < x->n; j++)
            n[i] += holds(b, i, x->x + j * x->size, edge);
    return n;
}

double balls_share(const struct rows *middle, const struct rows *x, int64_t k)
{
    struct arena *a = arena_new(NULL);
    const struct balls b = balls_new(a, middle, k);
    const int64_t *n = balls_holding(a, &b, x, true);
    int64_t inside = 0;
    for (int64_t i = 0; i < x->n; i++)
        inside += n[i] > 0;
    arena_free(a);
    return (double)inside / (double)x->n;
}

#define NEIGHBOURS(usual)                                         \
    {                                                             \
        {"k",                                                     \
         PARAM_INT,                                               \
         offsetof(struct neighbours, k),                          \
         usual,                                                   \
         1,                                                       \
         1000,                                                    \
         .help = "a ball reaches to its k-th nearest neighbour"}, \
            PARAM_END                                             \
    }
const struct param three_neighbours[] = NEIGHBOURS("3");
const struct param five_neighbours[] = NEIGHBOURS("5");
