// A rectangle at a random place of an image, as a mask (1, H, W).
#include "data/dataset.h"
#include "lang/function.h"
#include "lang/noise.h"

static bool noise_box_sign(struct noise *n, const struct dataset *images, const char *source,
                           struct place where, struct diag *d)
{
    if (!images)
        return false; // what is wrong with the source was said
    n->is.shape = SHAPE(1, images->height, images->width);
    if (n->size[0] > images->height || n->size[1] > images->width)
        return fail(d, where,
                    "the box is larger than the images of '%s'\nexpected at most [%d, %d]", source,
                    (int)images->height, (int)images->width);
    return true;
}

// 1 where from <= i < from + size: from (batch, 1) against i (1, n)
static struct value *noise_box_span(struct value *from, int64_t n, int64_t size)
{
    struct value *i = reshape(count_up(from->graph, n), SHAPE(1, n));
    return mul(greater(affine(i, 1, 0.5), from), greater(affine(from, 1, (double)size - 0.5), i));
}

static struct value *noise_box_draw(const struct noise *n, struct graph *g, int64_t batch,
                                    int stream)
{
    const int64_t H = n->is.shape.dim[1], W = n->is.shape.dim[2];
    ASSERT(n->size[0] <= H && n->size[1] <= W);
    struct value *top = random_value(g, RANDOM_LABEL, (double)(H - n->size[0] + 1), 0, stream,
                                     SHAPE(batch, 1));
    struct value *left = random_value(g, RANDOM_LABEL, (double)(W - n->size[1] + 1), 0,
                                      stream + NOISE_SECOND, SHAPE(batch, 1));
    struct value *rows = reshape(noise_box_span(top, H, n->size[0]), SHAPE(batch, 1, H, 1));
    struct value *columns = reshape(noise_box_span(left, W, n->size[1]), SHAPE(batch, 1, 1, W));
    return mul(rows, columns);
}

static void noise_box_fill(const struct noise *n, struct rng *r, float *to)
{
    const int64_t H = n->is.shape.dim[1], W = n->is.shape.dim[2];
    const int64_t top = rng_below(r, (uint32_t)(H - n->size[0] + 1)),
                  left = rng_below(r, (uint32_t)(W - n->size[1] + 1));
    for (int64_t y = 0; y < H; y++)
        for (int64_t x = 0; x < W; x++)
            to[y * W + x] = y >= top && y < top + n->size[0] && x >= left && x < left + n->size[1];
}

static const struct param params[] = {{"size", PARAM_INTS, offsetof(struct noise_options, size),
                                       .min = 1, .max = 1 << 20,
                                       .help = "height and width of the rectangle"},
                                      PARAM_END};

const struct noise_kind noise_box = {
    .word = {.name = "box",
             .help = "1 in a rectangle somewhere in the image, else 0",
             .params = params,
             .size = sizeof(struct noise_options)},
    .numbers = 2,
    .sign = noise_box_sign,
    .draw = noise_box_draw,
    .fill = noise_box_fill,
};
