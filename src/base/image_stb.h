// stb's decoder of pictures, held to a budget of memory.
#ifndef BASE_IMAGE_STB_H
#define BASE_IMAGE_STB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the header of a PNG, JPEG or BMP says; false when it says nothing.
bool stb_size(const uint8_t *byte, int n, size_t budget, int *width, int *height);
// height × width × channels bytes, for stb_free(); NULL with the reason in *why, which lives for
// ever. All that is allocated at a time stays below the budget, in bytes. Thread-safe.
uint8_t *stb_decode(const uint8_t *byte, int n, size_t budget, int channels, const char **why);
void stb_free(void *pixels);

#endif
