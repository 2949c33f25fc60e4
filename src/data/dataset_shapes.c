// Colour pictures without a file: a shape, shaded and with a shadow, on a textured ground. Shape
// and colour are both drawn evenly and apart from each other, so that either can be the label, or
// one be the label and the other what a model should find for itself.
//
// Edges are smooth because a pixel shows its distance to the shape's edge, which is a formula for
// each shape; the same picture can so be drawn at any size. Drawing large and shrinking gives the
// same edges for sixteen times the work. Each example is a function of (split, index) alone.
//
// A row is made at a time, each formula for all of its points: half the time of asking each point
// for its colour.
#include <math.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "base/philox.h"
#include "data/dataset.h"

// Change it with anything that changes a pixel: it goes into the fingerprint.
#define VERSION "1"

static const float pi = 3.14159265f;

static const uint64_t key[] = {
    [SPLIT_TRAIN] = 0x7368617065730001u, [SPLIT_TEST] = 0x7368617065730002u};

enum { KINDS = 8, PAIRS = KINDS * KINDS, LATTICE = 8, WIDEST = 128 };
enum { BY_SHAPE, BY_COLOUR };

// What is computed a row at a time is built for longer vectors as well. AVX2 has no instruction
// that rounds less often, as FMA would: the pictures are the same to the bit.
#if defined __x86_64__ && defined __gnu_linux__
#define BY_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define BY_VECTORS
#endif

struct vec {
    float x, y;
};

struct rgb {
    float v[3];
};

// --- shapes: distance to the edge, negative inside; of radius about 1, y downwards ---------------

static float length(float x, float y) { return sqrtf(x * x + y * y); }

static float larger_of(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return a < b ? a : b; }

static float circle(struct vec p) { return length(p.x, p.y) - 0.88f; }

static float ring(struct vec p) { return fabsf(length(p.x, p.y) - 0.7f) - 0.24f; }

// A star of n tips at radius 1 and n notches at radius `inner`, one tip upwards. Folded into half a
// sector, its edge is one straight line from tip to notch.
static float star_of(struct vec p, float n, float inner)
{
    const float sector = 2 * pi / n, turn = atan2f(p.x, -p.y), r = length(p.x, p.y);
    const float a = fabsf(turn - sector * rintf(turn / sector));
    const float x = r * sinf(a), y = r * cosf(a) - 1;
    const float ex = inner * sinf(sector / 2), ey = inner * cosf(sector / 2) - 1;
    const float t = smaller(larger_of((x * ex + y * ey) / (ex * ex + ey * ey), 0), 1);
    const float d = length(x - t * ex, y - t * ey);
    return x * ey - y * ex < 0 ? d : -d;
}

static float triangle(struct vec p) { return star_of((struct vec){p.x, p.y - 0.15f}, 3, 0.5f); }

static float star(struct vec p) { return star_of(p, 5, 0.42f); }

static float box(float x, float y, float half_x, float half_y)
{
    const float dx = fabsf(x) - half_x, dy = fabsf(y) - half_y;
    return length(larger_of(dx, 0), larger_of(dy, 0)) + smaller(larger_of(dx, dy), 0);
}

static float dataset_shapes_square(struct vec p) { return box(p.x, p.y, 0.74f, 0.74f); }

static float cross(struct vec p)
{
    return smaller(box(p.x, p.y, 0.92f, 0.29f), box(p.x, p.y, 0.29f, 0.92f));
}

// Two half discs on the sides of a square that stands on a corner.
static float heart(struct vec p)
{
    const float scale = 1.6f, x = fabsf(p.x) / scale, y = 0.56f - p.y / scale;
    if (x + y > 1)
        return scale * (length(x - 0.25f, y - 0.75f) - 0.35355339f);
    const float m = 0.5f * larger_of(x + y, 0);
    const float d = smaller(length(x, y - 1), length(x - m, y - m));
    return x > y ? scale * d : -scale * d;
}

static float moon(struct vec p)
{
    return larger_of(length(p.x + 0.1f, p.y) - 0.95f, 0.74f - length(p.x - 0.42f, p.y));
}

#define SHAPE_ROW(name)                                                                 \
    BY_VECTORS static void name##_row(const float *x, const float *y, float *to, int n) \
    {                                                                                   \
        for (int i = 0; i < n; i++)                                                     \
            to[i] = name((struct vec){x[i], y[i]});                                     \
    }
SHAPE_ROW(circle)
SHAPE_ROW(dataset_shapes_square)
SHAPE_ROW(triangle)
SHAPE_ROW(star)
SHAPE_ROW(ring)
SHAPE_ROW(cross)
SHAPE_ROW(heart)
SHAPE_ROW(moon)

typedef void shape_row(const float *x, const float *y, float *to, int n);

// `turn`: how far it may be transposed either way, in whole turns, and still be itself.
static const struct shape_kind {
    shape_row *distance;
    float turn;
} shape[KINDS] = {
    {circle_row, 0},       {dataset_shapes_square_row, 0.07f},
    {triangle_row, 0.08f}, {star_row, 0.1f},
    {ring_row, 0},         {cross_row, 0.06f},
    {heart_row, 0.07f},    {moon_row, 0.1f},
};
static const char *const shape_name[] = {
    "circle", "square", "triangle", "star", "ring", "cross", "heart", "moon",
};

static const struct rgb colour[KINDS] = {
    {{0.88f, 0.14f, 0.14f}}, {{0.98f, 0.53f, 0.08f}}, {{0.98f, 0.88f, 0.22f}},
    {{0.16f, 0.66f, 0.22f}}, {{0.16f, 0.80f, 0.84f}}, {{0.14f, 0.32f, 0.90f}},
    {{0.52f, 0.18f, 0.74f}}, {{0.98f, 0.52f, 0.74f}},
};
static const char *const colour_name[] = {
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink",
};

// --- the ground: two dull colours in a pattern, whose share of the second is a formula -----------

struct ground {
    const struct pattern *pattern;
    struct rgb first, second;
    struct vec along, across; // the pattern's axes; their length is its frequency
    float sharp;              // pixels a period, over 2π
    float height[LATTICE * LATTICE];
};

static float clamped(float x) { return smaller(larger_of(x, 0), 1); }

static float stripes(const struct ground *g, struct vec p)
{
    return clamped(0.5f + g->sharp * sinf(2 * pi * p.x));
}

static float checks(const struct ground *g, struct vec p)
{
    return clamped(0.5f + g->sharp * sinf(pi * p.x) * sinf(pi * p.y));
}

static float dots(const struct ground *g, struct vec p)
{
    const float d = length(p.x - rintf(p.x), p.y - rintf(p.y));
    return clamped(0.5f + 2 * pi * g->sharp * (0.3f - d));
}

static float height_at(const struct ground *g, int x, int y)
{
    return g->height[(y & (LATTICE - 1)) * LATTICE + (x & (LATTICE - 1))];
}

static int shape_below(float x)
{
    const int i = (int)x;
    return i - ((float)i > x);
}

// Heights on a lattice, joined by 3t² − 2t³.
static float hills(const struct ground *g, struct vec p)
{
    const int x = shape_below(p.x), y = shape_below(p.y);
    const float tx = p.x - (float)x, ty = p.y - (float)y;
    const float u = tx * tx * (3 - 2 * tx), v = ty * ty * (3 - 2 * ty);
    const float top = height_at(g, x, y) * (1 - u) + height_at(g, x + 1, y) * u;
    const float low = height_at(g, x, y + 1) * (1 - u) + height_at(g, x + 1, y + 1) * u;
    return top * (1 - v) + low * v;
}

static float clouds(const struct ground *g, struct vec p)
{
    return 0.65f * hills(g, p) + 0.35f * hills(g, (struct vec){2 * p.x + 3, 2 * p.y + 5});
}

static float dataset_shapes_plain(const struct ground *g, struct vec p)
{
    (void)g, (void)p;
    return 0;
}

typedef void ground_row(const struct ground *g, const float *x, const float *y, float *to, int n);

#define GROUND_ROW(name)                                                                      \
    BY_VECTORS static void name##_row(const struct ground *g, const float *x, const float *y, \
                                      float *to, int n)                                       \
    {                                                                                         \
        for (int i = 0; i < n; i++)                                                           \
            to[i] = name(g, (struct vec){x[i], y[i]});                                        \
    }
GROUND_ROW(dataset_shapes_plain)
GROUND_ROW(stripes)
GROUND_ROW(checks)
GROUND_ROW(dots)
GROUND_ROW(clouds)

static const struct pattern {
    ground_row *share;
    bool lattice; // made of heights
} pattern[] = {
    {dataset_shapes_plain_row}, {stripes_row},      {checks_row}, {dots_row},
    {clouds_row, true},         {clouds_row, true},
};

// Draws are taken one a declaration, here and below, because C leaves open in which order it calls
// the functions of one expression.
static float shape_spread(struct rng *r, float least, float most)
{
    return least + (most - least) * (float)rng_uniform(r);
}

static struct rgb dull(struct rng *r, float light, float tint)
{
    struct rgb c;
    for (int i = 0; i < 3; i++)
        c.v[i] = clamped(light + shape_spread(r, -tint, tint));
    return c;
}

static struct ground draw_ground(struct rng *r, float size)
{
    struct ground g = {.pattern = &pattern[rng_below(r, LENGTH(pattern))]};
    const float light = shape_spread(r, 0.15f, 0.85f), step = shape_spread(r, 0.1f, 0.2f);
    const float frequency = shape_spread(r, 2.5f, 5), angle = shape_spread(r, 0, 2 * pi);
    g.first = dull(r, light, 0.08f);
    g.second = dull(r, light < 0.5f ? light + step : light - step, 0.08f);
    g.along = (struct vec){frequency * cosf(angle), frequency * sinf(angle)};
    g.across = (struct vec){-g.along.y, g.along.x};
    g.sharp = size / (2 * pi * frequency);
    for (int i = 0; g.pattern->lattice && i < LATTICE * LATTICE; i++)
        g.height[i] = shape_spread(r, 0, 1);
    return g;
}

// A row of the picture: x and y on [−1, 1]; the light falls from above.
BY_VECTORS static void ground_colours(const struct ground *g, const float *x, float y,
                                      float *const to[3], int n)
{
    float px[WIDEST] = {0}, py[WIDEST] = {0}, t[WIDEST];
    for (int i = 0; i < n; i++) {
        px[i] = (g->along.x * x[i] + g->along.y * y) / 2;
        py[i] = (g->across.x * x[i] + g->across.y * y) / 2;
    }
    g->pattern->share(g, px, py, t, n);
    const float fall = 1 - 0.12f * y;
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < n; i++)
            to[c][i] = fall * (g->first.v[c] + t[i] * (g->second.v[c] - g->first.v[c]));
}

// --- a picture -----------------------------------------------------------------------------------

struct figure {
    shape_row *distance;
    struct rgb colour;
    struct vec at;
    float radius, cos, sin;
};

static struct figure draw_figure(struct rng *r, int kind, int hue)
{
    struct figure f = {.distance = shape[kind].distance, .colour = colour[hue]};
    const float turn = 2 * pi * shape[kind].turn, angle = shape_spread(r, -turn, turn);
    f.radius = shape_spread(r, 0.42f, 0.74f);
    const float room = 1 - 1.06f * f.radius;
    const float x = shape_spread(r, -room, room), y = shape_spread(r, -room, room);
    f.at = (struct vec){x, y};
    f.cos = cosf(angle), f.sin = sinf(angle);
    for (int i = 0; i < 3; i++)
        f.colour.v[i] = clamped(f.colour.v[i] * shape_spread(r, 0.92f, 1.06f));
    return f;
}

// Distances to the figure's edge, in half widths of the picture, of points moved by (−right,
// −down). Those near it are neighbours.
BY_VECTORS static void distance_row(const struct figure *f, const float *x, float y, float right,
                                    float down, float *to, int n)
{
    float dx[WIDEST], px[WIDEST], py[WIDEST];
    ASSERT(n <= WIDEST && f->radius > 0);
    const float dy = (y - down - f->at.y) / f->radius;
    int from = 0;
    for (int i = 0; i < n; i++) {
        dx[i] = (x[i] - right - f->at.x) / f->radius;
        to[i] = f->radius;
    }
    while (from < n && dx[from] * dx[from] + dy * dy > 1.6f)
        from++;
    while (n > from && dx[n - 1] * dx[n - 1] + dy * dy > 1.6f)
        n--;
    for (int i = from; i < n; i++) {
        px[i] = f->cos * dx[i] + f->sin * dy;
        py[i] = f->cos * dy - f->sin * dx[i];
    }
    f->distance(px + from, py + from, to + from, n - from);
    for (int i = from; i < n; i++)
        to[i] = f->radius * to[i];
}

// A row of the picture: ground, the figure's shadow on it, the figure, its edge a little darker.
BY_VECTORS static void colour_row(const struct figure *f, const struct ground *g, const float *x,
                                  float y, float half, float *const to[3], int n)
{
    float d[WIDEST], away[WIDEST], ink[WIDEST], shade[WIDEST], shadow[WIDEST];
    ground_colours(g, x, y, to, n);
    distance_row(f, x, y, 0, 0, d, n);
    distance_row(f, x, y, 0.06f, 0.09f, away, n);
    for (int i = 0; i < n; i++) {
        const float light = 1 - 0.16f * (x[i] - f->at.x + 2 * (y - f->at.y));
        const float inner = clamped(0.5f - (d[i] + 0.06f) * half),
                    dark = clamped(0.5f - away[i] * 7);
        ink[i] = clamped(0.5f - d[i] * half);
        shade[i] = light * (0.78f + 0.22f * inner);
        shadow[i] = 1 - 0.45f * (ink[i] < 1 ? dark : 0);
    }
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < n; i++) {
            const float ground = to[c][i] * shadow[i];
            to[c][i] = 2 * clamped(ground + ink[i] * (shade[i] * f->colour.v[c] - ground)) - 1;
        }
}

// Every 64 examples in a row hold every shape in every colour once, in an order of their own.
static int pair_of(enum split split, int64_t index)
{
    ASSERT(index >= 0);
    struct rng r;
    rng_init(&r, key[split] ^ 0x6C6162656C000000u, (uint64_t)(index / PAIRS));
    int order[PAIRS];
    for (uint32_t i = 0; i < PAIRS; i++) {
        const uint32_t j = rng_below(&r, i + 1);
        order[i] = order[j];
        order[j] = (int)i;
    }
    return order[index % PAIRS];
}

struct shapes_params {
    int64_t size;
    int label;
};

struct shapes_own {
    enum split split;
    int label;
};

static bool shapes_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct shapes_own *own = s->state;
    const int size = (int)s->width, pair = pair_of(own->split, index);
    const float half = (float)size / 2;
    struct rng r;
    rng_init(&r, key[own->split], (uint64_t)index);
    const struct figure f = draw_figure(&r, pair % KINDS, pair / KINDS);
    const struct ground g = draw_ground(&r, (float)size);
    float x[WIDEST];
    for (int col = 0; col < size; col++)
        x[col] = ((float)col + 0.5f) / half - 1;
    for (int row = 0; row < size; row++) {
        float *const to = image + row * size; // (C, H, W)
        colour_row(&f, &g, x, ((float)row + 0.5f) / half - 1, half,
                   (float *[]){to, to + size * size, to + 2 * size * size}, size);
    }
    *label = own->label == BY_SHAPE ? pair % KINDS : pair / KINDS;
    return true;
}

// Row by row: the figure in its colour without light, on black.
static bool shapes_get_own(const struct dataset *s, int64_t index, int k, float *to)
{
    const struct shapes_own *own = s->state;
    const int size = (int)s->width, pair = pair_of(own->split, index);
    const float half = (float)size / 2;
    struct rng r;
    ASSERT(k == 0);
    rng_init(&r, key[own->split], (uint64_t)index);
    const struct figure f = draw_figure(&r, pair % KINDS, pair / KINDS);
    float x[WIDEST], d[WIDEST];
    for (int col = 0; col < size; col++)
        x[col] = ((float)col + 0.5f) / half - 1;
    for (int row = 0; row < size; row++) {
        distance_row(&f, x, ((float)row + 0.5f) / half - 1, 0, 0, d, size);
        for (int c = 0; c < 3; c++)
            for (int col = 0; col < size; col++)
                to[(c * size + row) * size + col] = 2 * clamped(0.5f - d[col] * half) *
                                                        f.colour.v[c] -
                                                    1;
    }
    return true;
}

static bool shapes_open(struct dataset *s, enum split split, const void *params, struct place where,
                        struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct shapes_params *p = params;
    struct shapes_own *own = NEW(a, struct shapes_own);
    *own = (struct shapes_own){split, p->label};
    s->state = own;
    s->channels = 3;
    s->height = s->width = p->size;
    s->count = split == SPLIT_TRAIN ? 60000 : 10000;
    s->classes = KINDS;
    struct data_field *map = NEW(a, struct data_field);
    *map = (struct data_field){"map", 3, p->size, p->size, 0};
    s->own = map;
    s->n_own = 1;
    s->class_name = p->label == BY_SHAPE ? shape_name : colour_name;
    const char *text = arena_printf(a, "shapes " VERSION " split %d size %d label %d", (int)split,
                                    (int)p->size, p->label);
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    s->fingerprint = SHA256Data((const uint8_t *)text, strlen(text), hex);
    return true;
}

static const char *const labels[] = {[BY_SHAPE] = "shape", [BY_COLOUR] = "colour", NULL};

static const struct param shapes_table[] = {
    {"size", PARAM_INT, offsetof(struct shapes_params, size), "32", 16, 128, NULL,
     "height and width in pixels"},
    {"label", PARAM_WORD, offsetof(struct shapes_params, label), "shape", 0, 0, labels,
     "what the label is: one of 8 shapes or of 8 colours"},
    PARAM_END,
};

const struct dataset_kind dataset_shapes = {
    .word = {.name = "shapes",
             .help = "coloured shapes on textured grounds, drawn by the program: no file, no end, "
                     "3 channels",
             .usage = "a field of its own: map, the shape in its plain colour on black",
             .params = shapes_table,
             .size = sizeof(struct shapes_params)},
    .open = shapes_open,
    .get = shapes_get,
    .get_own = shapes_get_own,
};
