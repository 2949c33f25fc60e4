// What expressions mean before anything is built: which names they say, which networks their
// gradients reach, and from that which loss belongs to which update. It could be read off a built
// graph, but then every loss would have to be built for every update to find out that it does not
// belong there, and a mistake would show only once shapes are known.
#include "base/arena.h"
#include "base/text.h"
#include "lang/sections.h"

#include <string.h>

int data_source_field(const struct data_source *s, const char *name)
{
    for (int i = 0; i < dataset_fields(s->dataset); i++)
        if (!strcmp(dataset_field(s->dataset, i).name, name))
            return i;
    return -1;
}

int network_head(const struct network *net, const char *name)
{
    for (int i = 0; i < net->n_output; i++)
        if (*net->output[i] && !strcmp(net->output[i], name))
            return i;
    return -1;
}

const char *signature_text(struct arena *a, struct signature is)
{
    if (is.classes)
        return arena_printf(a, "a label of %d classes", (int)is.classes);
    struct text t;
    text_init(&t);
    shape_text(is.shape, &t);
    const char *s = arena_strdup(a, is.shape.rank ? t.s : "a number");
    text_release(&t);
    return s;
}

const struct expression *expression_behind(const struct experiment *e, const struct expression *is)
{
    for (int i = 0; i <= e->n_value && is->kind == EXPR_NAME; i++) { // names may lead in a circle
        const struct named_value *v = experiment_value(e, is->name);
        if (!v || v->behind)
            return v ? v->behind : is;
        is = v->is;
    }
    return is;
}

// --- dependence ----------------------------------------------------------------------------------

static bool meaning_depends(const struct experiment *e, const struct expression *is,
                            const char *head, struct target to);

static bool any_depends(const struct experiment *e, const struct expression *is, struct target to)
{
    for (int i = 0; i < is->n_arg; i++)
        if (meaning_depends(e, is->arg[i], NULL, to))
            return true;
    return false;
}

// A value that was looked at for the same question has said no: yes ends the question. A head is asked of the call
// behind names alone.
static bool value_depends(const struct experiment *e, struct named_value *v, const char *head,
                          struct target to)
{
    if (head)
        return meaning_depends(e, v->behind, head, to);
    if (v->asked == *e->questions)
        return false;
    v->asked = *e->questions;
    return meaning_depends(e, v->is, NULL, to);
}

// `head`: the one asked for by a field around this expression.
static bool meaning_depends(const struct experiment *e, const struct expression *is,
                            const char *head, struct target to)
{
    struct named_value *v;
    switch (is->kind) {
    case EXPR_NAME: return (v = experiment_value(e, is->name)) && value_depends(e, v, head, to);
    case EXPR_FIELD: return meaning_depends(e, is->arg[0], is->name, to);
    case EXPR_CALL:
        if (!strcmp(is->name, to.network->name))
            if (to.head < 0 || !head || !strcmp(to.network->output[to.head], head))
                return true;
        return strcmp(is->name, "detach") && any_depends(e, is, to);
    case EXPR_BINARY: return any_depends(e, is, to);
    case EXPR_NUMBER: break;
    }
    return false;
}

bool expression_depends(const struct experiment *e, const struct expression *is, struct target to)
{
    ++*e->questions;
    return meaning_depends(e, is, NULL, to);
}

bool expressions_depend(const struct experiment *e, struct expression *const *is, int n,
                        const struct target *to, int n_to)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n_to; j++)
            if (is[i] && expression_depends(e, is[i], to[j]))
                return true;
    return false;
}

// --- what belongs to an update -------------------------------------------------------------------

bool target_covers(struct target outer, struct target inner)
{
    ASSERT(outer.head < outer.network->n_output && inner.head < inner.network->n_output);
    return outer.network == inner.network && (outer.head < 0 || outer.head == inner.head);
}

bool update_trains(const struct update *u, struct target what)
{
    for (int i = 0; i < u->n_train; i++)
        if (target_covers(u->train[i], what))
            return true;
    return false;
}

bool update_takes_critic(const struct update *u, const struct game *game)
{
    return update_trains(u, game->critic);
}

bool update_takes_fake(const struct experiment *e, const struct update *u, const struct game *game)
{
    return !update_takes_critic(u, game) &&
           expressions_depend(e, game->fake, game->n, u->train, u->n_train);
}

bool update_takes_real(const struct experiment *e, const struct update *u, const struct game *game)
{
    return !update_takes_critic(u, game) &&
           expressions_depend(e, game->real, game->n, u->train, u->n_train);
}

static bool target_is_critic(const struct experiment *e, struct target what)
{
    for (int i = 0; i < e->n_game; i++)
        if (target_covers(what, e->game[i].critic))
            return true;
    return false;
}

static bool named(const struct game_term *term, const struct update *u)
{
    for (int i = 0; i < term->n_to; i++)
        for (int j = 0; j < u->n_train; j++)
            if (target_covers(term->to[i], u->train[j]))
                return true;
    return false;
}

bool update_takes_term(const struct experiment *e, const struct update *u,
                       const struct game_term *term)
{
    if (term->to)
        return named(term, u);
    for (int i = 0; i < u->n_train; i++)
        if (!target_is_critic(e, u->train[i]) &&
            expressions_depend(e, (struct expression *const *)term->argument, TERM_ARGUMENTS,
                               &u->train[i], 1))
            return true;
    return false;
}
