// Pictures are made in memory, compressed in memory and put in place in one step, so that whoever
// looks at a run's folder while it runs sees either the old picture or the new one. Writing
// straight to the name fails twice: a viewer that reloads meets half a file, and a full disk
// destroys the last good one. stb's own compressor gives files half as large again as zlib's and
// takes longer, so stb writes the PNG and zlib packs it.
#include "base/image.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/file.h"

enum { GAP_SHADE = 255 };

static unsigned char *pack(unsigned char *data, int n, int *n_packed, int quality)
{
    uLongf room = compressBound((uLong)n);
    unsigned char *packed = malloc(room);
    if (packed && compress2(packed, &room, data, (uLong)n, quality) != Z_OK) {
        free(packed);
        packed = NULL;
    }
    *n_packed = (int)room;
    return packed;
}

#define STBIW_ZLIB_COMPRESS pack
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

// byte = floor(clamp(127.5·x + 128, 0, 255)); what is not a number is black
uint8_t image_byte(float x)
{
    const float v = 127.5f * x + 128;
    if (!(v > 0))
        return 0;
    return v < 255 ? (uint8_t)v : 255;
}

static int image_side(int n, int pixels, int gap)
{
    const int64_t all = (int64_t)n * pixels + ((int64_t)n + 1) * gap;
    if (all > INT_MAX)
        BUG("a grid of %lld pixels a side", (long long)all);
    return (int)all;
}

// x (C, H, W) into the picture with its left upper corner at (top, left).
static void paste(const struct image *to, const float *x, int top, int left, int height, int width)
{
    for (int c = 0; c < to->channels; c++)
        for (int row = 0; row < height; row++) {
            const size_t at = (size_t)(top + row) * (size_t)to->width + (size_t)left;
            uint8_t *p = to->pixel + at * (size_t)to->channels + c;
            for (int col = 0; col < width; col++, p += to->channels)
                *p = image_byte(*x++);
        }
}

struct image image_grid(struct arena *a, const float *x, int rows, int columns, int channels,
                        int height, int width, int gap)
{
    ASSERT(rows > 0 && columns > 0 && (channels == 1 || channels == 3));
    if (rows < 1 || columns < 1 || height < 1 || width < 1 || gap < 0 ||
        (channels != 1 && channels != 3))
        BUG("a grid of %d × %d images (%d, %d, %d), gap %d", rows, columns, channels, height, width,
            gap);
    struct image g = {image_side(columns, width, gap), image_side(rows, height, gap), channels,
                      NULL};
    const size_t pixels = (size_t)channels * (size_t)height * (size_t)width;
    const size_t size = (size_t)g.width * (size_t)g.height * (size_t)channels;
    g.pixel = NEW_ARRAY(a, uint8_t, size);
    memset(g.pixel, GAP_SHADE, size);
    for (int row = 0; row < rows; row++)
        for (int col = 0; col < columns; col++, x += pixels)
            paste(&g, x, gap + row * (height + gap), gap + col * (width + gap), height, width);
    return g;
}

bool image_write_png(const struct image *image, const char *path)
{
    ASSERT(image->width > 0 && image->height > 0);
    int n = 0;
    unsigned char *png = stbi_write_png_to_mem(image->pixel, image->width * image->channels,
                                               image->width, image->height, image->channels, &n);
    if (!png)
        errno = ENOMEM;
    const bool good = png && file_replace(path, png, (size_t)n);
    const int why = errno;
    free(png);
    errno = why;
    return good;
}
