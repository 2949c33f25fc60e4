// What reading a config and building its programs costs, as it grows. Work is counted in basic blocks that run, which the compiler
// counts for us, so that neither the machine nor its load matters. A text four times as long may cost little more than four times
// as much; where it is refused, finding that out may.
#include "base/arena.h"
#include "base/text.h"
#include "program/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static uint64_t blocks;
static const char *running;

enum { TIMES = 4, BLOCKS_LIMIT = 2000 * 1000 * 1000 };

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    if (++blocks < BLOCKS_LIMIT)
        return;
    fprintf(stderr, "%s: no end after %d basic blocks\n", running, BLOCKS_LIMIT);
    abort();
}

#define DATA "name: grown\ndata: {real: {dataset: digits, size: 8, batch: 4}}\n"
#define NOISE "noise:\n  z: {normal: 4}\n"
#define GENERATOR "networks:\n  generator:\n    inputs: {z: 4}\n    layers:\n      - dense: 64\n"
#define IMAGE "      - reshape: [1, 8, 8]\n      - tanh\n"
#define CRITIC                                                                  \
    "  critic:\n    inputs: {image: [1, 8, 8]}\n    layers:\n      - flatten\n" \
    "      - dense: 1\n"
#define GAMES "games:\n  - {critic: critic, real: real.image, fake: generator(z), loss: log}\n"
#define TRAIN                                                                      \
    "train:\n  steps: 10\n  optimizer: adam\n  iteration:\n    - update: critic\n" \
    "    - update: generator\n"
#define NETWORKS GENERATOR IMAGE CRITIC
#define ALL DATA NOISE NETWORKS GAMES TRAIN

// A config that repeats a piece: `before`, n times `each`, in which %1$d is its number and %2$d the next, `after`.
static const struct family {
    const char *name;
    int n; // of the smaller one
    const char *before, *each, *after;
} families[] = {
    {"values", 500, ALL "values:\n", "  v%d: generator(z)\n", ""},
    {"values that double", 8, DATA NOISE NETWORKS TRAIN "values:\n  v0: generator(z)\n",
     "  v%2$d: v%1$d + v%1$d\n",
     "games:\n  - {critic: critic, real: real.image, fake: v8, loss: log}\n"},
    {"values in a chain", 300, ALL "values:\n  v0: generator(z)\n", "  v%2$d: v%1$d\n", ""},
    {"values in a circle", 300, ALL "values:\n  v0: v1\n", "  v%2$d: v%1$d\n", ""},
    {"unknown names", 500, ALL "values:\n", "  v%1$d: w%1$d\n", ""},
    {"unknown keys", 500, ALL, "key%d: 1\n", ""},
    {"one line", 500, ALL "values: {", "v%d: z, ", "}\n"},
    {"calls in one line", 500, ALL "values: {", "v%d: concat(z, z), ", "}\n"},
    {"an open call", 200, ALL "values: {v: concat(", "z, ", "z)}\n"},
    {"a sum", 100, ALL "values: {v: z", " + z", "}\n"},
    {"quotes", 500, ALL "values: {", "\"v%d\": \"z\", ", "}\n"},
    {"anchors", 500, ALL "values:\n", "  v%1$d: &a%1$d z\n", ""},
    {"aliases that double", 10, ALL "a0: &a0 [1]\n", "a%2$d: &a%2$d [*a%1$d, *a%1$d]\n", ""},
    {"merged keys", 500, ALL "values:\n  <<: {", "v%d: z, ", "}\n"},
    {"removed keys", 500, ALL "values:\n", "  v%d: !unset\n", ""},
    {"tags without a blank", 12, ALL "x: [", "{a: !unset}, ", "]\n"},
    {"comments", 2000, "", "# a line\n", ALL},
    {"folded text", 2000, ALL "about: >\n", "  a line\n", ""},
    {"layers", 400, DATA NOISE GENERATOR, "      - dense: 64\n", IMAGE CRITIC GAMES TRAIN},
    {"named layers", 400, DATA NOISE GENERATOR, "      - {dense: 64, as: a%d}\n",
     IMAGE CRITIC GAMES TRAIN},
    {"uses of a template", 400,
     "templates:\n  t: {with: {f: 64}, layers: [dense: $f]}\n" DATA NOISE GENERATOR,
     "      - {use: t, f: 64}\n", IMAGE CRITIC GAMES TRAIN},
    {"parameters of a template", 500,
     DATA NOISE GENERATOR "      - use: t\n" IMAGE CRITIC GAMES TRAIN
                          "templates:\n  t:\n    layers: [dense: 64]\n    with:\n",
     "      p%d: 1\n", ""},
    {"templates that double", 21,
     DATA NOISE GENERATOR "      - use: t20\n" IMAGE CRITIC GAMES TRAIN
                          "templates:\n  t0: {layers: []}\n",
     "  t%2$d: {layers: [use: t%1$d, use: t%1$d]}\n", ""},
    {"blocks of nothing", 1,
     DATA NOISE GENERATOR
     "      - repeat: {times: 1000, layers: [repeat: {times: 1000, layers: []}]}\n",
     "      - repeat: {times: 1000, layers: [repeat: {times: 1000, layers: []}]}\n",
     IMAGE CRITIC GAMES TRAIN},
    {"noises", 200, DATA NOISE, "  n%d: {normal: 4}\n", NETWORKS GAMES TRAIN},
    {"networks", 100, DATA NOISE NETWORKS, "  n%d: {like: generator}\n", GAMES TRAIN},
    {"games", 40, DATA NOISE NETWORKS TRAIN GAMES,
     "  - {critic: critic, real: real.image, fake: generator(z), loss: log}\n", ""},
    {"terms", 40, ALL "terms:\n", "  - mse: {x: generator(z), y: real.image}\n", ""},
    {"updates", 60, DATA NOISE NETWORKS GAMES TRAIN, "    - update: critic\n", ""},
    {"too many updates", 2000, DATA NOISE NETWORKS GAMES TRAIN, "    - update: critic\n", ""},
    {"repetitions", 3, DATA NOISE NETWORKS GAMES TRAIN, "    - {update: critic, repeat: 1000}\n",
     ""},
    {"schedules", 300, ALL "  lr_schedule:\n", "    - linear: {from: 0, to: 10}\n", ""},
    {"samples", 40, ALL "samples:\n  of:\n", "    - generator(z)\n", ""},
    {"names of one update", 200, ALL "    - update: [generator", ", generator", "]\n"},
};

static const char *family_text(struct arena *a, const struct family *f, int n)
{
    struct text t;
    text_init(&t);
    text_add(&t, f->before);
    for (int i = 0; i < n; i++)
        text_add(&t, arena_printf(a, f->each, i, i + 1));
    text_add(&t, f->after);
    const char *text = arena_strdup(a, t.s);
    text_release(&t);
    return text;
}

static uint64_t work(const struct family *f, int n)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    const char *text = family_text(a, f, n);
    running = f->name;
    blocks = 0;
    const struct config *config = config_parse(a, f->name, text, NULL, 0, d);
    struct experiment *e = config ? experiment_read(a, config, d) : NULL;
    if (e)
        warnings_look(e, d);
    struct text told;
    text_init(&told);
    diag_text(d, &told);
    text_release(&told);
    const uint64_t counted = blocks;
    arena_free(a);
    return counted;
}

static void work_grows_with_the_text(void **state)
{
    (void)state;
    const struct family small = {"small", 0, ALL, "", ""};
    const uint64_t least = work(&small, 0);
    bool good = true;
    assert_true(least > 1000);
    for (size_t i = 0; i < LENGTH(families); i++) {
        const struct family *f = &families[i];
        const uint64_t once = work(f, f->n), more = work(f, TIMES * f->n);
        const bool grows = more < least + TIMES * once * 3 / 2;
        if (!grows)
            print_error("%s: %d pieces %llu blocks, %d pieces %llu\n", f->name, f->n,
                        (unsigned long long)once, TIMES * f->n, (unsigned long long)more);
        good &= grows;
    }
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(work_grows_with_the_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
