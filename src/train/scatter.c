// The first expression says where to look: the picture is the square around its points and a
// quarter more on every side, and what lies outside is drawn on the edge. It is real data or a
// prior as a rule, which does not move; a square around everything would shrink for one stray
// sample, and pictures of two steps would have two scales.
#include "train/scatter.h"

#include "base/arena.h"
#include "base/image.h"

#include <math.h>
#include <string.h>

enum { SIDE = 512, BATCH = 500, POINTS = 2000 };

struct layer_of_points {
    struct sampler *sampler;
    const struct data_source *source; // labelled data it reads, else NULL
    float *point;                     // (POINTS, 2)
    int32_t *label;                   // (POINTS), of the source
};

struct scatter {
    struct experiment *experiment;
    struct layer_of_points *layer;
    int n;
    bool finite; // all that was drawn last
};

struct colour {
    float r, g, b;
};

// --- points --------------------------------------------------------------------------------------

static const struct data_source *labelled_source(const struct program *p)
{
    for (int i = 0; i < p->n_input; i++)
        if (p->input[i].source && p->input[i].source->dataset->classes)
            return p->input[i].source;
    return NULL;
}

static bool scatter_read_labels(struct layer_of_points *l, struct arena *a, struct diag *d)
{
    const struct dataset *set = sampler_split(l->sampler, l->source, SPLIT_TEST, d);
    if (!set)
        return false;
    float *image = NEW_ARRAY(a, float, set->channels * set->height * set->width);
    l->label = NEW_ARRAY(a, int32_t, POINTS);
    for (int i = 0; i < POINTS; i++)
        if (!set->kind->get(set, i % set->count, image, &l->label[i]))
            return fail(d, l->source->where, "example %d of '%s' could not be read",
                        (int)(i % set->count), l->source->name);
    return true;
}

struct scatter *scatter_new(struct arena *a, struct experiment *e, float *slab, struct diag *d)
{
    const struct samples *how = &e->samples;
    struct scatter *s = NEW(a, struct scatter);
    *s = (struct scatter){e, NEW_ARRAY(a, struct layer_of_points, how->n_scatter + 1),
                          how->n_scatter};
    for (int i = 0; i < s->n; i++) {
        struct layer_of_points *l = &s->layer[i];
        l->sampler = sampler_new_of(a, e, slab, BATCH, how->scatter[i], e->ema_decay > 0, d);
        if (!l->sampler || shape_size(l->sampler->is.shape) != 2 || l->sampler->is.classes)
            return NULL;
        l->point = NEW_ARRAY(a, float, 2 * POINTS);
        l->source = i == s->n - 1 ? labelled_source(l->sampler->program) : NULL;
        if (l->source && !scatter_read_labels(l, a, d))
            return NULL;
    }
    return s->n ? s : NULL;
}

bool scatter_finite(const struct scatter *s) { return s->finite; }

static bool draw_points(struct scatter *s, struct diag *d)
{
    s->finite = true;
    for (int i = 0; i < s->n; i++)
        for (int from = 0; from < POINTS; from += BATCH) {
            const struct layer_of_points *l = &s->layer[i];
            sampler_noise(l->sampler, (uint64_t)s->experiment->seed, (uint64_t)(from / BATCH));
            if (!sampler_data(l->sampler, SPLIT_TEST, from, d))
                return false;
            memcpy(l->point + 2 * from, sampler_draw(l->sampler), sizeof(float) * 2 * BATCH);
            s->finite &= l->sampler->finite;
        }
    return true;
}

// --- the picture ---------------------------------------------------------------------------------

struct square {
    float x, y, half; // its middle, and half a side
};

static struct square around(const float *point, int n)
{
    float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 2 * n; i++) {
        low[i % 2] = fminf(low[i % 2], point[i]);
        high[i % 2] = fmaxf(high[i % 2], point[i]);
    }
    const float half = 0.75f * fmaxf(high[0] - low[0], high[1] - low[1]);
    if (!isfinite(half))
        return (struct square){0, 0, 1};
    return (struct square){(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, half > 0 ? half : 1};
}

// A pixel of the picture for a number of the plane; the edge for what lies outside.
static int scatter_at(float x, float middle, float half)
{
    const float p = (x - middle + half) / (2 * half) * SIDE;
    return (int)fminf(fmaxf(p, 1), SIDE - 2);
}

static void blend(struct image *to, int x, int y, struct colour c, float weight)
{
    uint8_t *p = to->pixel + 3 * (y * SIDE + x);
    const float part[3] = {c.r, c.g, c.b};
    for (int k = 0; k < 3; k++)
        p[k] = (uint8_t)((float)p[k] + weight * (255 * part[k] - (float)p[k]));
}

static void dot(struct image *to, int x, int y, struct colour c)
{
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            blend(to, x + i, y + j, c, i && j ? 0.3f : 0.8f);
}

// Lines where x and y are 0.
static void scatter_axes(struct image *to, struct square is)
{
    const struct colour grey = {0.5f, 0.5f, 0.5f};
    for (int i = 0; i < SIDE; i++) {
        if (fabsf(is.x) < is.half)
            blend(to, scatter_at(0, is.x, is.half), i, grey, 0.4f);
        if (fabsf(is.y) < is.half)
            blend(to, i, SIDE - 1 - scatter_at(0, is.y, is.half), grey, 0.4f);
    }
}

// Around the circle of hues, every other one darker, so that neighbours differ.
static struct colour class_colour(int k, int classes)
{
    const float turn = (float)k / (float)classes, light = k % 2 ? 0.6f : 0.9f;
    const float wave[3] = {turn, turn - 1.f / 3, turn - 2.f / 3};
    float part[3];
    for (int i = 0; i < 3; i++)
        part[i] = light * fminf(fmaxf(0.5f + cosf(2 * (float)M_PI * wave[i]), 0), 1);
    return (struct colour){part[0], part[1], part[2]};
}

static void draw_layer(struct image *to, const struct layer_of_points *l, struct square is,
                       struct colour usual)
{
    for (int i = 0; i < POINTS; i++) {
        const float x = l->point[2 * i], y = l->point[2 * i + 1];
        if (isnan(x) || isnan(y))
            continue;
        dot(to, scatter_at(x, is.x, is.half), SIDE - 1 - scatter_at(y, is.y, is.half),
            l->label ? class_colour(l->label[i], l->source->dataset->classes) : usual);
    }
}

bool scatter_write(struct scatter *s, const char *path, struct arena *scratch, struct diag *d)
{
    const struct colour beneath = {0.75f, 0.75f, 0.75f}, above = {0.1f, 0.2f, 0.6f};
    struct image image = {SIDE, SIDE, 3, NEW_ARRAY(scratch, uint8_t, 3 * SIDE * SIDE)};
    if (!draw_points(s, d))
        return false;
    const struct square is = around(s->layer[0].point, POINTS);
    memset(image.pixel, 255, 3 * SIDE * SIDE);
    scatter_axes(&image, is);
    for (int i = 0; i < s->n; i++)
        draw_layer(&image, &s->layer[i], is, i < s->n - 1 ? beneath : above);
    return image_write_png(&image, path);
}
