// The seam to libwebp.
#ifndef BASE_IMAGE_WEBP_H
#define BASE_IMAGE_WEBP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool webp_is(const uint8_t *byte, size_t n); // by its first bytes
// What the header says. False when it says nothing; *why then says so.
bool webp_size(const uint8_t *byte, size_t n, int *width, int *height, bool *transparent,
               const char **why);
// height × width × (3, or 4 where it is transparent) bytes, for free(). NULL when it is damaged or
// cut short.
uint8_t *webp_decode(const uint8_t *byte, size_t n, int width, int height, bool transparent);

#endif
