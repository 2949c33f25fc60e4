// Reading results.db: addressing runs, comparing them without mixing evaluators, SQL and its
// mistakes, long lists.
#include "support/store_fixture.h"

#include <time.h>
#include <unistd.h>

#include "store/db.h"
#include "store/late.h"

static void add_run(struct fixture *f, const char *name, int64_t seed, double score,
                    const char *fingerprint)
{
    struct arena *a = arena_new(NULL);
    struct run_description run = description(name);
    struct run_param changed[] = {params[0], params[1]};
    changed[0].text = seed % 2 ? "2e-4" : "1e-4";
    run.param = changed;
    run.seed = seed;
    struct recorder *r = recorder_start(a, f->db, &run, f->diag);
    const struct evaluation e = fid(score, fingerprint);
    recorder_evaluation(r, 10, &e);
    recorder_metric(r, "loss", 10, score / 2);
    recorder_end(r, RUN_DONE, "", 0);
    arena_free(a);
}

static void comparing_keeps_evaluators_apart(void **state)
{
    struct fixture *f = *state;
    add_run(f, "one", 1, 10, "f1");
    add_run(f, "two", 2, 20, "f1");
    add_run(f, "three", 3, 15, "f2");
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run[3];
    assert_true(reader_find(r, "one", &run[0], f->diag) &&
                reader_find(r, "@last~1", &run[1], f->diag));
    assert_true(reader_find(r, run[1].uid, &run[2], f->diag));
    assert_string_equal(run[2].name, "two");
    struct table *t[COMPARE_TABLES];
    query_compare(r, run, 2, false, t);
    assert_int_equal(table_rows(t[0]), 1);
    assert_string_equal(table_at(t[0], 0, 0)->text, "train.lr");
    assert_string_equal(table_at(t[0], 0, 2)->text, "1e-4");
    assert_int_equal(table_rows(t[1]), 1);
    assert_string_equal(table_at(t[1], 0, table_find(t[1], "note"))->text, "");
    query_compare(r, run, 2, true, t);
    assert_int_equal(table_rows(t[0]), 2);
    assert_true(reader_find(r, "three", &run[1], f->diag));
    query_compare(r, run, 2, false, t);
    assert_int_equal(table_rows(t[1]), 2);
    assert_non_null(strstr(table_at(t[1], 0, table_find(t[1], "note"))->text, "evaluators differ"));
    assert_int_equal(table_at(t[1], 0, 6)->type, CELL_NULL);
    const struct table *board = query_leaderboard(r, "fid", NULL);
    assert_int_equal(table_rows(board), 2);
    assert_true(table_at(board, 0, table_find(board, "mean"))->real == 15);
    assert_int_equal(table_at(board, 0, table_find(board, "seeds"))->integer, 2);
    assert_int_equal(table_find(query_runs(r, &(struct run_filter){0}), "fid f1") > 0, 1);
}

static void runs_are_found_by_id_name_and_age(void **state)
{
    struct fixture *f = *state;
    add_run(f, "acgan", 1, 1, "f1");
    add_run(f, "wgan", 2, 1, "f1");
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run;
    assert_false(reader_find(r, "acgam", &run, f->diag));
    assert_non_null(strstr(messages(f), "did you mean 'acgan'?"));
    assert_false(reader_find(r, "0", &run, f->diag));
    assert_non_null(strstr(messages(f), "several runs begin with"));
    assert_false(reader_find(r, "@last~2", &run, f->diag));
    assert_false(reader_find(r, "'; DROP TABLE run", &run, f->diag));
    assert_true(reader_find(r, "@last", &run, f->diag));
    assert_string_equal(run.name, "wgan");
    assert_string_equal(run.config_yaml, "name: ring\n");
    assert_true(access(run.dir, F_OK) == 0);
}

static void sql_can_only_read_and_mistakes_are_drawn(void **state)
{
    struct fixture *f = *state;
    add_run(f, "one", 1, 10, "f1");
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    assert_null(query_sql(r, "SELECT nme FROM runs", f->diag));
    assert_non_null(strstr(messages(f), "nme"));
    assert_non_null(strstr(messages(f), "^"));
    assert_null(query_sql(r, "DELETE FROM run", f->diag));
    assert_null(query_sql(r, "SELECT 1; SELECT 2", f->diag));
    assert_null(query_sql(r, "", f->diag));
    assert_int_equal(table_rows(query_sql(r, "SELECT * FROM runs;\n", f->diag)), 1);
}

static void a_note_replaces_the_one_before_of_its_run_alone(void **state)
{
    struct fixture *f = *state;
    add_run(f, "one", 1, 10, "f1");
    add_run(f, "two", 2, 10, "f1");
    struct reader *r = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run;
    assert_true(reader_find(r, "one", &run, f->diag));
    assert_true(late_note(f->db, &run, "first", f->diag));
    assert_true(late_note(f->db, &run, "it's; the second", f->diag));
    const struct table *t = query_sql(r, "SELECT name FROM run WHERE note='it''s; the second'",
                                      f->diag);
    assert_int_equal(table_rows(t), 1);
    assert_string_equal(table_at(t, 0, 0)->text, "one");
    t = query_sql(r, "SELECT name FROM run WHERE note=''", f->diag);
    assert_int_equal(table_rows(t), 1);
    assert_false(late_note("tests/configs/tiny.yaml", &run, "", f->diag));
    assert_non_null(strstr(messages(f), "is not a database"));
}

static void ten_thousand_runs_are_listed(void **state)
{
    struct fixture *f = *state;
    add_run(f, "one", 1, 10, "f1");
    struct db db;
    assert_int_equal(db_open(&db, f->db, DB_WRITE, 100, f->diag), DB_OK);
    db_begin(&db);
    db_exec(&db, "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i+1 FROM n WHERE i<10000) "
                 "INSERT INTO run(uid, experiment_id, name, model, dataset, seed, config_hash, "
                 "group_hash, status, step, total_steps, created_ms, started_ms, ended_ms, dir) "
                 "SELECT printf('%026d', i), 1, 'run' || i, 'gan', 'ring', i, 'c0ffee', 'beef', "
                 "'done', 100, 100, i, i, i+5, 'runs/' || i FROM n");
    db_exec(
        &db,
        "INSERT INTO eval(run_id, step, evaluator_id, key_id, value) SELECT id, s.step, 1, 1, "
        "abs(random() % 100) FROM run, (SELECT 20 AS step UNION SELECT 40 UNION SELECT 60 UNION "
        "SELECT 80 UNION SELECT 100) s");
    assert_true(db_commit(&db));
    db_close(&db);
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    const struct table *t = query_runs(reader_open(f->arena, f->db, false, f->diag),
                                       &(struct run_filter){0});
    clock_gettime(CLOCK_MONOTONIC, &t1);
    assert_int_equal(table_rows(t), 10000);
    print_message("10 000 runs with 5 evaluations each listed in %.1f ms\n",
                  (double)(t1.tv_sec - t0.tv_sec) * 1e3 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comparing_keeps_evaluators_apart), TEST(runs_are_found_by_id_name_and_age),
        TEST(sql_can_only_read_and_mistakes_are_drawn), TEST(ten_thousand_runs_are_listed),
        TEST(a_note_replaces_the_one_before_of_its_run_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
