// Rows first, then columns, each by a triangle as wide as two pixels of the coarser of the two
// grids: when a picture shrinks all its pixels are weighed, when it grows it is interpolated.
// Taking the four nearest pixels whatever the scale fails on shrinking: fine patterns become coarse
// ones that the photograph never had.
#include "data/fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/image.h"

// What one output pixel reads along an axis: weights of pixels first to first + n − 1.
struct taps {
    int first, n;
    float *weight;
};

// w(i) ∝ max(0, 1 − |i + ½ − c| / r), c = start + (o + ½) · scale, r = max(scale, 1)
static struct taps *lay_taps(struct arena *a, double start, double extent, int n_in, int n_out)
{
    ASSERT(n_in > 0 && n_out > 0 && extent > 0 && start >= 0 && start + extent <= n_in + 1e-6);
    const double scale = extent / n_out, reach = scale > 1 ? scale : 1;
    struct taps *taps = NEW_ARRAY(a, struct taps, n_out);
    for (int o = 0; o < n_out; o++) {
        const double centre = start + (o + 0.5) * scale;
        const int low = (int)floor(centre - reach), high = (int)ceil(centre + reach);
        const int first = low < 0 ? 0 : low, end = high > n_in ? n_in : high;
        float *w = NEW_ARRAY(a, float, end - first), sum = 0;
        for (int i = first; i < end; i++) {
            const double near = 1 - fabs(i + 0.5 - centre) / reach;
            sum += w[i - first] = near > 0 ? (float)near : 0;
        }
        ASSERT(end > first && sum > 0);
        for (int i = 0; i < end - first; i++)
            w[i] /= sum;
        taps[o] = (struct taps){first, end - first, w};
    }
    return taps;
}

// One channel of one row of `from` into `to` (width).
static void narrow(const uint8_t *row, int channels, const struct taps *taps, int width, float *to)
{
    for (int x = 0; x < width; x++) {
        const uint8_t *p = row + (size_t)taps[x].first * (size_t)channels;
        float sum = 0;
        for (int i = 0; i < taps[x].n; i++, p += channels)
            sum += taps[x].weight[i] * *p;
        to[x] = sum;
    }
}

// rows (n_in, width) into `to` (height, width)
static void flatten(const float *rows, const struct taps *taps, int height, int width, uint8_t *to)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const float *p = rows + (size_t)taps[y].first * (size_t)width + x;
            float sum = 0.5f;
            for (int i = 0; i < taps[y].n; i++, p += width)
                sum += taps[y].weight[i] * *p;
            *to++ = sum < 255 ? (uint8_t)sum : 255;
        }
}

void fit(const struct image *from, bool crop, int height, int width, uint8_t *to)
{
    struct arena *a = arena_new(NULL);
    double extent_x = from->width, extent_y = from->height;
    if (crop && extent_x * height > extent_y * width)
        extent_x = extent_y * width / height;
    else if (crop)
        extent_y = extent_x * height / width;
    const struct taps *across = lay_taps(a, (from->width - extent_x) / 2, extent_x, from->width,
                                         width);
    const struct taps *down = lay_taps(a, (from->height - extent_y) / 2, extent_y, from->height,
                                       height);
    float *rows = NEW_ARRAY(a, float, (size_t)from->height *(size_t)width);
    for (int c = 0; c < from->channels; c++) {
        for (int y = 0; y < from->height; y++) {
            const size_t at = (size_t)y * (size_t)from->width * (size_t)from->channels;
            narrow(from->pixel + at + c, from->channels, across, width,
                   rows + (size_t)y * (size_t)width);
        }
        flatten(rows, down, height, width, to + (size_t)c * (size_t)height * (size_t)width);
    }
    arena_free(a);
}
