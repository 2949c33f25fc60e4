#include "base/philox.h"

#include "base/size.h"

#include <math.h>

static void mulhilo(uint32_t a, uint32_t b, uint32_t *hi, uint32_t *lo)
{
    const uint64_t p = (uint64_t)a * b;
    *hi = (uint32_t)(p >> 32);
    *lo = (uint32_t)p;
}

WRAPS struct philox philox(uint64_t key, uint64_t high, uint64_t low)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c[4] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
    for (int round = 0; round < 10; round++) {
        uint32_t hi0, lo0, hi1, lo1;
        mulhilo(0xD2511F53u, c[0], &hi0, &lo0);
        mulhilo(0xCD9E8D57u, c[2], &hi1, &lo1);
        const uint32_t next[4] = {hi1 ^ c[1] ^ k0, lo1, hi0 ^ c[3] ^ k1, lo0};
        for (int i = 0; i < 4; i++)
            c[i] = next[i];
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (struct philox){{c[0], c[1], c[2], c[3]}};
}

void rng_init(struct rng *r, uint64_t key, uint64_t stream)
{
    *r = (struct rng){.key = key, .stream = stream, .used = 4};
}

uint32_t rng_u32(struct rng *r)
{
    if (r->used == 4) {
        r->block = philox(r->key, r->stream, r->at++);
        r->used = 0;
    }
    return r->block.word[r->used++];
}

double rng_uniform(struct rng *r) { return rng_u32(r) * 0x1p-32; }

double rng_normal(struct rng *r)
{
    const double u = (rng_u32(r) + 1.0) * 0x1p-32, v = rng_uniform(r);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

WRAPS uint32_t rng_below(struct rng *r, uint32_t n)
{
    const uint32_t limit = (uint32_t)-n % n; // reject the first 2^32 mod n values
    for (;;) {
        const uint32_t x = rng_u32(r);
        if (x >= limit)
            return x % n;
    }
}
