// Studies: what makes trials, what the database knows of them, and the numbers of the table.
#include "support/store_fixture.h"

#include "store/db.h"
#include "study/study.h"

static const char base[] =
    "name: tiny\n"
    "data: {real: {dataset: digits, size: 8, batch: 16}}\n"
    "noise: {z: {normal: 4}}\n"
    "networks:\n"
    "  generator: {inputs: {z: 4}, layers: [dense: 64, tanh, reshape: [1, 8, 8]]}\n"
    "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 1]}\n"
    "games: [{critic: critic, real: real.image, fake: generator(z), loss: log}]\n"
    "train: {steps: 40, optimizer: adam, iteration: [update: critic, update: generator]}\n";

static void write_file(struct fixture *f, const char *name, const char *text)
{
    FILE *to = fopen(arena_printf(f->arena, "%s/%s", f->dir, name), "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static struct study *read_study(struct fixture *f, const char *vary)
{
    write_file(f, "base.yaml", base);
    write_file(f, "study.yaml",
               arena_printf(f->arena,
                            "question: Which?\nbase: base.yaml\ncolumn: loss\nseeds: [3, 5]\n"
                            "score: fid\nvary:\n%s",
                            vary));
    const char *shorter = "train.log_every=10";
    struct study *s = study_read(f->arena, f->dir, &shorter, 1, f->diag);
    return s;
}

static const char losses[] = "  log:\n"
                             "  hinge: games.0.loss=hinge\n"
                             "  shorter: {base: base.yaml, set: train.steps=20}\n";

static struct recorder *begin(struct fixture *f, struct arena *a, const struct trial *t)
{
    struct run_description run = description("tiny");
    run.config_hash = t->config_hash;
    run.seed = t->seed;
    return recorder_start(a, f->db, &run, f->diag);
}

static void add_run(struct fixture *f, const struct trial *t, enum run_status status, double early,
                    double late, const char *fingerprint)
{
    struct arena *a = arena_new(NULL);
    struct recorder *r = begin(f, a, t);
    struct evaluation e = fid(early, fingerprint);
    recorder_evaluation(r, 10, &e);
    e.value = late;
    recorder_evaluation(r, 40, &e);
    e.name = "fid_real";
    e.value = 0.5;
    recorder_evaluation(r, 40, &e);
    recorder_end(r, status, "", 0);
    arena_free(a);
}

static double real_at(const struct table *t, int row, const char *column)
{
    const struct cell *c = table_at(t, row, table_find(t, column));
    return c->type == CELL_REAL ? c->real : NAN;
}

static void trials_are_variations_by_seeds(void **state)
{
    struct fixture *f = *state;
    const struct study *s = read_study(f, losses);
    if (!s)
        print_error("%s", messages(f));
    assert_non_null(s);
    assert_int_equal(s->n_trial, 6);
    assert_int_equal(s->trial[3].seed, 5);
    assert_int_equal(s->trial[3].steps, 40);
    assert_int_equal(s->trial[4].steps, 20);
    assert_string_equal(s->trial[2].override[0], "games.0.loss=hinge");
    assert_string_equal(s->trial[2].override[1], "train.log_every=10");
    assert_string_equal(s->trial[2].override[2], "seed=3");
}

static void wrong_studies_are_named(void **state)
{
    struct fixture *f = *state;
    assert_null(read_study(f, "  log:\n  same: games.0.loss=log\n"));
    assert_non_null(strstr(messages(f), "'same', seed 3, is the same experiment as 'log', seed 3"));
    assert_null(read_study(f, "  log: games.0.loss=lgo\n"));
    assert_non_null(strstr(messages(f), "did you mean 'log'?"));
    assert_null(read_study(f, "  other: {bas: base.yaml}\n"));
    assert_non_null(strstr(messages(f), "did you mean 'base'?"));
    write_file(f, "study.yaml", "question: Which?\nbase: base.yaml\nseeds: []\nvary: {log: }\n");
    assert_null(study_read(f->arena, f->dir, NULL, 0, f->diag));
    assert_non_null(strstr(messages(f), "study.yaml:3:"));
    assert_non_null(strstr(messages(f), "no seeds"));
}

// The last score of done runs counts; diverged ones and other evaluators stand apart.
static void only_equal_evaluators_are_averaged(void **state)
{
    struct fixture *f = *state;
    struct study *s = read_study(f, losses);
    add_run(f, &s->trial[0], RUN_DONE, 9, 10, "f1");
    add_run(f, &s->trial[1], RUN_DONE, 9, 13, "f1");
    add_run(f, &s->trial[2], RUN_DONE, 9, 7, "f1");
    add_run(f, &s->trial[3], RUN_DIVERGED, 9, 1, "f1");
    add_run(f, &s->trial[4], RUN_DONE, 9, 2, "f1");
    add_run(f, &s->trial[5], RUN_DONE, 9, 4, "f2");
    study_look(s, f->arena, f->db);
    assert_int_equal(study_count(s, TRIAL_DONE), 5);
    const struct table *t = study_table(s, f->arena, f->db, f->diag);
    assert_int_equal(table_rows(t), 4);
    assert_true(real_at(t, 0, "mean") == 11.5);
    assert_true(fabs(real_at(t, 0, "std") - 3 / sqrt(2)) < 1e-12);
    assert_true(real_at(t, 0, "best") == 10);
    assert_true(real_at(t, 0, "real") == 0.5);
    assert_true(real_at(t, 1, "mean") == 7 && isnan(real_at(t, 1, "std")));
    assert_int_equal(table_at(t, 1, table_find(t, "diverged"))->integer, 1);
    assert_true(real_at(t, 2, "mean") == 2 && real_at(t, 3, "mean") == 4);
    const struct table *shown = study_show(s, t);
    assert_string_equal(shown->column[0], "loss");
    assert_string_equal(table_at(shown, 0, table_find(shown, "fid"))->text, "11.50 ± 2.12");
    assert_string_equal(table_at(shown, 3, table_find(shown, "evaluator"))->text, "f2: fid");
}

// A run that nobody is at is gone on with; its seconds leave the pause out.
static void pauses_are_left_out_of_a_runs_seconds(void **state)
{
    struct fixture *f = *state;
    struct study *s = read_study(f, losses);
    add_run(f, &s->trial[0], RUN_INTERRUPTED, 9, 10, "f1");
    study_look(s, f->arena, f->db);
    assert_int_equal(s->trial[0].state, TRIAL_BROKEN_OFF);
    assert_int_equal(study_count(s, TRIAL_MISSING), 5);
    struct db db;
    assert_int_equal(db_open(&db, f->db, DB_WRITE, 100, f->diag), DB_OK);
    db_exec(&db, "UPDATE run SET status = 'done'");
    db_exec(&db, "DELETE FROM attempt");
    db_exec(&db, "INSERT INTO attempt(run_id, n, argv_json, cwd, host, pid, boot_id, proc_start, "
                 "first_step, started_ms, ended_ms) VALUES(1, 1, '', '', '', 0, '', 0, 0, 1000, "
                 "NULL), (1, 2, '', '', '', 0, '', 0, 0, 90000, 97000)");
    db_exec(&db, "INSERT INTO tick(run_id, step, t_ms) VALUES(1, 1, 2000), (1, 2, 4500), (1, 3, "
                 "95000)");
    db_close(&db);
    study_look(s, f->arena, f->db);
    const struct table *t = study_table(s, f->arena, f->db, f->diag);
    assert_true(real_at(t, 0, "seconds") == 10.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trials_are_variations_by_seeds), TEST(wrong_studies_are_named),
        TEST(only_equal_evaluators_are_averaged), TEST(pauses_are_left_out_of_a_runs_seconds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
