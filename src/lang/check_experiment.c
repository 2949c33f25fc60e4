// What is written and does nothing: networks, noise, losses and critics that no update reaches.
// Such a config runs, and what it trains is not what its author thinks; so these are errors, not
// advice.
#include "base/arena.h"
#include "lang/sections.h"

#include <string.h>

static bool check_used(struct section_reader *r)
{
    const struct experiment *e = r->e;
    bool good = true;
    for (int i = 0; i < e->n_network; i++)
        if (!r->network_used[i])
            good = fail(
                r->d, e->network[i]->where,
                "network '%s' is not used\nexpected a game, a term or a sample that says it",
                e->network[i]->name);
    for (int i = 0; i < e->n_noise; i++)
        if (!r->noise_used[i])
            good = fail(r->d, e->noise[i].where,
                        "nothing reads noise '%s'\nexpected an expression that says it",
                        e->noise[i].name);
    for (int i = 0; i < e->n_value; i++)
        if (!r->value_used[i])
            warn(r->d, WARNING_value_unused, e->value[i].where,
                 "value '%s' is not used\n"
                 "expected an expression that says it, or values.%s=!unset",
                 e->value[i].name, e->value[i].name);
    return good;
}

struct sides_taken {
    bool critic, generator, term;
};

static bool update_takes(const struct experiment *e, const struct update *u)
{
    bool takes = false;
    for (int i = 0; i < e->n_game; i++)
        takes |= update_takes_critic(u, &e->game[i]) || update_takes_fake(e, u, &e->game[i]) ||
                 update_takes_real(e, u, &e->game[i]);
    for (int i = 0; i < e->n_term; i++)
        takes |= update_takes_term(e, u, &e->term[i]);
    return takes;
}

#define ANY_UPDATE(e, u)                                                            \
    for (const struct phase *p_ = (e)->phase; p_ < (e)->phase + (e)->n_phase; p_++) \
        for (const struct update *u = p_->update; u < p_->update + p_->n_update; u++)

static struct sides_taken take_game(const struct experiment *e, const struct game *game)
{
    struct sides_taken taken = {0};
    ANY_UPDATE(e, u)
    {
        taken.critic |= update_takes_critic(u, game);
        taken.generator |= update_takes_fake(e, u, game) || update_takes_real(e, u, game);
    }
    return taken;
}

static bool sees_a_network(const struct experiment *e, const struct game *game)
{
    for (int i = 0; i < e->n_network; i++) {
        const struct target all = {e->network[i], -1, {0}};
        if (e->network[i] != game->critic.network && !e->network[i]->frozen &&
            (expressions_depend(e, game->fake, game->n, &all, 1) ||
             expressions_depend(e, game->real, game->n, &all, 1)))
            return true;
    }
    return false;
}

static bool check_game(struct section_reader *r, const struct game *game)
{
    const struct experiment *e = r->e;
    const struct sides_taken taken = take_game(e, game);
    bool good = true;
    if (!taken.critic && !game->critic.network->frozen)
        good = fail(r->d, game->critic.where,
                    "no update trains critic '%s'\nexpected `- update: %s` in train.iteration",
                    game->name, game->critic.network->name);
    if (!sees_a_network(e, game))
        return fail(r->d, game->fake[0]->where,
                    "the critic never sees what a generator makes\n"
                    "expected a fake made by a network that is trained");
    if (!taken.generator)
        good = fail(r->d, game->fake[0]->where,
                    "no update trains what makes this fake\n"
                    "expected an update of its network in train.iteration");
    return good;
}

static bool check_term(struct section_reader *r, const struct game_term *term)
{
    const struct experiment *e = r->e;
    ANY_UPDATE(e, u)
    if (update_takes_term(e, u, term))
        return true;
    return fail(
        r->d, term->where, "no update takes term '%s'\n%s", term->is->word.name,
        term->to
            ? "expected an update of what `for:` names"
            : "without `for:` it belongs to updates of networks it depends on that are no critics");
}

static bool check_unread_updates(struct section_reader *r)
{
    const struct experiment *e = r->e;
    bool good = true;
    ANY_UPDATE(e, u)
    if (!update_takes(e, u))
        good = fail(r->d, u->where,
                    "nothing for this update to minimise\n"
                    "expected a game or a term that depends on '%s'",
                    u->train[0].network->name);
    return good;
}

// Labels that are drawn should be labels that exist.
static void check_classes(struct section_reader *r)
{
    const struct experiment *e = r->e;
    const struct dataset *s = e->data[0].dataset;
    for (int i = 0; i < e->n_noise; i++)
        if (e->noise[i].is.classes && s->classes && e->noise[i].size[0] != s->classes)
            warn(r->d, WARNING_classes_differ, e->noise[i].where,
                 "noise '%s' draws %d classes, but '%s' has %d\nexpected noise.%s.%s=%d",
                 e->noise[i].name, (int)e->noise[i].size[0], e->data[0].name, s->classes,
                 e->noise[i].name, e->noise[i].kind->word.name, s->classes);
}

bool check_experiment(struct section_reader *r)
{
    const struct experiment *e = r->e;
    bool good = check_used(r);
    check_classes(r);
    for (int i = 0; i < e->n_game; i++)
        good &= check_game(r, &e->game[i]);
    for (int i = 0; i < e->n_term; i++)
        good &= check_term(r, &e->term[i]);
    return check_unread_updates(r) && good;
}
