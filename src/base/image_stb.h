// stb's decoder of pictures, held to a budget of memory.
#ifndef BASE_IMAGE_STB_H
#define BASE_IMAGE_STB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What the header of a PNG, JPEG or BMP says; false when it says nothing.
bool stb_size(const uint8_t *byte, int n, size_t budget, int *width, int *height);
// A decoded file, as it is: height × width × channels numbers of 8 or 16 bits.
struct stb_picture {
    void *number; // uint8_t or uint16_t; for stb_free()
    int channels; // 1 grey, 2 with opacity, 3 colour, 4 with opacity
    bool wide;    // 16 bits
};
// With channels 1 or 3 a JPEG is brought to them; 0: what the file has. False with the reason in *why, which lives for
// ever. All that is allocated at a time stays below the budget, in bytes. Thread-safe.
bool stb_decode(const uint8_t *byte, int n, size_t budget, int channels, struct stb_picture *out,
                const char **why);
void stb_free(void *pixels);

#endif
