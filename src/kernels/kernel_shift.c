#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

// An offset as a whole number; whatever moves an image out of itself is as good as its size.
static int64_t shift_pixels(float by, int64_t size)
{
    return fabsf(by) < (float)size ? (int64_t)by : size;
}

// Pixels from … to − 1 of a row of y, from those `right` before them in x; or zeros, where x is NULL.
static void shift_pixels_of(const struct shift_task *t, float *y, const float *x, int64_t from,
                            int64_t to, int64_t right)
{
    const bool together = t->run == 1 || t->y_stride[1] == 1;
    if (together && t->y_stride[3] == t->run) {
        const size_t bytes = sizeof *y * (size_t)((to - from) * t->run);
        if (x && to > from)
            memcpy(y + from * t->run, x + (from - right) * t->run, bytes);
        else if (to > from)
            memset(y + from * t->run, 0, bytes);
        return;
    }
    for (int64_t j = from; j < to; j++)
        for (int64_t c = 0; c < t->run; c++)
            y[j * t->y_stride[3] + c * t->y_stride[1]] = x ? x[(j - right) * t->run + c] : 0;
}

static void shift_row(const struct shift_task *t, float *y, const float *x, int64_t right)
{
    const int64_t W = t->W, begin = right > 0 ? right : 0, end = right < 0 ? W + right : W;
    shift_pixels_of(t, y, NULL, 0, x ? begin : W, 0);
    if (!x)
        return;
    shift_pixels_of(t, y, x, begin, end, right);
    shift_pixels_of(t, y, NULL, end, W, 0);
}

void KERNEL(shift)(const void *task);
void KERNEL(shift)(const void *task)
{
    const struct shift_task *t = task;
    ASSERT(t->x != t->y && t->run > 0 && t->C % t->run == 0);
    const int64_t groups = t->C / t->run, all = t->N * groups * t->H;
#pragma omp parallel for num_threads(t->threads) if (t->threads > 1)
    for (int64_t k = 0; k < all; k++) {
        const int64_t i = k % t->H, g = k / t->H % groups, n = k / t->H / groups;
        const int64_t down = shift_pixels(t->by[2 * n], t->H),
                      right = shift_pixels(t->by[2 * n + 1], t->W), from = i - down;
        const bool inside = from >= 0 && from < t->H && right > -t->W && right < t->W;
        const float *x = t->x + n * t->x_stride[0] + g * t->x_stride[1] + from * t->x_stride[2];
        float *y = t->y + n * t->y_stride[0] + g * t->y_stride[1] + i * t->y_stride[2];
        shift_row(t, y, inside ? x : NULL, right);
    }
}
