// The losses of one update: the critic's side of its games, the generator's side of the others, and
// the terms.
#include "base/arena.h"
#include "program/builder.h"
#include "lang/meaning.h"
#include "losses/augmentation.h"

#include <string.h>

// What follows is the loss of `name`, for people who look at the graph.
static void update_losses_enter(struct builder *b, struct place where, const char *name)
{
    b->graph->where = where;
    b->graph->label = name;
}

static bool add_part(struct builder *b, struct update_run *run, const char *name, struct value *v)
{
    struct part part = {name, v};
    b->graph->label = NULL;
    APPEND(b->arena, run->part, run->n_part, part);
    return true;
}

// --- games ---------------------------------------------------------------------------------------

// One side of a game: the critic's arguments, and what it says of them.
struct side {
    struct operand *argument;
    struct value *output;
};

static bool fit_critic(struct builder *b, const struct game *game, const struct expression *is,
                       int i, struct operand *x)
{
    const struct network_input *in = &game->critic.network->input[i];
    if (!x->value)
        return fail(b->d, is->where, "a number is no argument of a critic\nexpected %s",
                    signature_text(b->arena, in->is));
    if (x->value->shape.rank && signature_fits(x->is, in->is))
        return true;
    return fail(b->d, is->where, "critic '%s' takes %s as '%s' (line %d), but this is %s",
                game->name, signature_text(b->arena, in->is), in->name, in->where.line,
                signature_text(b->arena, x->is));
}

// All images of one side, by the same draws; `x` becomes what the critic is shown.
static void augment_side(struct builder *b, const struct game *game, struct operand *x)
{
    struct value **image = NEW_ARRAY(b->arena, struct value *, game->n + 1);
    const char *label = b->graph->label;
    int n = 0;
    for (int i = 0; i < game->n; i++)
        if (x[i].value->shape.rank == 4)
            image[n++] = x[i].value;
    b->graph->label = arena_printf(b->arena, "%s.augment", game->name);
    for (int k = 0; n && k < game->n_augmentation; k++)
        game->augmentation[k].is->build(game->augmentation[k].params, image, n);
    b->graph->label = label;
    for (int i = 0, k = 0; i < game->n; i++)
        if (x[i].value->shape.rank == 4)
            x[i].value = image[k++];
}

static bool update_losses_evaluator(struct builder *b, const struct game *game, struct side *s,
                                    struct place where)
{
    struct operand *shown = NEW_ARRAY(b->arena, struct operand, game->n + 1);
    memcpy(shown, s->argument, sizeof *shown * (size_t)game->n);
    if (game->n_augmentation)
        augment_side(b, game, shown);
    const struct application *app = builder_apply(b, game->critic.network, shown, where);
    s->output = app ? app->output[game->critic.head] : NULL;
    return app != NULL;
}

static bool update_losses_read_arguments(struct builder *b, const struct game *game,
                                         struct expression *const *is, struct side *s)
{
    bool good = true;
    s->argument = NEW_ARRAY(b->arena, struct operand, game->n + 1);
    for (int i = 0; i < game->n; i++)
        good &= builder_value(b, is[i], &s->argument[i]) &&
                fit_critic(b, game, is[i], i, &s->argument[i]);
    return good;
}

static bool judge_side(struct builder *b, const struct game *game, struct expression *const *is,
                       struct side *s)
{
    return update_losses_read_arguments(b, game, is, s) &&
           update_losses_evaluator(b, game, s, is[0]->where);
}

static bool recall_fakes(struct builder *b, const struct game *game, struct side *s)
{
    update_losses_enter(b, game->where, arena_printf(b->arena, "%s.pool", game->name));
    const int64_t batch = s->argument[0].value->shape.dim[0];
    if (game->pool && game->pool < batch)
        return fail(b->d, game->where,
                    "a pool of %d is smaller than a batch of %d\nexpected at least one batch",
                    (int)game->pool, (int)batch);
    if (game->pool)
        fake_history_pass(b, game, s->argument);
    return true;
}

static struct value *critic_loss(const struct game *game, const struct side *real,
                                 const struct side *fake, const struct side *mismatched)
{
    struct value *loss = game->loss->critic(game->loss_params, real->output, fake->output,
                                            game->smooth);
    if (!game->mismatched)
        return loss;
    struct value *other = game->loss->critic(game->loss_params, real->output, mismatched->output,
                                             game->smooth);
    return affine(add(loss, other), 0.5, 0);
}

struct penalised {
    struct builder *builder;
    const struct game *game;
    struct place where;
    const struct operand *like;
    bool failed;
};

static struct value *penalised_critic(struct penalty_ctx *ctx, struct value *const *argument)
{
    struct penalised *p = ctx->own;
    struct side s = {NEW_ARRAY(p->builder->arena, struct operand, ctx->n), NULL};
    for (int i = 0; i < ctx->n; i++)
        s.argument[i] = (struct operand){argument[i], 0, p->like[i].is};
    p->failed |= !update_losses_evaluator(p->builder, p->game, &s, p->where);
    return p->failed ? constant(ctx->graph, 0, SCALAR) : s.output;
}

static bool add_penalty(struct builder *b, struct update_run *run, const struct game *game,
                        const struct game_penalty *is, const struct side *real,
                        const struct side *fake)
{
    struct penalised own = {b, game, is->where, real->argument, false};
    struct value **r = NEW_ARRAY(b->arena, struct value *, game->n),
                 **f = NEW_ARRAY(b->arena, struct value *, game->n);
    bool *held = NEW_ARRAY(b->arena, bool, game->n), all = true;
    for (int i = 0; i < game->n; i++) {
        r[i] = real->argument[i].value;
        f[i] = fake->argument[i].value;
        held[i] = real->argument[i].is.classes || r[i] == f[i];
        all &= held[i];
        if (!held[i] && !shape_equal(r[i]->shape, f[i]->shape))
            return fail(b->d, is->where,
                        "a penalty between batches of different size\n"
                        "expected the same `batch:` on both sides");
    }
    if (all)
        return fail(
            b->d, is->where,
            "nothing to differentiate: all arguments of the critic are labels, or the same on both "
            "sides");
    struct penalty_ctx ctx = {b->graph, game->n, r, f, held, penalised_critic, &own};
    update_losses_enter(b, is->where, is->is->word.name);
    struct value *v = is->is->build(&ctx, is->params);
    return !own.failed &&
           add_part(b, run, arena_printf(b->arena, "%s.%s", game->name, is->is->word.name), v);
}

static bool add_critic(struct builder *b, struct update_run *run, const struct game *game)
{
    struct side real = {0}, fake = {0}, mismatched = {0};
    if (!judge_side(b, game, game->real, &real) ||
        !update_losses_read_arguments(b, game, game->fake, &fake) ||
        !recall_fakes(b, game, &fake) ||
        !update_losses_evaluator(b, game, &fake, game->fake[0]->where) ||
        (game->mismatched && !judge_side(b, game, game->mismatched, &mismatched)))
        return false;
    const char *name = arena_printf(b->arena, "%s.critic", game->name);
    update_losses_enter(b, game->where, name);
    bool good = add_part(b, run, name, critic_loss(game, &real, &fake, &mismatched));
    for (int i = 0; i < game->n_penalty; i++)
        good &= add_penalty(b, run, game, &game->penalty[i], &real, &fake);
    return good;
}

static struct value *weighted(struct value *v, double weight)
{
    return weight == 1 ? v : affine(v, weight, 0);
}

static bool add_generator(struct builder *b, struct update_run *run, const struct game *game)
{
    const bool both = game->loss->flags & LOSS_PAIRS;
    struct side real = {0}, fake = {0};
    if ((both || update_takes_real(b->e, run->update, game)) &&
        !judge_side(b, game, game->real, &real))
        return false;
    if ((both || update_takes_fake(b->e, run->update, game)) &&
        !judge_side(b, game, game->fake, &fake))
        return false;
    const char *name = arena_printf(b->arena, "%s.generator", game->name);
    update_losses_enter(b, game->where, name);
    return add_part(
        b, run, name,
        weighted(game->loss->generator(game->loss_params, real.output, fake.output), game->weight));
}

// --- terms ---------------------------------------------------------------------------------------

static bool fit_classes(struct builder *b, const struct operand *x, int64_t classes,
                        struct place where)
{
    if (x->is.classes > classes)
        return fail(b->d, where,
                    "a label of %d classes, but the logits have %d\nexpected logits for each class",
                    (int)x->is.classes, (int)classes);
    if (!x->value &&
        (x->number < 0 || x->number >= (double)classes || x->number != (double)(int64_t)x->number))
        return fail(b->d, where,
                    "%g is no class of %d logits\nexpected a whole number from 0 to %d", x->number,
                    (int)classes, (int)classes - 1);
    return true;
}

// (N) whole numbers, or (N, K) codes
static struct value *update_losses_label_of(struct builder *b, const struct operand *x,
                                            struct shape logits, struct place where)
{
    if (logits.rank != 2) {
        fail(b->d, where,
             "the logits are not one row a sample\nexpected the output of a dense layer");
        return NULL;
    }
    if (!fit_classes(b, x, logits.dim[1], where))
        return NULL;
    if (!x->value)
        return constant(b->graph, x->number, SHAPE(logits.dim[0]));
    if (x->is.classes || shape_equal(x->value->shape, logits))
        return x->value;
    fail(b->d, where, "this is %s, not a label\nexpected a label, a class, or a one-hot code of %d",
         signature_text(b->arena, x->is), (int)logits.dim[1]);
    return NULL;
}

static const struct operand *first_tensor(const struct operand *x, const struct game_term *term)
{
    for (int i = 0; i < TERM_ARGUMENTS; i++)
        if (term->argument[i] && x[i].value && x[i].value->shape.rank)
            return &x[i];
    return NULL;
}

static bool term_arguments(struct builder *b, const struct game_term *term, struct value **argument)
{
    struct operand x[TERM_ARGUMENTS] = {0};
    for (int i = 0; i < TERM_ARGUMENTS; i++)
        if (term->argument[i] && !builder_value(b, term->argument[i], &x[i]))
            return false;
    const struct operand *like = first_tensor(x, term);
    if (!like)
        return fail(b->d, term->where, "term '%s' has nothing but numbers\nexpected a tensor",
                    term->is->word.name);
    for (int i = 0; i < TERM_ARGUMENTS; i++) {
        const struct expression *is = term->argument[i];
        if (!is)
            continue;
        argument[i] = term->is->word.params[i].type == PARAM_LABEL
                          ? update_losses_label_of(b, &x[i], like->value->shape, is->where)
                          : operand_tensor(
                                b->graph, &x[i], like->value->shape, is->where,
                                arena_printf(b->arena, "'%s'", term->is->word.params[i].name),
                                b->d);
        if (!argument[i])
            return false;
    }
    return true;
}

static bool add_term(struct builder *b, struct update_run *run, const struct game_term *term)
{
    struct value *argument[TERM_ARGUMENTS] = {NULL};
    if (!term_arguments(b, term, argument))
        return false;
    update_losses_enter(b, term->where, term->name);
    return add_part(b, run, term->name,
                    weighted(term->is->build(term->params, argument), term->weight));
}

// --- the sum -------------------------------------------------------------------------------------

static const char *part_name(struct builder *b, const struct update_run *run, int i)
{
    int same = 1;
    for (int j = 0; j < i; j++)
        same += !strcmp(run->part[j].name, run->part[i].name);
    return same == 1 ? run->part[i].name : arena_printf(b->arena, "%s.%d", run->part[i].name, same);
}

struct value *build_losses(struct builder *b, struct update_run *run)
{
    const struct experiment *e = b->e;
    const struct update *u = run->update;
    struct value *total = NULL;
    bool good = true;
    for (int i = 0; i < e->n_game; i++) {
        const struct game *game = &e->game[i];
        if (update_takes_critic(u, game))
            good &= add_critic(b, run, game);
        else if (update_takes_fake(e, u, game) || update_takes_real(e, u, game))
            good &= add_generator(b, run, game);
    }
    for (int i = 0; i < e->n_term; i++)
        if (update_takes_term(e, u, &e->term[i]))
            good &= add_term(b, run, &e->term[i]);
    const char **name = NEW_ARRAY(b->arena, const char *, run->n_part + 1);
    for (int i = 0; i < run->n_part; i++) {
        total = sum_terms(total, run->part[i].value);
        name[i] = part_name(b, run, i);
    }
    for (int i = 0; i < run->n_part; i++)
        run->part[i].name = name[i];
    return good ? total : NULL;
}
