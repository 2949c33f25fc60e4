// Philox 4x32-10: random numbers as a function of a key and a counter, with no state to carry, so
// that a resumed run draws what the first would have drawn and threads need no order.
// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
#ifndef BASE_PHILOX_H
#define BASE_PHILOX_H

#include <stdint.h>

struct philox {
    uint32_t word[4];
};

struct philox philox(uint64_t key, uint64_t counter_high, uint64_t counter_low);

// A sequential reader over one stream (key, stream): for host-side draws such as shuffles.
struct rng {
    uint64_t key, stream, at;
    struct philox block;
    int used;
};

void rng_init(struct rng *r, uint64_t key, uint64_t stream);
uint32_t rng_u32(struct rng *r);
double rng_uniform(struct rng *r);             // [0, 1)
double rng_normal(struct rng *r);              // N(0, 1), Box–Muller
uint32_t rng_below(struct rng *r, uint32_t n); // [0, n), unbiased; n > 0

#endif
