// A directory with a database for each test, a run to write into it, and questions to it.
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "store/query.h"
#include "store/recorder.h"

static const struct run_param params[] = {
    {"train.lr", "float", "2e-4", 2e-4, "default"},
    {"name", "str", "ring", NAN, "configs/ring.yaml:1"},
};
static char *const arguments[] = {"ganexp", "run", "configs/ring.yaml"};

static inline struct run_description description(const char *name)
{
    return (struct run_description){.name = name,
                                    .model = "gan",
                                    .dataset = "ring",
                                    .seed = 1,
                                    .config_yaml = "name: ring\n",
                                    .config_hash = "c0ffee",
                                    .group_hash = "beef",
                                    .total_steps = 100,
                                    .param = params,
                                    .n_param = 2,
                                    .argc = 3,
                                    .argv = arguments,
                                    .threads = 2,
                                    .busy_ms = 10000};
}

struct fixture {
    struct arena *arena;
    struct diag *diag;
    char dir[64], db[96];
};

static inline int setup(void **state)
{
    struct arena *a = arena_new(NULL);
    struct fixture *f = NEW(a, struct fixture);
    f->arena = a;
    f->diag = diag_new(a);
    strcpy(f->dir, "/tmp/ganexp-store-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    snprintf(f->db, sizeof f->db, "%s/results.db", f->dir);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    arena_free(f->arena);
    return system(command);
}

static inline const char *messages(struct fixture *f)
{
    struct text t;
    text_init(&t);
    diag_text(f->diag, &t);
    const char *s = arena_strdup(f->arena, t.s);
    text_release(&t);
    return s;
}

static inline struct recorder *start_in(struct fixture *f, struct arena *a, const char *name)
{
    const struct run_description run = description(name);
    struct recorder *r = recorder_start(a, f->db, &run, f->diag);
    if (!r)
        print_error("%s", messages(f));
    assert_non_null(r);
    return r;
}

static inline struct recorder *start(struct fixture *f) { return start_in(f, f->arena, "ring"); }

static inline int64_t ask(struct fixture *f, const char *sql)
{
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    assert_non_null(r);
    struct table *t = query_sql(r, sql, f->diag);
    if (!t)
        print_error("%s", messages(f));
    assert_non_null(t);
    assert_int_equal(table_rows(t), 1);
    const struct cell *c = table_at(t, 0, 0);
    return c->type == CELL_INT ? c->integer : c->type == CELL_REAL ? (int64_t)c->real : -1;
}

static inline const char *ask_text(struct fixture *f, const char *sql)
{
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    const struct cell *c = table_at(query_sql(r, sql, f->diag), 0, 0);
    return c->type == CELL_TEXT ? c->text : "";
}

static inline struct evaluation fid(double value, const char *fingerprint)
{
    return (struct evaluation){
        .name = "fid",
        .direction = "min",
        .value = value,
        .std = NAN,
        .weights = "ema",
        .seconds = 1.5,
        .seed = 7,
        .evaluator = {fingerprint, "fid", "net", "aa", "train", "bb", 50000, 10000, "resize", "1"}};
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
