// A picture of any size brought to one size.
#ifndef DATA_FIT_H
#define DATA_FIT_H

#include <stdbool.h>
#include <stdint.h>

struct image;

// `to` is (C, height, width). With `crop` the largest part of that aspect from the middle is taken,
// else the whole is squashed. Thread-safe.
void fit(const struct image *from, bool crop, int height, int width, uint8_t *to);

#endif
