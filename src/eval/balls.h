// Balls around features, each as wide as its k-th nearest neighbour in the same set is far: a
// picture of where a set lies that assumes no shape.
#ifndef EVAL_BALLS_H
#define EVAL_BALLS_H

#include "eval/metric.h"

struct arena;

struct balls {
    const struct rows *middle;
    float *radius; // (n), squared
};
// k below the number of rows; else the furthest of them.
struct balls balls_new(struct arena *a, const struct rows *x, int64_t k);
// In how many balls each row of x lies, (n); where `edge`, a ball has its surface, too.
int64_t *balls_holding(struct arena *a, const struct balls *b, const struct rows *x, bool edge);
// How many rows of x each ball holds, (n of b).
int64_t *balls_held(struct arena *a, const struct balls *b, const struct rows *x, bool edge);
// The share of x that lies in some ball around `middle`, its surface included.
double balls_share(const struct rows *middle, const struct rows *x, int64_t k);

// The parameter of all scores made of balls; 3 or 5 unless said.
struct neighbours {
    int64_t k;
};
extern const struct param three_neighbours[], five_neighbours[];

// Squared Euclidean distance.
float distance(const float *x, const float *y, int64_t n);

#endif
