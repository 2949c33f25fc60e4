// Trees, places, merging, overrides, canonical text and hashes.
#include "config/union.h"

#include "base/arena.h"
#include "base/text.h"
#include "data/dataset.h"
#include "lang/sections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct diag *diag;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(NULL);
    diag = diag_new(arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *messages(void)
{
    struct text t;
    text_init(&t);
    diag_text(diag, &t);
    const char *copy = arena_strdup(arena, t.s);
    text_release(&t);
    return copy;
}

static struct node *parse(const char *text)
{
    struct source *source = NEW(arena, struct source);
    *source = (struct source){"test.yaml", arena_strdup(arena, text)};
    return node_parse(arena, source, diag);
}

static const char *written(const struct node *root)
{
    struct text t;
    text_init(&t);
    node_write(root, &t);
    const char *copy = arena_strdup(arena, t.s);
    text_release(&t);
    return copy;
}

static struct config *with(const char *text, const char *override)
{
    struct config *c = config_parse(arena, "test.yaml", text, &override, override ? 1 : 0, diag);
    if (!c)
        print_error("%s", messages());
    assert_non_null(c);
    return c;
}

static const char *text_at(const struct config *c, const char *path)
{
    const struct node *node = node_at(c->root, path);
    return node && node->kind == NODE_SCALAR ? node->text : NULL;
}

static void assert_place(struct place where, int line, int col, int length)
{
    assert_int_equal(where.line, line);
    assert_int_equal(where.col, col);
    assert_int_equal(where.length, length);
}

// The messages of a config that cannot be loaded.
static const char *refused(const char *text, const char *override)
{
    diag_clear(diag);
    assert_null(config_parse(arena, "test.yaml", text, &override, override ? 1 : 0, diag));
    assert_true(diag_errors(diag) > 0);
    return messages();
}

static void assert_says(const char *all, const char *part)
{
    if (!strstr(all, part))
        print_error("expected '%s' in:\n%s", part, all);
    assert_non_null(strstr(all, part));
}

// --- parsing -------------------------------------------------------------------------------------

static void places_are_bytes_from_one(void **state)
{
    (void)state;
    const struct node *root = parse("größe: {ä: 1, b: \"zwei\"}\nlist:\n  - x y\n  - [1]\n");
    const struct node *map = node_get(root, "größe");
    assert_place(node_entry(root, "größe")->where, 1, 1, 7);
    assert_place(map->where, 1, 10, 18);
    assert_place(node_get(map, "ä")->where, 1, 15, 1);
    assert_place(node_get(map, "b")->where, 1, 21, 6);
    assert_true(node_get(map, "b")->quoted);
    assert_place(node_at(root, "list.0")->where, 3, 5, 3);
    assert_place(node_at(root, "list.1.0")->where, 4, 6, 1);
    assert_null(node_at(root, "list.2"));
    assert_null(node_at(root, "list.x"));
    assert_null(node_at(root, "größe.c.d"));
}

static void line_ends_of_windows_and_a_mark_are_fine(void **state)
{
    (void)state;
    const struct node *root = parse("\xEF\xBB\xBF"
                                    "a: 1\r\nb: [2,\r\n  3]\r\n");
    assert_non_null(root);
    assert_string_equal(node_at(root, "b.1")->text, "3");
    assert_place(node_at(root, "b.1")->where, 3, 3, 1);
    assert_int_equal(node_at(root, "a")->where.line, 1);
}

static void scalars_stay_text(void **state)
{
    (void)state;
    const struct node *root = parse("a: yes\nb: 010\nc: ~\nd: \"null\"\ne:\nf: 1e-4 # x\n");
    assert_string_equal(node_get(root, "a")->text, "yes");
    assert_string_equal(node_get(root, "b")->text, "010");
    assert_int_equal(node_get(root, "c")->kind, NODE_NULL);
    assert_int_equal(node_get(root, "d")->kind, NODE_SCALAR);
    assert_int_equal(node_get(root, "e")->kind, NODE_NULL);
    assert_string_equal(node_get(root, "f")->text, "1e-4");
}

static void anchors_and_merge_keys(void **state)
{
    (void)state;
    const struct node *root = parse("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
                                    "c: {<<: [*a, *b], x: 9}\nd: *a\n");
    assert_string_equal(node_at(root, "c.x")->text, "9");
    assert_string_equal(node_at(root, "c.y")->text, "2");
    assert_string_equal(node_at(root, "c.z")->text, "4");
    assert_string_equal(node_at(root, "d.y")->text, "2");
    assert_int_equal(node_at(root, "c")->n, 3);
}

static void commas_inside_parentheses_belong_to_the_value(void **state)
{
    (void)state;
    const struct node *root = parse("- {fake: generator(z, y), loss: log}\n"
                                    "- [f(a, g(b, c)), d]\n"
                                    "- {x: f(a,\n    b), y: 1}\n"
                                    "- {x: f(a, b: 2), y: 1}\n");
    assert_string_equal(node_at(root, "0.fake")->text, "generator(z, y)");
    assert_place(node_at(root, "0.fake")->where, 1, 10, 15);
    assert_string_equal(node_at(root, "0.loss")->text, "log");
    assert_string_equal(node_at(root, "1.0")->text, "f(a, g(b, c))");
    assert_string_equal(node_at(root, "1.1")->text, "d");
    assert_string_equal(node_at(root, "2.x")->text, "f(a, b)");
    assert_string_equal(node_at(root, "2.y")->text, "1");
    assert_string_equal(node_at(root, "3.x")->text, "f(a, b: 2)");
}

static void what_is_no_yaml_is_named(void **state)
{
    (void)state;
    assert_says(refused("\n<!DOCTYPE html><html></html>", NULL), "this is an HTML page");
    assert_says(refused("\x89PNG\r\n", NULL), "a PNG image");
    assert_non_null(parse("GIF89a: a name\n"));
    assert_says(refused("", NULL), "this file is empty");
    assert_says(refused("# only a comment\n", NULL), "this file is empty");
    assert_null(config_load(arena, "tests", NULL, 0, diag));
    assert_says(messages(), "cannot read 'tests'");
    char *large = arena_alloc(arena, (5 << 20) + 1);
    memset(large, '#', 5 << 20);
    assert_says(refused(large, NULL), "longer than 4 MiB");
}

static void all_mistakes_come_in_one_go(void **state)
{
    (void)state;
    const char *all = refused("a: 1\na: 2\nb: !x 1\nc: {d: 1, d: 2}\n", NULL);
    assert_int_equal(diag_errors(diag), 3);
    assert_says(all, "test.yaml:2:1: error: duplicate key 'a'");
    assert_says(all, "test.yaml:4:11: error: duplicate key 'd'");
}

// --- merging -------------------------------------------------------------------------------------

static void extends_merge_left_to_right(void **state)
{
    (void)state;
    struct config *c = config_load(arena, "tests/bad/parts/base", NULL, 0, diag);
    assert_null(c); // only `extends:` may leave ".yaml" out
    diag_clear(diag);
    const char *text = "extends: [parts/base]\ntrain: {seed: 1}\nevaluate: {scores+: [kid]}\n";
    c = config_parse(arena, "tests/bad/new.yaml", text, NULL, 0, diag);
    assert_non_null(c);
    assert_null(node_get(c->root, "extends"));
    assert_string_equal(text_at(c, "train.steps"), "100");
    assert_string_equal(text_at(c, "train.seed"), "1");
    assert_string_equal(text_at(c, "evaluate.scores.0"), "fid");
    assert_string_equal(text_at(c, "evaluate.scores.1"), "kid");
    const struct place base = node_at(c->root, "train.steps")->where;
    assert_string_equal(base.source->name, "tests/bad/parts/base.yaml");
    assert_int_equal(base.line, 5);
    assert_string_equal(node_at(c->root, "train.seed")->where.source->name, "tests/bad/new.yaml");
}

static void a_circle_of_extends_is_named(void **state)
{
    (void)state;
    assert_null(config_load(arena, "tests/bad/parts/circle.yaml", NULL, 0, diag));
    assert_says(messages(),
                "tests/bad/parts/circle_too.yaml:1:10: error: 'extends' goes in a circle");
    assert_says(messages(), "tests/bad/parts/circle.yaml → tests/bad/parts/circle_too.yaml → "
                            "tests/bad/parts/circle.yaml");
}

static void unset_and_append_without_a_base(void **state)
{
    (void)state;
    const struct config *c = with("a: !unset\nb+: 1\nc: [{d: !unset , e: 2}]\n", NULL);
    assert_string_equal(written(c->root), "b: [1]\nc:\n  - e: 2\n");
}

static void unset_needs_no_blank_before_a_bracket(void **state)
{
    (void)state;
    const char *text = "{a: {b: !unset}, c: !unset, d: {e: 1, f: !unset}, g: 'x !unset}'}";
    const struct config *c = with(text, NULL);
    assert_string_equal(written(c->root), "a: {}\nd:\n  e: 1\ng: x !unset}\n");
    assert_says(refused("a: [!unset]\n", NULL),
                "test.yaml:1:5: error: a list element cannot be !unset");
    assert_says(refused("a: {b: !u}\n", NULL), "a blank is missing after the tag");
}

static const char gan[] =
    "data: {real: {dataset: folder, path: x, batch: 8, per_class: 9, keep: [flip]}}\n"
    "noise: {z: {normal: 100}}\n"
    "games:\n"
    "  - {critic: d, loss: {log: {saturating: true}}, penalty: {gradient: 10}}\n"
    "  - {critic: e, loss: log}\n"
    "terms: [{l1: {x: a}, weight: 2}]\n"
    "train:\n"
    "  steps: 100\n"
    "  optimizer: {adam: {lr: 1e-4, beta1: 0.5}}\n";

static void a_word_alone_is_a_selector(void **state)
{
    (void)state;
    const char *text = "data: {real: digits}\n";
    assert_string_equal(written(node_at(with(text, "data.real.batch=8")->root, "data.real")),
                        "dataset: digits\nbatch: 8\n");
    assert_string_equal(
        written(node_at(with(text, "data.real={dataset: mnist}")->root, "data.real")),
        "dataset: mnist\n");
    assert_string_equal(written(node_at(with(text, "data.real=mnist")->root, "data.real")),
                        "mnist\n");
}

static const char *after(const char *override, const char *path)
{
    const struct config *c = with(gan, override);
    const struct node *node = node_at(c->root, path);
    return node ? written(node) : NULL;
}

static void overrides_set_append_and_remove(void **state)
{
    (void)state;
    assert_string_equal(after("train.steps=64k", "train.steps"), "64k\n");
    assert_string_equal(after("train.seed=7", "train.seed"), "7\n");
    assert_string_equal(after("train.ema.decay=0.9", "train.ema"), "decay: 0.9\n");
    assert_string_equal(after("games.1.loss=hinge", "games.1.loss"), "hinge\n");
    assert_string_equal(after("games.1.weight=[1,2]", "games.1.weight"), "- 1\n- 2\n");
    assert_string_equal(after("kernel=5,9", "kernel"), "5,9\n");
    assert_string_equal(after("games.1.fake=g(z, y)", "games.1.fake"), "g(z, y)\n");
    assert_string_equal(after("data.real.keep+=[a, b]", "data.real.keep"), "- flip\n- a\n- b\n");
    assert_string_equal(after("games+={critic: f}", "games.2"), "critic: f\n");
    assert_string_equal(after("games.0.critic+=f", "games.0.critic"), "- d\n- f\n");
    assert_null(after("games.0.penalty=!unset", "games.0.penalty"));
    assert_string_equal(after("games.0=!unset", "games.0.critic"), "e\n");
    assert_string_equal(after("train.optimizer.adam.lr=1e-3", "train.optimizer.adam"),
                        "lr: 1e-3\nbeta1: 0.5\n");
}

static void overrides_remember_where_they_came_from(void **state)
{
    (void)state;
    const struct config *c = with(gan, "train.optimizer.adam.lr=1e-3");
    const struct node *lr = node_at(c->root, "train.optimizer.adam.lr");
    assert_string_equal(lr->where.source->name, "command line");
    assert_place(lr->where, 1, 25, 4);
    assert_place(node_entry(node_at(c->root, "train.optimizer.adam"), "lr")->where, 1, 22, 2);
    assert_string_equal(node_at(c->root, "train.steps")->where.source->name, "test.yaml");
}

static void a_new_word_takes_the_old_ones_parameters_away(void **state)
{
    (void)state;
    assert_string_equal(after("games.0.loss=wasserstein", "games.0.loss"), "wasserstein\n");
    assert_string_equal(after("games.0.loss.hinge.margin=2", "games.0.loss"),
                        "hinge:\n  margin: 2\n");
    assert_string_equal(after("games.1.loss.log.saturating=true", "games.1.loss"),
                        "log:\n  saturating: true\n");
    assert_string_equal(after("games.0.penalty.dragan=1", "games.0.penalty"), "dragan: 1\n");
    assert_string_equal(after("games.0.penalty.gradient=1", "games.0.penalty"), "gradient: 1\n");
    assert_string_equal(after("train.optimizer={rmsprop: {lr: 5e-5}}", "train.optimizer"),
                        "rmsprop:\n  lr: 5e-5\n");
    assert_string_equal(after("train.optimizer={adam: {lr: 5e-5}}", "train.optimizer.adam"),
                        "lr: 5e-5\nbeta1: 0.5\n");
    assert_string_equal(after("noise.z.uniform=2", "noise.z"), "uniform: 2\n");
    assert_string_equal(after("terms.0.mse.x=b", "terms.0"), "weight: 2\nmse:\n  x: b\n");
    assert_string_equal(after("data.real.dataset=digits", "data.real"),
                        "dataset: digits\nbatch: 8\nper_class: 9\n");
    assert_string_equal(after("data.real.dataset=folder", "data.real.path"), "x\n");
}

static void wrong_overrides_are_drawn(void **state)
{
    (void)state;
    assert_says(refused(gan, "nonsense"), "expected key.path=value");
    assert_says(refused(gan, "=1"), "expected key.path=value");
    assert_says(refused(gan, "a..b=1"), "command line:1:3: error: a key is missing");
    assert_says(refused(gan, "train.steps.x=1"), "it is '100' (test.yaml:8)");
    assert_says(refused(gan, "games.2.loss=log"), "'games' has 2 elements");
    assert_says(refused(gan, "games.loss=log"), "expected the number of an element, from 0 to 1");
    assert_says(refused(gan, "train.stepz=!unset"), "did you mean 'steps'?");
    assert_says(refused(gan, "train.optimizer.lr=1"), "'lr' is a parameter of 'adam'");
    assert_says(refused(gan, "train.steps=[1"), "this '[' is not closed");
    assert_says(refused(gan, "train.steps=[1"), "    1 | train.steps=[1\n"
                                                "      |             ^\n");
    assert_says(refused(gan, "extends=other"), "cannot be given on the command line");
    assert_says(refused(gan, "train+=1"), "'train' is a map");
    assert_says(refused(gan, "games.0.penalty.gradient.target=1"), "neither a map nor a list");
}

// --- canonical text and hash ---------------------------------------------------------------------

static bool equal(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind || a->n != b->n || (a->kind == NODE_SCALAR && strcmp(a->text, b->text)))
        return false;
    for (int i = 0; i < a->n; i++)
        if ((a->kind == NODE_MAP && strcmp(a->entry[i].key, b->entry[i].key)) ||
            !equal(a->entry[i].value, b->entry[i].value))
            return false;
    return true;
}

static void the_written_text_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        gan,
        "a: \"\"\nb: \"null\"\nc: '~'\nd: \"a: b\"\ne: 'x #y'\nf: \" x \"\ng: '- z'\nh: \"-\"\ni: "
        "-1\n",
        "a: \"two\\nlines\\n\"\nb: \"tab\\there\"\nc: \"\\u2028\\u0085\\e\"\nd: 'grüße \\'\n",
        "a: [[1, [2, []]], {}, {b: {}}]\n\"<<\": x\n\"a b\": 1\n\"? x\": 2\n\"x:\": 3\n",
        "a: {b: \"f(x\", c: \"g)\", d: \"1,2\", e: \"p: q\", f: \"[\"}\n- x\n",
        "a: [\"f(x\", \"y)\", \"#\", \"a #b\", \"*x\", \"&y\", \"!z\", \"%\", \"@\", \"`\"]\n",
        "a: |\n  block\n    text\n\n  more\nb: >\n  folded\n  text\n",
        "just text",
        "\"---\"",
        "[]",
        "{}",
        "[1, two]",
        "\"... x\"",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        diag_clear(diag);
        const struct node *first = parse(texts[i]);
        if (!first)
            continue;
        const char *text = written(first);
        const struct node *again = parse(text);
        if (!again || !equal(first, again))
            print_error("text %zu:\n%s\n%s", i, text, messages());
        assert_non_null(again);
        assert_true(equal(first, again));
        assert_string_equal(written(again), text);
    }
}

static void wide_values_are_broken(void **state)
{
    (void)state;
    const char *wide =
        "networks:\n  g: {inputs: {z: 100}, layers: [dense: 1, relu, conv2d: {filters: 64, "
        "kernel: 3, stride: 2, padding: same}, relu, tanh]}\n";
    assert_string_equal(written(parse(wide)), "networks:\n"
                                              "  g:\n"
                                              "    inputs: {z: 100}\n"
                                              "    layers:\n"
                                              "      - dense: 1\n"
                                              "      - relu\n"
                                              "      - conv2d: {filters: 64, kernel: 3, stride: 2, "
                                              "padding: same}\n"
                                              "      - relu\n"
                                              "      - tanh\n");
}

static const char *hash(const char *text, bool group)
{
    return config_hash(arena, with(text, NULL), group);
}

// config/union.c says which keys stay when a word changes; the tables that they are read by stand in later rooms.
static void keys_beside_a_word_are_those_of_its_table(void **state)
{
    (void)state;
    static const struct {
        const char *parent, *child, *grandchild;
        const struct param *table;
        const char *without; // the selector, or a key that is no such place's
    } place[] = {
        {"data", "few", NULL, source_params, "dataset"},
        {"evaluate", "scores", "0", beside_score, NULL},
        {"terms", "0", NULL, term_params, NULL},
        {"networks", "critic", NULL, network_params, "like"},
    };
    for (size_t i = 0; i < LENGTH(place); i++) {
        const struct step parent = {.key = place[i].parent}, child = {&parent, place[i].child},
                          grandchild = {&child, place[i].grandchild};
        const struct union_place *u = union_place(place[i].grandchild ? &grandchild : &child);
        int n = 0;
        for (const struct param *p = place[i].table; p->name; p++) {
            const bool selector = u->selector && !strcmp(u->selector, p->name);
            if (place[i].without && !selector && !strcmp(place[i].without, p->name))
                continue;
            n += !selector;
            if (!union_beside(u, p->name))
                fail_msg("%s.%s: another word takes '%s' away", place[i].parent, place[i].child,
                         p->name);
        }
        for (const char *const *k = u->beside; *k; k++)
            n--;
        assert_int_equal(n, 0);
    }
    const struct step networks = {.key = "networks"}, critic = {&networks, "critic"},
                      list = {&critic, "layers"}, layer = {&list, "0"};
    for (const struct param *p = beside_layer; p->name; p++)
        assert_true(union_beside(union_place(&layer), p->name));
    assert_false(union_has_word(&layer, "of"));
}

static void the_hash_is_of_what_is_said(void **state)
{
    (void)state;
    const char *one = hash("a: 64k\nb: {c: 1e-4, d: [1.0, x]}\n", false);
    assert_int_equal(strlen(one), 64);
    assert_string_equal(one, hash("b: {d: [1, 'x'], c: 0.0001}\na: 64_000\n", false));
    assert_string_not_equal(one, hash("a: 64k\nb: {c: 1e-4, d: [x, 1.0]}\n", false));
    assert_string_not_equal(one, hash("a: 64k\nb: {c: 1e-4, d: [1.0, y]}\n", false));
    const char *seven = "name: a\nabout: b\npaper: c\nseed: 7\npaths: {x: y}\ntrain: {seed: 1}\n";
    assert_string_not_equal(hash(seven, false), hash("train: {seed: 1}\n", false));
    assert_string_equal(hash(seven, true), hash("train: {seed: 1}\n", true));
    assert_string_not_equal(hash(seven, true), hash("train: {seed: 2}\n", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(places_are_bytes_from_one, begin, end),
        cmocka_unit_test_setup_teardown(line_ends_of_windows_and_a_mark_are_fine, begin, end),
        cmocka_unit_test_setup_teardown(scalars_stay_text, begin, end),
        cmocka_unit_test_setup_teardown(anchors_and_merge_keys, begin, end),
        cmocka_unit_test_setup_teardown(commas_inside_parentheses_belong_to_the_value, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_yaml_is_named, begin, end),
        cmocka_unit_test_setup_teardown(all_mistakes_come_in_one_go, begin, end),
        cmocka_unit_test_setup_teardown(extends_merge_left_to_right, begin, end),
        cmocka_unit_test_setup_teardown(a_circle_of_extends_is_named, begin, end),
        cmocka_unit_test_setup_teardown(unset_and_append_without_a_base, begin, end),
        cmocka_unit_test_setup_teardown(unset_needs_no_blank_before_a_bracket, begin, end),
        cmocka_unit_test_setup_teardown(overrides_set_append_and_remove, begin, end),
        cmocka_unit_test_setup_teardown(overrides_remember_where_they_came_from, begin, end),
        cmocka_unit_test_setup_teardown(a_new_word_takes_the_old_ones_parameters_away, begin, end),
        cmocka_unit_test_setup_teardown(keys_beside_a_word_are_those_of_its_table, begin, end),
        cmocka_unit_test_setup_teardown(a_word_alone_is_a_selector, begin, end),
        cmocka_unit_test_setup_teardown(wrong_overrides_are_drawn, begin, end),
        cmocka_unit_test_setup_teardown(the_written_text_reads_back, begin, end),
        cmocka_unit_test_setup_teardown(wide_values_are_broken, begin, end),
        cmocka_unit_test_setup_teardown(the_hash_is_of_what_is_said, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
