// Pictures. Values in [-1, 1] become bytes by clamp(127.5·x + 127.5 + 0.5) rounding down.
#ifndef BASE_IMAGE_H
#define BASE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct image {
    int width, height, channels; // 1 or 3
    uint8_t *pixel;              // rows, interleaved channels
};

// rows × columns images of (C, H, W) floats, row by row, with a border of `gap` pixels between and
// around.
struct image image_grid(struct arena *a, const float *x, int rows, int columns, int channels,
                        int height, int width, int gap);
// Written to a temporary name, fsynced and renamed. False with errno set.
bool image_write_png(const struct image *image, const char *path);
uint8_t image_byte(float x);

enum { IMAGE_BYTES_MAX = 1 << 26, IMAGE_SIDE_MAX = 16384 };
// A PNG, JPEG or BMP of n bytes, brought to 1 or 3 channels of a byte each; transparency is left
// out. Memory is bounded by the size that the header tells, which may be 32 megapixels.
// Thread-safe. False when it is damaged, cut short or too large; *why says which, to follow the
// name: "is cut short". The pixels live as long as the arena.
bool image_decode(struct arena *a, const uint8_t *byte, size_t n, int channels, struct image *out,
                  const char **why);

#endif
