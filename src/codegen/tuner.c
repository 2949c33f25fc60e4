// Measuring. A candidate is timed as the whole that it is: the example of the question, through all
// passes, planned, run on random numbers. Two candidates are run in turns and their best times
// compared, since what else a machine does makes runs slower and never faster; a challenger has to
// win by MARGIN, so that equals stay with the rule, and then once more, since something may have
// run beside the holder. All answers of one option are tried first, since axes work together when
// they take the same; then each axis by itself with the option that came second. That is some eight
// candidates where there are sixty-four, and a question of a tenth of a second an answer costs two.
//
// Reading the time of a candidate's own steps instead of all is more precise and less true: what a
// rewrite saves or costs its neighbours, a reorder, a fused activation, would not be seen. Only how
// an example's inputs are reordered is not counted: that is as long as what is compared.
#include "codegen/tuner.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/memory_left.h"
#include "base/size.h"
#include "base/text.h"
#include "ir/op.h"
#include "ir/slot.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 6, SWEPT = 64 << 20 /* bytes, more than a last cache has */, LINE = 64 };
static const double MARGIN = 0.08, HOPELESS = 2, LONG = 0.1 /* seconds */;

// --- the real stopwatch --------------------------------------------------------------------------

// Answers what one pass asks as told, and leaves all else to rules.
struct told {
    struct chooser chooser;
    const char *pass;
    const int *answer;
};

static void tuner_tell(struct chooser *c, const struct question *q, int answer[CHOICE_AXES])
{
    const struct told *t = (const struct told *)c;
    if (!strcmp(q->pass, t->pass))
        memcpy(answer, t->answer, sizeof *answer * CHOICE_AXES);
}

// Numbers in [−½, ½) that are no pattern; good ones would take longer than what is timed.
WRAPS static void tuner_fill(uint32_t *state, float *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        *state = *state * 1664525 + 1013904223;
        to[i] = (float)(*state >> 8) / (1 << 24) - 0.5F;
    }
}

static float *random_slots(const struct graph *g, struct arena *a, uint32_t *state)
{
    size_t floats = 0;
    for (int i = 0; i < g->n && !floats; i++)
        floats = g->value[i]->attr.slot ? g->value[i]->attr.slot->all->floats : 0;
    float *slab = NEW_ARRAY(a, float, floats + 16);
    tuner_fill(state, slab, (int64_t)floats);
    return slab;
}

static void *ready(const struct question *q, const int answer[CHOICE_AXES], struct arena *a)
{
    struct told told = {{tuner_tell}, q->pass, answer};
    struct graph *g = q->example(q, a);
    uint32_t state = 1;
    g->chooser = &told.chooser;
    passes_run_between(g, q->pass, NULL);
    g->chooser = NULL;
    struct plan *p = plan_new(a, g, random_slots(g, a, &state), 0);
    for (int i = 0; i < g->n; i++) {
        const char *name = g->value[i]->attr.name;
        float *to = name ? plan_input(p, name) : NULL;
        if (to)
            tuner_fill(&state, to, shape_size(g->value[i]->shape));
    }
    return p;
}

static bool turns_input(const struct value *v)
{
    return v->op == &op_reorder && v->in[0]->op == &op_input;
}

// An example's inputs are plain; in a network they come as they are wanted.
static double tuner_seconds(void *plan)
{
    struct arena *a = arena_new(NULL);
    double sum = 0, *each = NEW_ARRAY(a, double, plan_steps(plan) + 1);
    plan_profile(plan, 0, each);
    for (int i = 0; i < plan_steps(plan); i++)
        sum += turns_input(plan_step_value(plan, i)) ? 0 : each[i];
    arena_free(a);
    return sum;
}

// A race holds two candidates, each with its values and weights; in small memory it is not run.
static bool room_to_race(const struct question *q)
{
    struct arena *a = arena_new(NULL);
    const struct graph *g = q->example(q, a);
    int64_t bytes = SWEPT;
    for (int i = 0; i < g->n; i++)
        bytes = size_sum(bytes, size_product(shape_size(g->value[i]->shape), 8 * sizeof(float)));
    arena_free(a);
    return bytes < memory_left().bytes;
}

const struct tuner_clock stopwatch = {ready, tuner_seconds, room_to_race};

// --- searching -----------------------------------------------------------------------------------

// Fills the caches with something else.
static void sweep(char *swept)
{
#pragma omp parallel for schedule(static)
    for (int i = 0; i < SWEPT; i += LINE)
        swept[i]++;
}

// What is being timed; `swept` is NULL where caches may stay as they are.
struct race {
    struct tuner *tuner;
    const struct question *question;
    char *swept;
};

struct candidate {
    struct arena *arena;
    int answer[CHOICE_AXES];
    void *ready;
    double best; // of its runs so far
};

static void run_once(const struct race *r, struct candidate *is)
{
    if (r->swept)
        sweep(r->swept);
    const double t = r->tuner->stopwatch->seconds(is->ready);
    is->best = t < is->best ? t : is->best;
}

// The first run touches memory and code for the first time, and does not count.
static struct candidate candidate(const struct race *r, const int *answer)
{
    struct candidate is = {.arena = arena_new(NULL), .best = DBL_MAX};
    memcpy(is.answer, answer, sizeof is.answer);
    is.ready = r->tuner->stopwatch->ready(r->question, is.answer, is.arena);
    run_once(r, &is);
    return is;
}

// Whether the other is faster, from times taken now.
static bool beats(const struct race *r, struct candidate *other, struct candidate *holder)
{
    double spent = 0;
    other->best = holder->best = DBL_MAX;
    for (int round = 0; round < ROUNDS && spent < LONG && other->best < HOPELESS * holder->best;
         round++) {
        run_once(r, other);
        run_once(r, holder);
        spent += other->best + holder->best;
    }
    return other->best < (1 - MARGIN) * holder->best;
}

// The faster of the two stays in *holder; returns the other's time. It wins twice or not at all.
static double challenge(const struct race *r, struct candidate *holder, const int *answer)
{
    struct candidate other = candidate(r, answer);
    const bool won = beats(r, &other, holder) && beats(r, &other, holder);
    const double time = won ? holder->best : other.best;
    arena_free((won ? holder : &other)->arena);
    if (won)
        *holder = other;
    return time;
}

static void all_axes(const struct question *q, int option, int answer[CHOICE_AXES])
{
    for (int axis = 0; axis < q->n_axes; axis++)
        answer[axis] = option;
}

static bool tuner_same(const struct question *q, const int *a, const int *b)
{
    return !memcmp(a, b, sizeof *a * (size_t)q->n_axes);
}

// Tries each option for all axes; returns the one that came in second.
static int try_options(const struct race *r, struct candidate *holder)
{
    const struct question *q = r->question;
    int second = holder->answer[0];
    double least = DBL_MAX;
    for (int o = 0; o < q->n_options; o++) {
        int next[CHOICE_AXES] = {0};
        const int before = holder->answer[0];
        all_axes(q, q->option[o], next);
        if (tuner_same(q, next, holder->answer))
            continue;
        const double time = challenge(r, holder, next);
        const bool won = tuner_same(q, next, holder->answer);
        if (time < least) {
            least = time;
            second = won ? before : q->option[o];
        }
    }
    return second;
}

static void search(struct tuner *c, const struct question *q, int answer[CHOICE_AXES])
{
    ASSERT(q->n_options > 0 && q->n_options <= CHOICE_OPTIONS && q->n_axes <= CHOICE_AXES);
    struct arena *a = arena_new(NULL);
    const struct race r = {c, q, q->cold ? NEW_ARRAY(a, char, SWEPT) : NULL};
    struct candidate holder = candidate(&r, q->rule);
    const int second = try_options(&r, &holder);
    for (int axis = 0; axis < q->n_axes && q->n_axes > 1; axis++) {
        int next[CHOICE_AXES];
        memcpy(next, holder.answer, sizeof next);
        next[axis] = second;
        if (!tuner_same(q, next, holder.answer))
            challenge(&r, &holder, next);
    }
    memcpy(answer, holder.answer, sizeof holder.answer);
    arena_free(holder.arena);
    arena_free(a);
}

// --- answering -----------------------------------------------------------------------------------

static const char *answer_text(struct arena *a, const struct question *q, const int *answer)
{
    struct text t;
    text_init(&t);
    for (int i = 0; i < q->n_axes; i++)
        text_addf(&t, "%s%d", i ? " " : "", answer[i]);
    const char *kept = arena_strdup(a, t.s);
    text_release(&t);
    return kept;
}

// False where the text answers another question.
static bool read_answer(const struct question *q, const char *text, int answer[CHOICE_AXES])
{
    int read[CHOICE_AXES] = {0};
    for (int i = 0; i < q->n_axes; i++) {
        char *end;
        bool known = false;
        read[i] = (int)strtol(text, &end, 10);
        for (int o = 0; o < q->n_options; o++)
            known |= q->option[o] == read[i];
        if (!known || end == text || (*end && *end != ' '))
            return false;
        text = end;
    }
    if (*text)
        return false;
    memcpy(answer, read, sizeof read);
    return true;
}

static struct tuner_answer *tuner_find(struct tuner *c, const char *key)
{
    for (int i = 0; i < c->n; i++)
        if (!strcmp(c->choice[i].key, key))
            return &c->choice[i];
    return NULL;
}

static const char *tuner_measure(struct tuner *c, const struct question *q, int answer[CHOICE_AXES])
{
    if (c->measures)
        c->measures(c->context, q->key);
    search(c, q, answer);
    c->n_measured++;
    c->memory.keep(c->memory.context, q->key, answer_text(c->arena, q, answer));
    return "measured";
}

// The origin of the answer.
static const char *decide(struct tuner *c, const struct question *q, int answer[CHOICE_AXES])
{
    const char *known = NULL;
    if (!c->memory.recall || (c->stopwatch->room && !c->stopwatch->room(q)) ||
        !c->memory.recall(c->memory.context, q->key, &known))
        return "rule";
    if (!known)
        return tuner_measure(c, q, answer);
    return read_answer(q, known, answer) ? "remembered" : "rule";
}

static void answer(struct chooser *chooser, const struct question *q, int answer[CHOICE_AXES])
{
    struct tuner *c = (struct tuner *)chooser;
    struct tuner_answer *known = tuner_find(c, q->key);
    if (known && read_answer(q, known->answer, answer)) {
        known->asked = true;
        return;
    }
    const char *origin = decide(c, q, answer);
    tuner_know(c, q->key, answer_text(c->arena, q, answer), origin);
    tuner_find(c, q->key)->asked = true;
}

struct tuner *tuner_new(struct arena *a)
{
    struct tuner *c = NEW(a, struct tuner);
    *c = (struct tuner){.chooser = {answer}, .arena = a, .stopwatch = &stopwatch};
    return c;
}

void tuner_know(struct tuner *c, const char *key, const char *answer, const char *origin)
{
    ASSERT(key && answer && origin);
    struct tuner_answer *known = tuner_find(c, key);
    if (!known) {
        APPEND(c->arena, c->choice, c->n,
               (struct tuner_answer){.key = arena_strdup(c->arena, key)});
        known = &c->choice[c->n - 1];
    }
    known->answer = arena_strdup(c->arena, answer);
    known->origin = arena_strdup(c->arena, origin);
}
