#include "base/image_webp.h"

#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

bool webp_is(const uint8_t *byte, size_t n)
{
    return n >= 12 && !memcmp(byte, "RIFF", 4) && !memcmp(byte + 8, "WEBP", 4);
}

bool webp_size(const uint8_t *byte, size_t n, int *width, int *height, bool *transparent,
               const char **why)
{
    WebPBitstreamFeatures is;
    *why = "is no WebP that can be read";
    if (WebPGetFeatures(byte, n, &is) != VP8_STATUS_OK)
        return false;
    *why = "is an animation";
    *width = is.width;
    *height = is.height;
    *transparent = is.has_alpha;
    return !is.has_animation;
}

uint8_t *webp_decode(const uint8_t *byte, size_t n, int width, int height, bool transparent)
{
    const size_t row = (size_t)width * (transparent ? 4 : 3), size = row * (size_t)height;
    uint8_t *to = malloc(size);
    const uint8_t *made = !to           ? NULL
                          : transparent ? WebPDecodeRGBAInto(byte, n, to, size, (int)row)
                                        : WebPDecodeRGBInto(byte, n, to, size, (int)row);
    if (!made) {
        free(to);
        return NULL;
    }
    return to;
}
