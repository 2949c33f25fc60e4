// Handwriting without a file. An example is a digit written afresh: a way of writing it is chosen,
// its marks are jittered, a smooth curve is laid through them, the curve is bent, slanted,
// stretched, brought to MNIST's measures (20 pixels of 28, centred by weight) and drawn with a pen
// whose width changes along the stroke. What a pixel shows is its distance to the nearest stroke,
// so edges are grey as in a scan and any size is drawn as sharply.
//
// Each example is a function of (split, index) alone: threads need no order and a resumed run draws
// what the first would have drawn. A picture takes some five microseconds, which is a twentieth of a
// small network's iteration, so it is drawn once and kept. Distorting stored pictures fails twice:
// pixels blur at each step, and there would be pictures to store.
#include <math.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "base/philox.h"
#include "data/dataset.h"
#include "data/digits.h"
#include "data/sample_cache.h"

// Change it with anything that changes a pixel: it goes into the fingerprint.
#define VERSION "1"

static const float FAR = 1e3f; // no ink is
enum { LANES = 8 };            // pixels at a time; no picture is narrower
// Comparisons of numbers trap where one is not a number, unless gcc is told that none is looked for.
#define VECTORS __attribute__((optimize("no-trapping-math")))
enum { PIECES = 5, NODES_MAX = DIGIT_MARKS_MAX * PIECES };

static const uint64_t key[] = {
    [SPLIT_TRAIN] = 0x6469676974730001u, [SPLIT_TEST] = 0x6469676974730002u};

struct pen_point {
    float x, y;
};

// A point of the drawn line: where, how far the ink reaches, whether joined to the one before.
struct node_of_line {
    float x, y, radius;
    bool joined;
};

struct line {
    struct node_of_line at[NODES_MAX];
    int n;
};

struct digits_params {
    int64_t size;
};

enum { KEPT_BYTES = 64 << 20 }; // all 60000 of 28 × 28 take 37 MB, of 32 × 32 42 MB

struct digits_own {
    enum split split;
    struct sample_cache *kept;
};

static float digit_spread(struct rng *r, float least, float most)
{
    return least + (most - least) * (float)rng_uniform(r);
}

// Bell-shaped on [-width, width]: the mean of three. Draws are taken one a declaration, here and
// below, because C leaves open in which order it calls the functions of one expression.
static float wobble(struct rng *r, float width)
{
    const float a = digit_spread(r, -1, 1), b = digit_spread(r, -1, 1), c = digit_spread(r, -1, 1);
    return width * (a + b + c) / 3;
}

// Every ten examples in a row hold every digit once, in an order of their own.
static int digit_label(enum split split, int64_t index)
{
    struct rng r;
    rng_init(&r, key[split] ^ 0x6C6162656C000000u, (uint64_t)(index / 10));
    int order[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (uint32_t i = 9; i > 0; i--) {
        const uint32_t j = rng_below(&r, i + 1);
        const int t = order[i];
        order[i] = order[j], order[j] = t;
    }
    return order[index % 10];
}

static const struct glyph *choose_glyph(const struct digit *d, struct rng *r)
{
    int sum = 0;
    for (int i = 0; i < d->n; i++)
        sum += d->glyph[i].often;
    int left = (int)rng_below(r, (uint32_t)sum), i = 0;
    while (left >= d->glyph[i].often)
        left -= d->glyph[i++].often;
    return &d->glyph[i];
}

static float pen_distance(struct pen_point a, struct pen_point b)
{
    return sqrtf((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)) + 1e-6f;
}

// The direction at b of a curve through a, b, c: that of the chords, the shorter weighing more.
static struct pen_point pen_direction(struct pen_point a, struct pen_point b, struct pen_point c)
{
    const float ab = pen_distance(a, b), bc = pen_distance(b, c);
    const float u = bc / (ab * (ab + bc)), v = ab / (bc * (ab + bc));
    return (struct pen_point){u * (b.x - a.x) + v * (c.x - b.x), u * (b.y - a.y) + v * (c.y - b.y)};
}

static struct pen_point chord(struct pen_point a, struct pen_point b)
{
    const float ab = pen_distance(a, b);
    return (struct pen_point){(b.x - a.x) / ab, (b.y - a.y) / ab};
}

// Hermite's cubic from a to b with the directions at both ends, cut into PIECES.
static void lay_span(struct line *l, struct pen_point a, struct pen_point b, struct pen_point da,
                     struct pen_point db)
{
    const float d = pen_distance(a, b);
    for (int i = 1; i <= PIECES; i++) {
        const float t = (float)i / PIECES, t2 = t * t, t3 = t2 * t;
        const float h0 = 2 * t3 - 3 * t2 + 1, h1 = d * (t3 - 2 * t2 + t);
        const float h2 = 3 * t2 - 2 * t3, h3 = d * (t3 - t2);
        l->at[l->n++] = (struct node_of_line){h0 * a.x + h1 * da.x + h2 * b.x + h3 * db.x,
                                              h0 * a.y + h1 * da.y + h2 * b.y + h3 * db.y, 0, true};
    }
}

// A curve through p: it keeps its direction at PEN_SMOOTH marks and turns at corners and ends.
static void lay_digit(struct line *l, const struct mark *mark, const struct pen_point *p, int n)
{
    for (int i = 0; i < n; i++) {
        if (mark[i].pen == PEN_DOWN) {
            l->at[l->n++] = (struct node_of_line){p[i].x, p[i].y, 0, false};
            continue;
        }
        const bool last = i + 1 == n || mark[i + 1].pen == PEN_DOWN;
        const struct pen_point straight = chord(p[i - 1], p[i]);
        const struct pen_point from = mark[i - 1].pen == PEN_SMOOTH
                                          ? pen_direction(p[i - 2], p[i - 1], p[i])
                                          : straight;
        const struct pen_point to = mark[i].pen == PEN_SMOOTH && !last
                                        ? pen_direction(p[i - 1], p[i], p[i + 1])
                                        : straight;
        lay_span(l, p[i - 1], p[i], from, to);
    }
}

// Bends the line as if the paper were rubber: one long wave along each axis.
static void bend(struct line *l, struct rng *r)
{
    const float ax = digit_spread(r, 0, 0.035f), ay = digit_spread(r, 0, 0.03f);
    const float wx = digit_spread(r, 2.5f, 6), wy = digit_spread(r, 2.5f, 6);
    const float px = digit_spread(r, 0, 6.2832f), py = digit_spread(r, 0, 6.2832f);
    for (int i = 0; i < l->n; i++) {
        struct node_of_line *v = &l->at[i];
        const float x = v->x + ax * sinf(wx * v->y + px);
        v->y += ay * sinf(wy * v->x + py);
        v->x = x;
    }
}

// Stretch, slant (most hands lean to the right) and a little rotation.
static void lean(struct line *l, struct rng *r)
{
    const float wide = 1 + wobble(r, 0.32f), slant = 0.14f + wobble(r, 0.55f);
    const float turn = wobble(r, 0.14f), c = cosf(turn), s = sinf(turn);
    for (int i = 0; i < l->n; i++) {
        struct node_of_line *v = &l->at[i];
        const float y = v->y - 0.5f, x = wide * (v->x - 0.35f) - slant * y;
        v->x = c * x - s * y;
        v->y = s * x + c * y;
    }
}

// The pen's half width in pixels of 28, swelling and thinning along the line.
static float press(struct line *l, struct rng *r)
{
    const float much = digit_spread(r, 0, 0.5f), more = digit_spread(r, -0.3f, 0.5f);
    const float half = 1 + much + more, depth = digit_spread(r, 0, 0.17f);
    const float wave = digit_spread(r, 0.05f, 0.22f), phase = digit_spread(r, 0, 6.2832f);
    for (int i = 0; i < l->n; i++)
        l->at[i].radius = half * (1 + depth * sinf(wave * (float)i + phase));
    return half;
}

struct box {
    float left, top, right, bottom;
};

static struct box extent(const struct line *l)
{
    struct box b = {l->at[0].x, l->at[0].y, l->at[0].x, l->at[0].y};
    for (int i = 1; i < l->n; i++) {
        b.left = fminf(b.left, l->at[i].x), b.right = fmaxf(b.right, l->at[i].x);
        b.top = fminf(b.top, l->at[i].y), b.bottom = fmaxf(b.bottom, l->at[i].y);
    }
    return b;
}

// Where the ink balances: pieces of line weighed by length and width.
static struct pen_point balance(const struct line *l)
{
    float x = 0, y = 0, sum = 1e-6f;
    for (int i = 1; i < l->n; i++) {
        const struct node_of_line *a = &l->at[i - 1], *b = &l->at[i];
        if (!b->joined)
            continue;
        const float w = hypotf(b->x - a->x, b->y - a->y) * (a->radius + b->radius);
        x += w * (a->x + b->x) / 2, y += w * (a->y + b->y) / 2, sum += w;
    }
    return (struct pen_point){x / sum, y / sum};
}

// Where the origin comes to lie so that `low` to `high`, scaled, stay `margin` inside a page of 28.
static float on_page(float wanted, float low, float high, float margin)
{
    return fmaxf(margin - low, fminf(28 - margin - high, wanted));
}

// MNIST's measures: the longer side of the inked box is 20 of 28, the ink's balance in the middle.
static void place_on_page(struct line *l, float half, float size, struct rng *r)
{
    const struct box box = extent(l);
    const struct pen_point centre = balance(l);
    const float longer = digit_spread(r, 18.6f, 20.6f), unit = size / 28, margin = 1.2f * half + 1;
    const float scale = (longer - 2 * half) /
                        fmaxf(fmaxf(box.right - box.left, box.bottom - box.top), 0.2f);
    const float dx = on_page(14 + wobble(r, 1.3f) - scale * centre.x, scale * box.left,
                             scale * box.right, margin);
    const float dy = on_page(14 + wobble(r, 1.3f) - scale * centre.y, scale * box.top,
                             scale * box.bottom, margin);
    for (int i = 0; i < l->n; i++) {
        struct node_of_line *v = &l->at[i];
        v->x = unit * (scale * v->x + dx);
        v->y = unit * (scale * v->y + dy);
        v->radius *= unit;
    }
}

static int clamp_to_paper(float x, int size) { return x < 0 ? 0 : x > (float)size ? size : (int)x; }

// A straight piece of line from (x, y): how it goes on, and 1 / its length².
struct piece {
    float x, dx, dy, radius, dr, per_length2;
};

// edge(p) = min(edge(p), |p − nearest point of a..b| − the pen's half width there), for the pixels
// `from` to from + LANES − 1 of a row, py below a, that lie before `right`. Nothing in it depends on
// which pixel it is, so that the compiler makes vectors of it.
VECTORS static void ink_row(float *restrict edge, int from, int right, float py,
                            const struct piece *p)
{
    const float ax = p->x, dx = p->dx, dy = p->dy, radius = p->radius, dr = p->dr;
    const float per_length2 = p->per_length2;
    for (int i = 0; i < LANES; i++) {
        const float px = (float)(from + i) + 0.5f - ax;
        const float along = (px * dx + py * dy) * per_length2;
        const float least = along < 0 ? 0 : along, t = least > 1 ? 1 : least;
        const float x = px - t * dx, y = py - t * dy;
        const float d = sqrtf(x * x + y * y) - radius - t * dr;
        const float here = from + i < right ? d : FAR;
        edge[from + i] = here < edge[from + i] ? here : edge[from + i];
    }
}

static void ink(float *edge, int size, const struct node_of_line *a, const struct node_of_line *b)
{
    const float reach = fmaxf(a->radius, b->radius) + 1;
    const int left = clamp_to_paper(fminf(a->x, b->x) - reach, size);
    const int right = clamp_to_paper(fmaxf(a->x, b->x) + reach, size);
    const int top = clamp_to_paper(fminf(a->y, b->y) - reach, size);
    const int bottom = clamp_to_paper(fmaxf(a->y, b->y) + reach, size);
    const float dx = b->x - a->x, dy = b->y - a->y;
    const struct piece p = {
        a->x, dx, dy, a->radius, b->radius - a->radius, 1 / (dx * dx + dy * dy + 1e-9f)};
    for (int row = top; row < bottom; row++)
        for (int col = left; col < right; col += LANES)
            ink_row(edge + (size_t)row * (size_t)size, col < size - LANES ? col : size - LANES,
                    right, (float)row + 0.5f - a->y, &p);
}

// Distance to the edge of the ink, in pixels, becomes grey over the width of an edge; then [-1, 1].
VECTORS static void develop(float *image, int size, float soft, float black)
{
    for (int i = 0; i < size * size; i++) {
        const float v = 0.5f - image[i] / soft, some = v < 0 ? 0 : v, ink = some > 1 ? 1 : some;
        image[i] = 2 * black * ink - 1;
    }
}

static struct pen_point jittered(const struct mark *m, struct rng *r)
{
    const float dx = wobble(r, 0.06f), dy = wobble(r, 0.06f);
    return (struct pen_point){m->x / 100.f + dx, m->y / 100.f + dy};
}

static void write_digit(enum split split, int64_t index, int digit, int size, float *image)
{
    struct rng r;
    rng_init(&r, key[split], (uint64_t)index);
    const struct glyph *g = choose_glyph(&digits[digit], &r);
    struct pen_point p[DIGIT_MARKS_MAX];
    for (int i = 0; i < g->n; i++)
        p[i] = jittered(&g->mark[i], &r);
    struct line l;
    l.n = 0;
    lay_digit(&l, g->mark, p, g->n);
    bend(&l, &r);
    lean(&l, &r);
    place_on_page(&l, press(&l, &r), (float)size, &r);
    for (int i = 0; i < size * size; i++)
        image[i] = FAR;
    for (int i = 1; i < l.n; i++)
        if (l.at[i].joined)
            ink(image, size, &l.at[i - 1], &l.at[i]);
    const float soft = digit_spread(&r, 1, 1.5f), black = digit_spread(&r, 0.94f, 1);
    develop(image, size, soft, black);
}

static bool digits_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct digits_own *own = s->state;
    if (sample_cache_get(own->kept, index, image, label))
        return true;
    *label = digit_label(own->split, index);
    write_digit(own->split, index, *label, (int)s->width, image);
    sample_cache_put(own->kept, index, image, *label);
    return true;
}

static bool digits_open(struct dataset *s, enum split split, const void *params, struct place where,
                        struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct digits_params *p = params;
    struct digits_own *own = NEW(a, struct digits_own);
    own->split = split;
    s->state = own;
    s->channels = 1;
    s->height = s->width = p->size;
    s->count = split == SPLIT_TRAIN ? 60000 : 10000;
    s->classes = 10;
    own->kept = sample_cache_new(a, s->count, p->size * p->size, KEPT_BYTES);
    const char *text = arena_printf(a, "digits " VERSION " split %d size %d", (int)split,
                                    (int)p->size);
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    s->fingerprint = SHA256Data((const uint8_t *)text, strlen(text), hex);
    return true;
}

static const struct param digits_table[] = {
    {"size", PARAM_INT, offsetof(struct digits_params, size), "28", 8, 256, NULL,
     "height and width in pixels"},
    PARAM_END,
};

const struct dataset_kind dataset_digits = {
    .word = {.name = "digits",
             .help = "handwritten digits drawn by the program: no file, no end, MNIST's measures",
             .params = digits_table,
             .size = sizeof(struct digits_params)},
    .open = digits_open,
    .get = digits_get,
};
