// A folder of pictures: order, classes, splits, sizes, damage.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/image.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/fit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct here {
    struct arena *arena;
    const char *dir;
    struct diag *diag;
};

static struct here begin(void)
{
    struct here h = {.arena = arena_new(NULL)};
    char *name = arena_strdup(h.arena, "/tmp/ganexp-folder-XXXXXX");
    assert_non_null(mkdtemp(name));
    h.dir = name;
    h.diag = diag_new(h.arena);
    return h;
}

static void end(struct here *h)
{
    assert_int_equal(system(arena_printf(h->arena, "rm -r '%s'", h->dir)), 0);
    arena_free(h->arena);
}

static void folder(struct here *h, const char *name)
{
    assert_int_equal(mkdir(arena_printf(h->arena, "%s/%s", h->dir, name), 0777), 0);
}

// Left half of one grey, right half of another.
static void picture(struct here *h, const char *name, int width, int height, int left, int right)
{
    struct image im = {width, height, 3, NEW_ARRAY(h->arena, uint8_t, width * height * 3)};
    for (int i = 0; i < width * height * 3; i++)
        im.pixel[i] = (uint8_t)(i / 3 % width < width / 2 ? left : right);
    assert_true(image_write_png(&im, arena_printf(h->arena, "%s/%s", h->dir, name)));
}

static void text_file(struct here *h, const char *name, const char *content)
{
    FILE *f = fopen(arena_printf(h->arena, "%s/%s", h->dir, name), "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static struct dataset *open_folder(struct here *h, enum split split, const char *more)
{
    struct source *s = NEW(h->arena, struct source);
    *s = (struct source){
        "test.yaml",
        arena_printf(h->arena, "{dataset: folder, path: %s, image: [1, 4, 4]%s}", h->dir, more)};
    h->diag = diag_new(h->arena);
    return dataset_open(h->arena, node_parse(h->arena, s, h->diag), split, h->diag);
}

static void expect(struct here *h, const char *message)
{
    struct text t;
    text_init(&t);
    diag_text(h->diag, &t);
    if (!strstr(t.s, message))
        fail_msg("expected '%s' in\n%s", message, t.s);
    text_release(&t);
}

// A folder's pictures, each at a name, its folders made on the way.
static void pictures(struct here *h, const char *const *name)
{
    for (; *name; name++) {
        const char *path = arena_printf(h->arena, "%s/%s", h->dir, *name);
        const int n = (int)(strrchr(path, '/') - path);
        assert_int_equal(system(arena_printf(h->arena, "mkdir -p '%.*s'", n, path)), 0);
        picture(h, *name, 4, 4, 100, 100);
    }
}
#define PICTURES(h, ...) pictures(h, (const char *const[]){__VA_ARGS__, NULL})

// What is said of the training split, opened with `more` parameters.
static void expect_told(struct here *h, const char *more, const char *line, const char *classes)
{
    struct text t;
    struct dataset *s = open_folder(h, SPLIT_TRAIN, more);
    text_init(&t);
    if (!s) {
        diag_text(h->diag, &t);
        fail_msg("%s", t.s);
    }
    dataset_tell(s, "real", &t);
    assert_string_equal(t.s, line);
    text_clear(&t);
    dataset_tell_classes(s, 4, &t);
    assert_string_equal(t.s, classes);
    text_release(&t);
}

static void expect_refused(struct here *h, enum split split, const char *more, const char *message)
{
    assert_null(open_folder(h, split, more));
    expect(h, message);
}

static void what_is_not_read_is_counted(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "cat/1.png", "cat/more/2.png", "cat/more/still/3.png", "dog/4.PNG");
    text_file(&h, "cat/a.TIFF", ""), text_file(&h, "cat/b.tiff", ""), text_file(&h, "labels", "");
    text_file(&h, ".hidden.png", "");
    expect_told(&h, ", test: 0",
                "real: 4 pictures in 2 classes (train 4, test 0), 1 × 4 × 4; 2 of them in folders "
                "below their class's; 3 other files not read (.tiff 2, without an ending 1)",
                "0 'cat', 1 'dog'");
    assert_int_equal(symlink("..", arena_printf(h.arena, "%s/dog/up", h.dir)), 0);
    expect_told(&h, ", test: 0, flip: true",
                "real: 4 pictures in 2 classes (train 4, test 0), 1 × 4 × 4; mirrored too; 2 of "
                "them in folders below their class's; 3 other files not read (.tiff 2, without an "
                "ending 1)",
                "0 'cat', 1 'dog'");
    end(&h);
}

static void numbers_in_names_of_classes_are_in_order(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "class 10/a.png", "class 2/a.png", "class 1/a.png", "class 02/a.png", "b/a.png",
             "Z/a.png");
    expect_told(&h, ", test: 0", "real: 6 pictures in 6 classes (train 6, test 0), 1 × 4 × 4",
                "0 'Z', 1 'b', 2 'class 1', 3 'class 02' and 2 more");
    end(&h);
}

static void splits_are_known_by_their_names(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "Train/cat/1.png", "Train/dog/2.png", "Train/dog/3.png", "VAL/cat/4.png");
    expect_told(&h, "", "real: 4 pictures in 2 classes (Train 3, VAL 1), 1 × 4 × 4",
                "0 'cat', 1 'dog'");
    assert_int_equal(open_folder(&h, SPLIT_TEST, "")->count, 1);
    PICTURES(&h, "test/cat/5.png", "test/dog/6.png", "extra/7.png");
    expect_told(&h, "",
                "real: 5 pictures in 2 classes (Train 3, test 2), 1 × 4 × 4; 2 pictures not read "
                "(VAL 1, extra 1)",
                "0 'cat', 1 'dog'");
    expect_told(&h, ", test_folder: val",
                "real: 4 pictures in 2 classes (Train 3, VAL 1), 1 × 4 × 4; 3 pictures not read "
                "(extra 1, test 2)",
                "0 'cat', 1 'dog'");
    expect_refused(&h, SPLIT_TRAIN, ", test_folder: vale", "no pictures in a folder 'vale'");
    end(&h);
}

static void what_people_add_to_the_words_is_known(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "train2017/1.png", "val2017/2.png");
    expect_told(&h, "", "real: 2 pictures (train2017 1, val2017 1), 1 × 4 × 4", "");
    end(&h);
    h = begin();
    PICTURES(&h, "training_set/cat/1.png", "Test Set/cat/2.png");
    expect_told(&h, "", "real: 2 pictures in 1 class (training_set 1, Test Set 1), 1 × 4 × 4",
                "0 'cat'");
    end(&h);
    h = begin();
    PICTURES(&h, "trainer/1.png", "tester/2.png", "value/3.png");
    expect_told(&h, ", test: 0", "real: 3 pictures in 3 classes (train 3, test 0), 1 × 4 × 4",
                "0 'tester', 1 'trainer', 2 'value'");
    end(&h);
}

static void a_split_alone_is_cut_and_a_vehicle_is_a_class(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "train/1.png", "train/2.png");
    expect_told(&h, ", test: 0", "real: 2 pictures (train 2, test 0), 1 × 4 × 4", "");
    PICTURES(&h, "bus/3.png", "car/4.png");
    expect_told(&h, ", test: 0", "real: 4 pictures in 3 classes (train 4, test 0), 1 × 4 × 4",
                "0 'bus', 1 'car', 2 'train'");
    end(&h);
    h = begin();
    PICTURES(&h, "test/1.png", "val/2.png");
    expect_refused(&h, SPLIT_TRAIN, "", "1 pictures, none of them in the train split");
    end(&h);
}

static void domains_are_chosen(void **state)
{
    (void)state;
    struct here h = begin();
    PICTURES(&h, "trainA/1.png", "trainA/2.png", "trainB/3.png", "testA/4.png", "testB/5.png",
             "paper/6.png");
    expect_refused(&h, SPLIT_TRAIN, "", "several domains: testA 1, testB 1, trainA 2, trainB 1");
    expect(&h, "expected `domain: a` or another letter");
    expect_refused(&h, SPLIT_TRAIN, ", domain: c", "has no domain 'c'");
    expect_told(&h, ", domain: A",
                "real: 3 pictures (trainA 2, testA 1), 1 × 4 × 4; 3 pictures not read (paper 1, "
                "testB 1, trainB 1)",
                "");
    assert_int_equal(open_folder(&h, SPLIT_TEST, ", domain: b")->count, 1);
    end(&h);
    h = begin();
    PICTURES(&h, "cat/1.png", "dog/2.png");
    expect_refused(&h, SPLIT_TRAIN, ", domain: a", "has no domain 'a'");
    end(&h);
    h = begin();
    PICTURES(&h, "A/1.png", "A/2.jfif", "B/1.png");
    expect_told(&h, ", test: 0", "real: 3 pictures in 2 classes (train 3, test 0), 1 × 4 × 4",
                "0 'A', 1 'B'");
    expect_told(&h, ", test: 0, domain: a",
                "real: 2 pictures (A 2, test 0), 1 × 4 × 4; 1 picture not read (B 1)", "");
    end(&h);
}

// Who looks has every name and 500 pictures: their number is all of them, as is what is said.
static void a_large_folder_is_looked_at(void **state)
{
    (void)state;
    struct here h = begin();
    for (int i = 0; i < 501; i++)
        picture(&h, arena_printf(h.arena, "%03d.png", i), 1, 1, i % 256, i % 256);
    const char *yaml = arena_printf(
        h.arena, "{dataset: folder, path: %s, image: [1, 2, 2], test: 0, flip: true}", h.dir);
    const struct source source = {"test.yaml", yaml};
    const struct node *node = node_parse(h.arena, &source, h.diag);
    const struct dataset *look = dataset_look(h.arena, node, SPLIT_TRAIN, h.diag),
                         *whole = dataset_open(h.arena, node, SPLIT_TRAIN, h.diag);
    struct text t;
    text_init(&t);
    assert_true(look->count == 1002 && whole->count == 1002);
    dataset_tell(look, "real", &t);
    assert_string_equal(t.s,
                        "real: 501 pictures (train 501, test 0), 1 × 2 × 2; 500 of them looked "
                        "at; mirrored too");
    text_clear(&t);
    dataset_tell(whole, "real", &t);
    assert_string_equal(t.s, "real: 501 pictures (train 501, test 0), 1 × 2 × 2; mirrored too");
    text_release(&t);
    text_file(&h, "000.png", "broken"), text_file(&h, "500.png", "broken");
    for (int i = 1; i < 10; i++)
        text_file(&h, arena_printf(h.arena, "%03d.png", 50 * i), "broken");
    assert_null(dataset_look(h.arena, node, SPLIT_TRAIN, h.diag));
    expect(&h, "of 500 pictures of");
    end(&h);
}

static void classes_are_sub_folders(void **state)
{
    (void)state;
    struct here h = begin();
    folder(&h, "dog"), folder(&h, "cat"), folder(&h, "notes");
    picture(&h, "dog/b.png", 8, 8, 200, 200);
    picture(&h, "dog/a.PNG", 9, 5, 100, 100);
    picture(&h, "cat/z.png", 4, 4, 0, 255);
    text_file(&h, "cat/readme.txt", "no picture");
    text_file(&h, "cat/.hidden.png", "no picture");
    text_file(&h, "notes/readme.txt", "no picture");
    struct dataset *s = open_folder(&h, SPLIT_TRAIN, ", test: 0");
    assert_non_null(s);
    assert_true(s->count == 3 && s->classes == 2 && s->channels == 1 && s->width == 4);
    assert_string_equal(s->class_name[0], "cat");
    assert_string_equal(s->class_name[1], "dog");
    static const float first[] = {-1, 100 / 127.5f - 1, 200 / 127.5f - 1};
    for (int i = 0; i < 3; i++) {
        float x[16];
        int32_t label;
        assert_true(s->kind->get(s, i, x, &label));
        assert_int_equal(label, i > 0);
        assert_float_equal(x[0], first[i], 1e-5);
    }
    assert_null(open_folder(&h, SPLIT_TEST, ", test: 0"));
    expect(&h, "3 pictures, none of them in the test split");
    end(&h);
}

static void without_sub_folders_no_labels(void **state)
{
    (void)state;
    struct here h = begin();
    for (int i = 0; i < 200; i++)
        picture(&h, arena_printf(h.arena, "%03d.png", i), 2, 2, i, i);
    struct dataset *train = open_folder(&h, SPLIT_TRAIN, ", test: 25%"),
                   *test = open_folder(&h, SPLIT_TEST, ", test: 25%");
    assert_true(train->classes == 0 && train->count + test->count == 200);
    assert_true(test->count > 30 && test->count < 70);
    bool seen[256] = {false};
    for (int i = 0; i < 200; i++) {
        struct dataset *s = i < train->count ? train : test;
        float x[16];
        int32_t label;
        s->kind->get(s, i < train->count ? i : i - train->count, x, &label);
        const int grey = (int)lrintf((x[0] + 1) * 127.5f);
        assert_false(seen[grey]);
        seen[grey] = true;
    }
    assert_string_not_equal(train->fingerprint, test->fingerprint);
    assert_string_equal(train->fingerprint,
                        open_folder(&h, SPLIT_TRAIN, ", test: 25%")->fingerprint);
    folder(&h, "cat"), picture(&h, "cat/z.png", 4, 4, 0, 255);
    assert_null(open_folder(&h, SPLIT_TRAIN, ""));
    expect(&h, "both beside and in sub-folders");
    end(&h);
}

static void folders_of_splits_go_before_a_cut(void **state)
{
    (void)state;
    struct here h = begin();
    folder(&h, "train"), folder(&h, "test"), folder(&h, "train/b"), folder(&h, "test/b"),
        folder(&h, "test/a");
    picture(&h, "train/b/1.png", 2, 2, 10, 10);
    picture(&h, "test/b/1.png", 2, 2, 20, 20);
    picture(&h, "test/a/1.png", 2, 2, 30, 30);
    struct dataset *train = open_folder(&h, SPLIT_TRAIN, ", test: 90%"),
                   *test = open_folder(&h, SPLIT_TEST, "");
    float x[16];
    int32_t label;
    assert_true(train->count == 1 && test->count == 2 && train->classes == 2 && test->classes == 2);
    train->kind->get(train, 0, x, &label);
    assert_int_equal(label, 1); // `a` has pictures in the other split only
    end(&h);
}

static void mirrored_pictures_follow(void **state)
{
    (void)state;
    struct here h = begin();
    picture(&h, "a.png", 4, 4, 0, 255);
    struct dataset *s = open_folder(&h, SPLIT_TRAIN, ", flip: true, test: 0");
    float x[16], y[16];
    int32_t label;
    assert_int_equal(s->count, 2);
    s->kind->get(s, 0, x, &label), s->kind->get(s, 1, y, &label);
    for (int i = 0; i < 16; i++)
        assert_true(x[i] == (i % 4 < 2 ? -1 : 1) && y[i] == -x[i]);
    end(&h);
}

static void broken_pictures_are_named(void **state)
{
    (void)state;
    struct here h = begin();
    for (int i = 0; i < 20; i++)
        picture(&h, arena_printf(h.arena, "%02d.png", i), 2, 2, i, i);
    text_file(&h, "05.png", "this is no picture");
    assert_null(open_folder(&h, SPLIT_TRAIN, ", test: 0"));
    expect(&h, "/05.png' is no PNG, JPEG, BMP or WebP that can be read");
    struct dataset *s = open_folder(&h, SPLIT_TRAIN, ", test: 0, broken: 5%");
    assert_non_null(s);
    assert_int_equal(diag_warnings(h.diag), 1);
    expect(&h, "1 of 20 pictures");
    expect(&h, "/05.png'");
    assert_int_equal(s->count, 19);
    float x[16];
    int32_t label;
    s->kind->get(s, 5, x, &label);
    assert_float_equal(x[0], 6 / 127.5f - 1, 1e-5);
    end(&h);
}

static void wrong_folders_are_named(void **state)
{
    (void)state;
    struct here h = begin();
    assert_null(open_folder(&h, SPLIT_TRAIN, ""));
    expect(&h, "has no pictures");
    h.dir = arena_printf(h.arena, "%s/x", h.dir);
    assert_null(open_folder(&h, SPLIT_TRAIN, ""));
    expect(&h, "cannot be read: No such file");
    folder(&h, ""), picture(&h, "a.png", 2, 2, 0, 0);
    struct source s = {
        "t", arena_printf(h.arena, "{dataset: folder, path: %s, image: [2, 4, 4]}", h.dir)};
    assert_null(dataset_open(h.arena, node_parse(h.arena, &s, h.diag), SPLIT_TRAIN, h.diag));
    expect(&h, "`image:` is no size of pictures");
    end(&h);
}

// A fine chessboard shrinks to its mean, a flat picture stays flat at any size, and a crop keeps
// the middle.
static void shrinking_averages_and_a_crop_keeps_the_middle(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct image board = {60, 60, 1, NEW_ARRAY(a, uint8_t, 3600)},
                 flat = {7, 3, 1, NEW_ARRAY(a, uint8_t, 21)},
                 wide = {30, 10, 1, NEW_ARRAY(a, uint8_t, 300)};
    uint8_t to[64 * 64];
    for (int i = 0; i < 3600; i++)
        board.pixel[i] = (i / 60 + i % 60) % 2 ? 255 : 0;
    fit(&board, true, 10, 10, to);
    for (int i = 0; i < 100; i++)
        assert_true(abs(to[i] - 128) <= 5);
    memset(flat.pixel, 77, 21);
    for (int size = 1; size <= 64; size += 9) {
        fit(&flat, size % 2, size, 64, to);
        for (int i = 0; i < size * 64; i++)
            assert_int_equal(to[i], 77);
    }
    for (int i = 0; i < 300; i++)
        wide.pixel[i] = i % 30 < 10 ? 10 : i % 30 < 20 ? 100 : 200;
    fit(&wide, true, 10, 10, to);
    for (int i = 0; i < 100; i++)
        assert_int_equal(to[i], 100);
    fit(&wide, false, 10, 10, to);
    assert_true(to[0] == 10 && to[5] == 100 && to[9] == 200);
    fit(&board, false, 60, 60, to);
    assert_memory_equal(to, board.pixel, 3600);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_read_is_counted),
        cmocka_unit_test(numbers_in_names_of_classes_are_in_order),
        cmocka_unit_test(splits_are_known_by_their_names),
        cmocka_unit_test(what_people_add_to_the_words_is_known),
        cmocka_unit_test(a_split_alone_is_cut_and_a_vehicle_is_a_class),
        cmocka_unit_test(domains_are_chosen),
        cmocka_unit_test(a_large_folder_is_looked_at),
        cmocka_unit_test(classes_are_sub_folders),
        cmocka_unit_test(without_sub_folders_no_labels),
        cmocka_unit_test(folders_of_splits_go_before_a_cut),
        cmocka_unit_test(mirrored_pictures_follow),
        cmocka_unit_test(broken_pictures_are_named),
        cmocka_unit_test(wrong_folders_are_named),
        cmocka_unit_test(shrinking_averages_and_a_crop_keeps_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
