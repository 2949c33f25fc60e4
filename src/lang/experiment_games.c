// What is trained on what: values, games and terms.
#include "base/arena.h"
#include "lang/sections.h"
#include "losses/augmentation.h"

#include <string.h>

bool read_values(struct section_reader *r, const struct node *values)
{
    struct experiment *e = r->e;
    if (!read_map(r, values, "`values:`"))
        return false;
    const int n = values ? values->n : 0;
    bool good = true;
    e->value = NEW_ARRAY(r->arena, struct named_value, n + 1);
    for (int i = 0; i < n; i++) {
        const struct entry *entry = &values->entry[i];
        struct expression *is = expression_parse(r->arena, entry->value, r->d);
        if (claim(r, entry, "value") && is)
            e->value[e->n_value++] = (struct named_value){entry->key, entry->where, is};
        else
            good = false;
    }
    return good;
}

// --- games ---------------------------------------------------------------------------------------

struct game_options {
    const struct node *critic, *real, *fake, *loss, *penalty, *augment, *mismatched;
    double clip, smooth, weight;
    int64_t pool;
};

#define AT(field) offsetof(struct game_options, field)
const struct param game_params[] = {
    {"critic", PARAM_NODE, AT(critic), .takes = "network, or a head of one",
     .help = "the network, or its head, that tells real from fake"},
    {"real", PARAM_NODE, AT(real), .takes = "expression, or list",
     .help = "its arguments for real data"},
    {"fake", PARAM_NODE, AT(fake), .takes = "expression, or list",
     .help = "its arguments for fakes"},
    {"loss", PARAM_NODE, AT(loss), .takes = "loss", .help = "log, wasserstein, hinge, …"},
    {"penalty", PARAM_NODE, AT(penalty), "", .takes = "penalty, or list",
     .help = "gradient, dragan, r1, wgan_div; or a list"},
    {"augment", PARAM_NODE, AT(augment), "", .takes = "augmentation, or list",
     .help = "colour, translation, cutout: of every image that the critic is shown"},
    {"clip", PARAM_FLOAT, AT(clip), "", 0, 1e9,
     .help = "the critic's weights are clipped to ± this after its steps"},
    {"pool", PARAM_INT, AT(pool), "", 0, 65536,
     .help = "the critic sees fakes from a history of this many"},
    {"smooth", PARAM_FLOAT, AT(smooth), "", 0, 1, .help = "lowers the target of real data by this"},
    {"mismatched", PARAM_NODE, AT(mismatched), "", .takes = "expression, or list",
     .help = "arguments that belong to fake although each is real"},
    {"weight", PARAM_FLOAT, AT(weight), "1", 0, 1e9,
     .help = "of the generator's side against the other losses of its update"},
    PARAM_END};

static bool read_loss(struct section_reader *r, const struct node *node, struct game *game)
{
    struct word_call call;
    const struct word *word = word_choose(&losses, node, NULL, &call, r->d);
    game->loss = (const struct loss *)word;
    return word && (game->loss_params = word_params(&losses, word, &call, r->arena, r->d)) != NULL;
}

static bool read_penalty(struct section_reader *r, const struct node *node, struct game *game)
{
    struct word_call call;
    const struct word *word = word_choose(&penalties, node, NULL, &call, r->d);
    if (!word)
        return false;
    const struct game_penalty p = {(const struct penalty *)word,
                                   word_params(&penalties, word, &call, r->arena, r->d),
                                   call.where};
    APPEND(r->arena, game->penalty, game->n_penalty, p);
    return p.params != NULL;
}

static bool read_augmentation(struct section_reader *r, const struct node *node, struct game *game)
{
    struct word_call call;
    const struct word *word = word_choose(&augmentations, node, NULL, &call, r->d);
    if (!word)
        return false;
    const struct game_augmentation a = {(const struct augmentation *)word,
                                        word_params(&augmentations, word, &call, r->arena, r->d)};
    APPEND(r->arena, game->augmentation, game->n_augmentation, a);
    return a.params != NULL;
}

// One word, a list of them, or nothing.
static bool read_words(struct section_reader *r, const struct node *node, struct game *game,
                       bool (*read)(struct section_reader *, const struct node *, struct game *))
{
    bool good = true;
    if (node && node->kind != NODE_LIST)
        return read(r, node, game);
    for (int i = 0; node && i < node->n; i++)
        good &= read(r, node->entry[i].value, game);
    return good;
}

static bool read_critic(struct section_reader *r, const struct node *node, struct game *game)
{
    int n;
    const struct target *critic = read_targets(r, node, &n);
    if (!critic)
        return false;
    if (n != 1)
        return fail(r->d, node->where, "a game has one critic\nwrite a game for each");
    game->critic = critic[0];
    const struct network *net = critic->network;
    game->name = critic->head < 0
                     ? net->name
                     : arena_printf(r->arena, "%s.%s", net->name, net->output[critic->head]);
    if (critic->head >= 0)
        return true;
    game->critic.head = 0;
    if (net->n_output > 1)
        return fail(r->d, node->where,
                    "network '%s' has %d outputs\nexpected the one that judges: %s.%s", net->name,
                    net->n_output, net->name, net->output[0]);
    return true;
}

// One side's arguments, as many as the critic has inputs.
static struct expression **read_side(struct section_reader *r, const struct node *node,
                                     const char *side, struct game *game)
{
    int n;
    struct expression **is = read_expressions(r, node, &n);
    const struct network *net = game->critic.network;
    if (!is || !net)
        return NULL;
    ASSERT(game->critic.head >= 0 && game->critic.head < net->n_output);
    game->n = net->n_input;
    if (n == net->n_input)
        return is;
    fail(
        r->d, node->where,
        "`%s:` has %d argument%s, but critic '%s' has %d input%s\nexpected a list of what it takes",
        side, n, n == 1 ? "" : "s", net->name, net->n_input, net->n_input == 1 ? "" : "s");
    return NULL;
}

static bool check_options(struct section_reader *r, const struct game *game,
                          const struct node *node)
{
    const struct entry *smooth = node_entry(node, "smooth");
    if (game->smooth != 0 && !(game->loss->flags & LOSS_SMOOTH))
        return fail(
            r->d, smooth->where,
            "loss '%s' has no target to smooth\nexpected `smooth:` with log or least_squares",
            game->loss->word.name);
    if (game->smooth > 0.5)
        warn(r->d, WARNING_smooth_above_half, smooth->where,
             "`smooth: %g` lowers the target of real data to %g: real data are called fake\n"
             "expected at most 0.5; 0.1 is usual: games.%d.smooth=0.1",
             game->smooth, 1 - game->smooth, (int)(game - r->e->game));
    return true;
}

static bool check_augmented(struct section_reader *r, const struct game *game,
                            const struct node *augment)
{
    const struct network *net = game->critic.network;
    for (int i = 0; i < net->n_input; i++)
        if (net->input[i].is.shape.rank == 3)
            return true;
    return fail(r->d, augment->where,
                "critic '%s' is shown no image to augment\n"
                "expected an input (C, H, W)",
                net->name);
}

static bool read_game(struct section_reader *r, const struct node *node, struct game *game)
{
    struct game_options o = {0};
    *game = (struct game){.where = node->where};
    if (node->kind != NODE_MAP)
        return fail(r->d, node->where,
                    "a game is a map\nexpected {critic: …, real: …, fake: …, loss: …}");
    if (!param_read(game_params, node, node->where, "the game", &o, r->arena, r->d))
        return false;
    game->clip = o.clip;
    game->pool = o.pool;
    game->smooth = o.smooth;
    game->weight = o.weight;
    bool good = read_critic(r, o.critic, game);
    game->real = read_side(r, o.real, "real", game);
    game->fake = read_side(r, o.fake, "fake", game);
    game->mismatched = o.mismatched ? read_side(r, o.mismatched, "mismatched", game) : NULL;
    good &= game->real && game->fake && (game->mismatched || !o.mismatched);
    good &= read_words(r, o.penalty, game, read_penalty) &
            read_words(r, o.augment, game, read_augmentation);
    good &= !o.augment || !game->critic.network || check_augmented(r, game, o.augment);
    return read_loss(r, o.loss, game) && check_options(r, game, node) && good;
}

bool read_games(struct section_reader *r, const struct node *games)
{
    struct experiment *e = r->e;
    if (!read_list(r, games, "`games:`"))
        return false;
    const int n = games ? games->n : 0;
    bool good = true;
    if (!few(r, games ? games->where : r->e->config->root->where, n, "games"))
        return false;
    e->game = NEW_ARRAY(r->arena, struct game, n + 1);
    for (int i = 0; i < n; i++)
        good &= read_game(r, games->entry[i].value, &e->game[i]);
    e->n_game = n;
    return good;
}

// --- terms ---------------------------------------------------------------------------------------

// Beside a term's word.
struct term_options {
    double weight;
    const struct node *to;
};
const struct param term_params[] = {
    {"weight", PARAM_FLOAT, offsetof(struct term_options, weight), "1", -1e9, 1e9,
     .help = "what the term is multiplied by"},
    {"for", PARAM_NODE, offsetof(struct term_options, to), "", .takes = "network, head, or list",
     .help = "the networks, or heads, whose updates take the term; those that it depends on and "
             "that are no critics, unless said"},
    PARAM_END};

static bool read_arguments(struct section_reader *r, const struct word_call *call,
                           struct game_term *term)
{
    bool good = true;
    term->params = word_params(&terms, &term->is->word, call, r->arena, r->d);
    const struct term_arguments *given = term->params;
    for (int i = 0; given && i < term_argument_count(term->is); i++)
        if (given->is[i])
            good &= (term->argument[i] = expression_parse(r->arena, given->is[i], r->d)) != NULL;
    return given && good;
}

static const char *number_word(struct section_reader *r, const char *word)
{
    int n = 1;
    for (int i = 0; i < r->e->n_term; i++)
        n += r->e->term[i].is && !strcmp(r->e->term[i].is->word.name, word);
    return n == 1 ? word : arena_printf(r->arena, "%s.%d", word, n);
}

static bool read_term(struct section_reader *r, const struct node *node, struct game_term *term)
{
    struct word_call w;
    *term = (struct game_term){.where = node->where, .weight = 1};
    if (!(term->is = (const struct term *)word_choose(&terms, node, term_params, &w, r->d)))
        return false;
    term->name = number_word(r, w.name);
    term->where = w.where;
    bool good = read_arguments(r, &w, term);
    const struct node *weight = node_get(node, "weight"), *to = node_get(node, "for");
    if (weight)
        good &= scalar_float(weight, "'weight' of the term", -1e9, 1e9, &term->weight, r->d);
    if (to)
        good &= (term->to = read_targets(r, to, &term->n_to)) != NULL;
    return good;
}

bool read_terms(struct section_reader *r, const struct node *terms_node)
{
    struct experiment *e = r->e;
    if (!read_list(r, terms_node, "`terms:`"))
        return false;
    const int n = terms_node ? terms_node->n : 0;
    bool good = true;
    if (!few(r, terms_node ? terms_node->where : r->e->config->root->where, n, "terms"))
        return false;
    e->term = NEW_ARRAY(r->arena, struct game_term, n + 1);
    for (int i = 0; i < n; i++) {
        good &= read_term(r, terms_node->entry[i].value, &e->term[i]);
        e->n_term = i + 1;
    }
    return good;
}
