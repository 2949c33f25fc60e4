// Which convolutions take which tiles. Two convolutions of one shape that share an operand share
// its transform when they take the same tiles, and pay for it twice when they do not. So the choice
// is made for families: convolutions of one shape, connected through what they read. Within a
// family there is a choice for each direction (forward, data gradient, weight gradient), because
// oneDNN's direct kernels are not equally good at all three; none for each member, because members
// of one direction differ in nothing but the numbers they hold.
//
// The rule weighs the products saved against the planes to be written and read, and gives all
// directions one answer. (Tiles of 5 where results are 14 pixels wide: an iteration of dcgan went
// from 23.0 to 21.9 ms by them, acgan from 18.0 to 17.0, wgan_gp from 72 to 65.) A chooser that
// measures runs the family alone (opt/region.c).
//
// The third way are blocks (kernels/kernel_winograd_blocks.c), which make everything again and share nothing,
// and never leave the cache: better where planes are large, as those of deep layers' weights. Their
// sums are never rounded, and their tiles need not be squares: with bf16 that allows tiles of 4 × 2,
// of which one axis is nearly as exact as no tiles at all, where 4 × 4 would be too far off.
//
// Choosing for each convolution by itself fails where it matters: alone, a transform is never
// shared, and Winograd's algorithm is seldom worth three of them.
#include "opt/winograd.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/choice.h"
#include "ir/op.h"
#include "ir/machine.h"
#include "ir/winograd_points.h"
#include "opt/region.h"

#include <string.h>

// a number written to a plane and read back, in multiply-adds of a convolution
enum { PLANE_COST = 25 };
// Planes of this many points bear being rounded to bf16, results of products with them.
enum { ROUNDED_MOST = 4 };
// What blocks of bf16 may be off by, in errors of a convolution whose own operands are rounded.
static const double NOISE = 2.25;
// F(7, 2) would be off by 3e-5 of the largest result with 256 channels.
enum { LARGEST = 6 };
// multiply-adds of an example that are some tenths of a second
static const double LONG_WORK = 2e10;
// Planes that fit in a last cache are better shared than made again: numbers, of either type.
static const double cached[] = {[TYPE_F32] = 4 << 20, [TYPE_BF16] = 7 << 20};
enum { ROLES = 3 };
// of operands, as all three ops take them
static const int order[ROLES] = {TILE_FINE, TILE_COARSE, TILE_WEIGHT};

struct winograd_family_member {
    struct value *v;
    struct value *operand[ROLES]; // by winograd_role; NULL: what it computes
    int number[ROLES];            // among the family's operands
    int family;                   // the first member's number
};

// The operands of a family, numbered as they come.
struct operands {
    struct value **of[ROLES];
    int n[ROLES];
};

struct family {
    struct graph *graph;
    struct arena *arena;
    struct winograd_family_member **member;
    int n;
    struct winograd filter;
    struct operands operands;
};

// --- the rule ------------------------------------------------------------------------------------

static int64_t winograd_family_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

enum way { PLANES, BLOCKS };

struct tile {
    int64_t down, across;
};

static int64_t winograd_family_taps(const struct winograd *f)
{
    return winograd_family_up(f->kernel, f->stride);
}

// Whether results are near enough. Planes are of squares.
static bool bears(const struct family *family, enum way way, struct tile t)
{
    const int64_t r = winograd_family_taps(&family->filter);
    const bool rounds = family->graph->precision == TYPE_BF16;
    const int most = rounds && way == PLANES ? ROUNDED_MOST : WINOGRAD_POINTS_MAX;
    if (t.down + r - 1 > most || t.across + r - 1 > most)
        return false;
    if (way == PLANES || !rounds)
        return t.down == t.across;
    return winograd_noise((int)t.down, (int)r) * winograd_noise((int)t.across, (int)r) <=
           NOISE * NOISE;
}

static double in_tile(const struct winograd *f, struct tile t)
{
    return (double)((t.down + winograd_family_taps(f) - 1) *
                    (t.across + winograd_family_taps(f) - 1));
}

// Points of all tiles: products for each pair of channels.
static double winograd_family_points(const struct winograd *f, struct tile t)
{
    const int64_t *d = f->coarse.dim;
    return in_tile(f, t) *
           (double)(d[0] * winograd_family_up(d[2], t.down) * winograd_family_up(d[3], t.across));
}

static double winograd_family_rows(const struct winograd *f) { return (double)f->weight.dim[0]; }
static double winograd_family_columns(const struct winograd *f)
{
    return (double)(f->stride * f->stride * f->weight.dim[1]);
}

// Numbers in the planes of all three tensors.
static double winograd_family_planes(const struct winograd *f, struct tile t)
{
    return winograd_family_points(f, t) * (winograd_family_rows(f) + winograd_family_columns(f)) +
           in_tile(f, t) * winograd_family_rows(f) * winograd_family_columns(f);
}

// What the convolution costs, in multiply-adds.
static double winograd_family_cost(const struct winograd *f, struct tile t)
{
    return winograd_family_points(f, t) * winograd_family_rows(f) * winograd_family_columns(f) +
           PLANE_COST * winograd_family_planes(f, t);
}

// Walks the tiles that are near enough.
#define EACH_TILE(t, f, way)                                                                      \
    for (struct tile t = {2, 2}; t.down <= LARGEST; t = t.across < t.down                         \
                                                            ? (struct tile){t.down, t.across + 1} \
                                                            : (struct tile){t.down + 1, 2})       \
        if (bears(f, way, t))

// The best tiles, or none where the direct way is as good.
static struct tile winograd_family_worth(const struct family *family, enum way way)
{
    const struct winograd *f = &family->filter;
    struct tile best = {0, 0};
    double least = (double)shape_size(f->coarse) *
                   (double)(f->weight.dim[1] * f->kernel * f->kernel);
    EACH_TILE(t, family, way)
    if (winograd_family_cost(f, t) < least) {
        least = winograd_family_cost(f, t);
        best = t;
    }
    return best;
}

// --- families ------------------------------------------------------------------------------------

static struct winograd_family_member member_of(struct value *v, int number)
{
    struct winograd_family_member m = {.v = v, .family = number};
    m.operand[conv_is(v, CONV_DATA_GRAD) ? TILE_COARSE : TILE_FINE] = v->in[0];
    m.operand[conv_is(v, CONV_WEIGHT_GRAD) ? TILE_COARSE : TILE_WEIGHT] = v->in[1];
    return m;
}

static bool one_shape(const struct value *a, const struct value *b)
{
    const struct winograd f = winograd_of(a), g = winograd_of(b);
    return shape_equal(f.fine, g.fine) && shape_equal(f.weight, g.weight) &&
           shape_equal(f.coarse, g.coarse) &&
           !memcmp(&a->attr.conv.window, &b->attr.conv.window, sizeof a->attr.conv.window);
}

static bool related(const struct winograd_family_member *a, const struct winograd_family_member *b)
{
    for (int r = 0; r < ROLES; r++)
        if (a->operand[r] && a->operand[r] == b->operand[r])
            return one_shape(a->v, b->v);
    return false;
}

static struct winograd_family_member *find_members(struct graph *g, struct arena *a, int *n)
{
    struct winograd_family_member *m = NULL;
    *n = 0;
    for (int i = 0; i < g->n; i++)
        if (winograd_fits(g->value[i])) {
            const struct winograd_family_member new = member_of(g->value[i], *n);
            APPEND(a, m, *n, new);
        }
    for (int i = 0; i < *n; i++)
        for (int j = 0; j < i; j++) {
            const int from = m[i].family, to = m[j].family;
            if (from == to || !related(&m[i], &m[j]))
                continue;
            for (int k = 0; k <= i; k++)
                if (m[k].family == from || m[k].family == to)
                    m[k].family = from < to ? from : to;
        }
    return m;
}

static int winograd_family_number_of(struct family *f, int role, struct value *v)
{
    ASSERT(role >= TILE_COARSE && role <= TILE_WEIGHT);
    struct operands *o = &f->operands;
    for (int i = 0; i < o->n[role]; i++)
        if (o->of[role][i] == v)
            return i;
    APPEND(f->arena, o->of[role], o->n[role], v);
    return o->n[role] - 1;
}

static struct family family_of(struct graph *g, struct arena *a, struct winograd_family_member *m,
                               int first, int n)
{
    struct family f = {.graph = g, .arena = a, .filter = winograd_of(m[first].v)};
    for (int i = first; i < n; i++) {
        if (m[i].family != first)
            continue;
        APPEND(a, f.member, f.n, &m[i]);
        for (int r = 0; r < ROLES; r++)
            if (m[i].operand[r])
                m[i].number[r] = winograd_family_number_of(&f, r, m[i].operand[r]);
    }
    return f;
}

// --- asking --------------------------------------------------------------------------------------

// 0 forward, 1 data gradient, 2 weight gradient.
static int winograd_family_direction(const struct winograd_family_member *m)
{
    return !m->operand[TILE_COARSE] ? 0 : !m->operand[TILE_FINE] ? 1 : 2;
}

// The axis of each direction that the family has; how many.
static int winograd_family_axes(const struct family *f, int axis[3])
{
    bool has[3] = {false};
    int n = 0;
    for (int i = 0; i < f->n; i++)
        has[winograd_family_direction(f->member[i])] = true;
    for (int d = 0; d < 3; d++)
        axis[d] = has[d] ? n++ : -1;
    return n;
}

// "conv 64x32x14x14 64x32x3x3 /2 1,1,1,1: x0p0 x1p0 y0p0 x0y0": images, weights, window, then what
// meets what. p is a parameter, w computed weights, y a result's gradient.
static const char *winograd_family_key_of(const struct family *f)
{
    static const char letter[] = {[TILE_COARSE] = 'y', [TILE_FINE] = 'x', [TILE_WEIGHT] = 'w'};
    const char *words = f->graph->precision == TYPE_BF16 ? "conv bf16" : "conv";
    struct text t;
    text_init(&t);
    text_addf(
        &t, "%s:", region_conv(f->arena, words, f->filter.fine, f->filter.weight, f->member[0]->v));
    for (int k = 0; k < f->n; k++) {
        const struct winograd_family_member *m = f->member[k];
        for (int o = 0, n = 0; o < ROLES; o++) {
            const int r = order[o];
            if (m->operand[r])
                text_addf(&t, "%s%c%d", n++ ? "" : " ",
                          r == TILE_WEIGHT && m->operand[r]->attr.slot ? 'p' : letter[r],
                          m->number[r]);
        }
    }
    const char *key = arena_strdup(f->arena, t.s);
    text_release(&t);
    return key;
}

// Of a long family, the last two of each direction: how members share is seen there too.
static bool is_example(const struct family *f, int i)
{
    double work = 0;
    int later = 0;
    for (int k = 0; k < f->n; k++) {
        work += f->member[k]->v->op->multiply_adds(f->member[k]->v);
        later += k > i &&
                 winograd_family_direction(f->member[k]) == winograd_family_direction(f->member[i]);
    }
    return later < 2 || work < LONG_WORK;
}

static struct graph *winograd_family_example(const struct question *q, struct arena *a)
{
    const struct family *f = q->about;
    const struct region r = {f->graph, NEW_ARRAY(a, bool, f->graph->n + 1)};
    for (int i = 0; i < f->n; i++)
        r.inside[f->member[i]->v->id] = is_example(f, i);
    return region_graph(&r, a);
}

// Tiles up to this are tried always.
enum { ALWAYS = 4 };

// Whether tiles, whose transforms cost more, have fewer products than all smaller ones.
static bool saves(const struct family *f, enum way way, struct tile tile)
{
    bool fewest = true;
    EACH_TILE(t, f, way)
    if (t.down < tile.down)
        fewest &= winograd_family_points(&f->filter, tile) < winograd_family_points(&f->filter, t);
    return fewest;
}

// Kernels are there for whole runs of channels.
static bool can_be_blocked(const struct family *f)
{
    const struct machine *machine = f->member[0]->v->graph->machine;
    bool can = machine;
    for (int i = 0; i < f->n && can; i++)
        can = machine->has_winograd_blocks(f->member[i]->v);
    return can;
}

static int option(enum way way, struct tile t)
{
    return (int)(way == BLOCKS ? WINOGRAD_BLOCKED * t.down + t.across : t.down);
}

static void offer_tiles(struct question *q, const struct family *f, enum way way)
{
    EACH_TILE(t, f, way)
    if (t.down <= ALWAYS || saves(f, way, t))
        q->option[q->n_options++] = option(way, t);
}

// The rule's answer. Large planes, which cost memory, are offered beside blocks with its tiles
// only.
static int offer_all(struct question *q, const struct family *f)
{
    const struct tile n = winograd_family_worth(f, PLANES);
    const bool blocks = can_be_blocked(f), large = n.down && winograd_family_planes(&f->filter, n) >
                                                                 cached[f->graph->precision];
    if (blocks)
        offer_tiles(q, f, BLOCKS);
    if (blocks && large)
        q->option[q->n_options++] = option(PLANES, n);
    else
        offer_tiles(q, f, PLANES);
    return blocks && large ? option(BLOCKS, winograd_family_worth(f, BLOCKS)) : option(PLANES, n);
}

static void winograd_family_ask(struct family *f, int *tile)
{
    int axis[3], answer[CHOICE_AXES];
    struct question q = {.key = winograd_family_key_of(f),
                         .pass = "winograd",
                         .example = winograd_family_example,
                         .about = f,
                         .n_options = 1};
    const int rule = offer_all(&q, f);
    q.n_axes = winograd_family_axes(f, axis);
    for (int i = 0; i < q.n_axes; i++)
        q.rule[i] = rule;
    choose(f->graph, &q, answer);
    for (int i = 0; i < f->n; i++)
        tile[f->member[i]->v->id] = answer[axis[winograd_family_direction(f->member[i])]];
}

int *winograd_tiles(struct graph *g, struct arena *a)
{
    int n, *tile = NEW_ARRAY(a, int, g->n + 1);
    struct winograd_family_member *m = find_members(g, a, &n);
    for (int i = 0; i < n; i++) {
        if (m[i].family != i)
            continue;
        struct family f = family_of(g, a, m, i, n);
        winograd_family_ask(&f, tile);
    }
    return tile;
}
