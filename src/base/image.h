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

enum { IMAGE_BYTES_MAX = 1 << 28, IMAGE_SIDE_MAX = 16384, IMAGE_PIXELS_MAX = 1 << 26 };

// How a picture is wanted.
struct image_wish {
    int channels;          // 1 or 3
    uint8_t background[3]; // what shows where it is transparent
    // the numbers of the file that become 0 and 255; equal, or beyond 255 for a file of 8 bits: 0 and
    // the most that its depth holds
    double range[2];
};
// What a file holds that its pixels do not show.
struct image_facts {
    bool transparent; // it has pixels that are not opaque
    int most;         // of a file of 16 bits, the largest number; else 0
};
// A PNG, JPEG, BMP or WebP of n bytes upright as its EXIF orientation says, brought to
// channels of a byte each. Memory is bounded by the size that the header tells, which may be 64 megapixels,
// and all threads together by little more than 2 GiB: others wait meanwhile. Thread-safe. False when it
// is damaged, cut short or too large; *why says which, to follow the name: "is cut short". The pixels
// live as long as the arena.
bool image_decode(struct arena *a, const uint8_t *byte, size_t n, const struct image_wish *wish,
                  struct image *out, struct image_facts *facts, const char **why);

#endif
