// Every name, field, argument and arity of every expression, before anything is built; and on the
// way, what is used. Shapes are left to the build, which knows them.
#include "base/arena.h"
#include "lang/sections.h"
#include "lang/function.h"

#include <string.h>

// Levels of expressions, followed through the values they name; what walks them recurses.
enum { VALUES_DEEP = 2500 };

// `whole`: the expression stands where a tensor is wanted, so a network with several outputs must
// have one named.
static bool check_part(struct section_reader *r, const struct expression *is, bool whole);

// "z, y"
static const char *input_list(struct section_reader *r, const struct network *net)
{
    const char *list = net->n_input ? net->input[0].name : "";
    for (int i = 1; i < net->n_input; i++)
        list = arena_printf(r->arena, "%s, %s", list, net->input[i].name);
    return list;
}

// "evaluator(…).valid, evaluator(…).class"; of a network with one output the call alone
static const char *output_list(struct section_reader *r, const struct network *net,
                               const char *call)
{
    const char *list = net->n_output > 1 ? "" : call;
    for (int i = 0; i < net->n_output && net->n_output > 1; i++)
        list = arena_printf(r->arena, "%s%s%s.%s", list, i ? ", " : "", call, net->output[i]);
    return list;
}

static bool fail_several(struct section_reader *r, const struct expression *is,
                         const struct network *net, const char *call)
{
    return fail(r->d, is->where, "network '%s' has several outputs\nname one: %s", net->name,
                output_list(r, net, call));
}

static bool fail_network(struct section_reader *r, const struct expression *is,
                         const struct network *net)
{
    const char *call = arena_printf(r->arena, "%s(%s)", net->name, input_list(r, net));
    return fail(r->d, is->where, "'%s' is a network, not a value\napply it: %s", net->name,
                output_list(r, net, call));
}

// "real.image, real.label, real.index"
static const char *field_list(struct section_reader *r, const struct data_source *s)
{
    const char *list = "";
    for (int i = 0; i < dataset_fields(s->dataset); i++)
        if (i != FIELD_LABEL || s->dataset->classes)
            list = arena_printf(r->arena, "%s%s%s.%s", list, *list ? ", " : "", s->name,
                                dataset_field(s->dataset, i).name);
    return list;
}

static bool fail_no_name(struct section_reader *r, const struct expression *is)
{
    const struct experiment *e = r->e;
    const size_t n = diag_full(r->d) ? 0 : r->names.n;
    const char **known = NEW_ARRAY(r->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        known[i] = r->names.item[i].key;
    if (experiment_network(e, is->name))
        return fail_network(r, is, experiment_network(e, is->name));
    if (experiment_source(e, is->name))
        return fail(r->d, is->where,
                    "'%s' is a source of data, not a value\nexpected one of its fields: %s",
                    is->name, field_list(r, experiment_source(e, is->name)));
    if (function_find(is->name))
        return fail(r->d, is->where, "'%s' is a function\nexpected %s", is->name,
                    function_find(is->name)->word.usage);
    return fail_unknown(r->d, is->where, "name", is->name, known, n);
}

static int larger(int a, int b) { return a > b ? a : b; }

// How many expressions are open at once where this one is followed to noise and data.
static int expression_height(const struct experiment *e, const struct expression *is)
{
    int most = 0;
    for (int i = 0; i < is->n_arg; i++)
        most = larger(most, expression_height(e, is->arg[i]));
    const struct named_value *v = is->kind == EXPR_NAME ? experiment_value(e, is->name) : NULL;
    return 1 + (v ? v->height : most);
}

static bool fail_deep(struct section_reader *r, struct place where)
{
    return fail(r->d, where,
                "values within values, more than %d deep\nexpected fewer names that lead to names",
                VALUES_DEEP);
}

// For the first time: what it names, and what is known of it from now on.
static bool learn_value(struct section_reader *r, struct named_value *v)
{
    int *state = &r->value_state[v - r->e->value];
    *state = 1;
    bool good = check_part(r, v->is, false);
    *state = 2;
    v->behind = good ? expression_behind(r->e, v->is) : v->is;
    v->height = expression_height(r->e, v->is);
    if (good && v->height > VALUES_DEEP)
        good = fail_deep(r, v->where);
    return good;
}

static bool check_named_value(struct section_reader *r, const struct expression *is, bool whole)
{
    struct experiment *e = r->e;
    struct named_value *v = experiment_value(e, is->name);
    const int i = (int)(v - e->value);
    ASSERT(v && i >= 0 && i < e->n_value);
    r->value_used[i] = true;
    if (r->value_state[i] == 1)
        return fail(r->d, is->where,
                    "'%s' is made of itself\nexpected values that lead back to noise and data",
                    is->name);
    if (r->value_state[i] == 0 && !learn_value(r, v))
        return false;
    const struct expression *call = v->behind->kind == EXPR_CALL ? v->behind : NULL;
    const struct network *net = call ? experiment_network(e, call->name) : NULL;
    return !whole || !net || net->n_output == 1 || fail_several(r, is, net, is->name);
}

static bool check_name(struct section_reader *r, const struct expression *is, bool whole)
{
    const struct noise *noise = experiment_noise(r->e, is->name);
    if (noise) {
        r->noise_used[noise - r->e->noise] = true;
        return true;
    }
    return experiment_value(r->e, is->name) ? check_named_value(r, is, whole) : fail_no_name(r, is);
}

static bool check_function_word(struct section_reader *r, const struct function *f,
                                const struct expression *arg, int which)
{
    int n = 0;
    while (f->words[n])
        n++;
    return which >= 0 ||
           fail_unknown(r->d, arg->where, arena_printf(r->arena, "method of '%s'", f->word.name),
                        arg->name, f->words, (size_t)n);
}

// f: the function that is called, or NULL.
static bool check_arguments(struct section_reader *r, const struct expression *is,
                            const struct function *f)
{
    bool good = true;
    for (int i = 0, which; i < is->n_arg; i++)
        good &= function_takes_word(f, is, i, &which) ? check_function_word(r, f, is->arg[i], which)
                                                      : check_part(r, is->arg[i], true);
    return good;
}

static bool check_binding(struct section_reader *r, const struct expression *is,
                          const struct network *net)
{
    bool *given = NEW_ARRAY(r->arena, bool, net->n_input + 1);
    if (is->n_arg != net->n_input)
        return fail(r->d, is->where,
                    "network '%s' has %d input%s, but %d argument%s\nexpected %s(%s)", net->name,
                    net->n_input, net->n_input == 1 ? "" : "s", is->n_arg,
                    is->n_arg == 1 ? "" : "s", net->name, input_list(r, net));
    for (int i = 0; i < is->n_arg; i++) {
        int k = is->arg_name[i] ? -1 : i;
        for (int j = 0; j < net->n_input && is->arg_name[i]; j++)
            if (!strcmp(net->input[j].name, is->arg_name[i]))
                k = j;
        if (k < 0)
            return fail(r->d, is->arg[i]->where, "network '%s' has no input '%s'\nexpected %s(%s)",
                        net->name, is->arg_name[i], net->name, input_list(r, net));
        if (given[k])
            return fail(r->d, is->arg[i]->where, "input '%s' of network '%s' is given twice",
                        net->input[k].name, net->name);
        given[k] = true;
    }
    return true;
}

static bool fail_no_callee(struct section_reader *r, const struct expression *is)
{
    int n;
    const struct experiment *e = r->e;
    if (diag_full(r->d))
        return fail_unknown(r->d, is->where, "network or function", is->name, NULL, 0);
    const char **word = word_names(r->arena, &functions, &n),
               **known = NEW_ARRAY(r->arena, const char *, n + e->n_network + 1);
    memcpy(known, word, sizeof *known * (size_t)n);
    for (int i = 0; i < e->n_network; i++)
        known[n++] = e->network[i]->name;
    return fail_unknown(r->d, is->where, "network or function", is->name, known, (size_t)n);
}

static bool check_call(struct section_reader *r, const struct expression *is, bool whole)
{
    struct experiment *e = r->e;
    const struct network *net = experiment_network(e, is->name);
    const struct function *f = function_find(is->name);
    const bool good = check_arguments(r, is, f);
    if (net)
        r->network_used[net->number] = true;
    if (net && !check_binding(r, is, net))
        return false;
    if (net)
        return !whole || net->n_output == 1
                   ? good
                   : fail_several(r, is, net, arena_printf(r->arena, "%s(…)", net->name));
    if (!f)
        return fail_no_callee(r, is);
    const char *usage = f->word.usage;
    for (int i = 0; i < is->n_arg; i++)
        if (is->arg_name[i])
            return fail(r->d, is->arg[i]->where, "'%s' takes its arguments by order\nexpected %s",
                        is->name, usage);
    return is->n_arg >= f->least && is->n_arg <= f->most
               ? good
               : fail(r->d, is->where, "'%s' does not take %d argument%s\nexpected %s", is->name,
                      is->n_arg, is->n_arg == 1 ? "" : "s", usage);
}

static bool check_data_field(struct section_reader *r, const struct expression *is,
                             const struct data_source *s)
{
    const int field = data_source_field(s, is->name);
    const char *known[FIELDS_MAX];
    for (int i = 0; i < dataset_fields(s->dataset); i++)
        known[i] = dataset_field(s->dataset, i).name;
    if (field < 0)
        return fail_unknown(r->d, is->where, "field of a source", is->name, known,
                            (size_t)dataset_fields(s->dataset));
    return field != FIELD_LABEL || s->dataset->classes ||
           fail(r->d, is->where, "data set '%s' has no labels\nexpected %s.%s",
                s->dataset->kind->word.name, s->name, known[0]);
}

static bool check_field(struct section_reader *r, const struct expression *is)
{
    const struct expression *of = is->arg[0];
    const struct data_source *s = of->kind == EXPR_NAME ? experiment_source(r->e, of->name) : NULL;
    if (s)
        return check_data_field(r, is, s);
    if (!check_part(r, of, false))
        return false;
    const struct expression *call = expression_behind(r->e, of);
    const struct network *net = call->kind == EXPR_CALL ? experiment_network(r->e, call->name)
                                                        : NULL;
    if (!net || !*net->output[0])
        return fail(r->d, is->where,
                    "this has no outputs to choose from\n"
                    "expected a network with `outputs:`, or a field of a source of data");
    return network_head(net, is->name) >= 0 ||
           fail_unknown(r->d, is->where, "output", is->name, net->output, (size_t)net->n_output);
}

static bool check_kind(struct section_reader *r, const struct expression *is, bool whole)
{
    switch (is->kind) {
    case EXPR_NUMBER: return true;
    case EXPR_NAME: return check_name(r, is, whole);
    case EXPR_CALL: return check_call(r, is, whole);
    case EXPR_FIELD: return check_field(r, is);
    case EXPR_BINARY: return check_arguments(r, is, NULL);
    }
    return false;
}

static bool check_part(struct section_reader *r, const struct expression *is, bool whole)
{
    if (r->deep == VALUES_DEEP)
        return fail_deep(r, is->where);
    r->deep++;
    const bool good = check_kind(r, is, whole);
    r->deep--;
    return good;
}

static bool check_all(struct section_reader *r, struct expression *const *is, int n)
{
    bool good = true;
    for (int i = 0; i < n; i++)
        if (is && is[i])
            good &= check_part(r, is[i], true);
    return good;
}

static void use_critic(struct section_reader *r, const struct game *game)
{
    r->network_used[game->critic.network->number] = true;
}

static void prepare(struct section_reader *r)
{
    r->network_used = NEW_ARRAY(r->arena, bool, r->e->n_network + 1);
    r->noise_used = NEW_ARRAY(r->arena, bool, r->e->n_noise + 1);
    r->value_used = NEW_ARRAY(r->arena, bool, r->e->n_value + 1);
    r->value_state = NEW_ARRAY(r->arena, int, r->e->n_value + 1);
}

bool check_expressions(struct section_reader *r)
{
    struct experiment *e = r->e;
    bool good = true;
    prepare(r);
    for (int i = 0; i < e->n_game; i++) {
        const struct game *game = &e->game[i];
        use_critic(r, game);
        good &= check_all(r, game->real, game->n) & check_all(r, game->fake, game->n) &
                check_all(r, game->mismatched, game->n);
    }
    for (int i = 0; i < e->n_term; i++)
        good &= check_all(r, e->term[i].argument, TERM_ARGUMENTS);
    good &= check_all(r, (struct expression *const *)e->samples.of, e->samples.n_of);
    good &= check_all(r, (struct expression *const *)e->samples.scatter, e->samples.n_scatter);
    good &= check_all(r, (struct expression *const *)&e->evaluate.of, 1);
    for (int i = 0; i < e->evaluate.n_score; i++)
        good &= check_all(r, (struct expression *const *)&e->evaluate.score[i].of, 1);
    // Values nothing uses are checked last, so that what they name does not count as used.
    struct section_reader unused = *r;
    prepare(&unused);
    unused.value_state = r->value_state;
    for (int i = 0; i < e->n_value; i++)
        if (!r->value_state[i])
            good &= check_part(&unused,
                               &(struct expression){.kind = EXPR_NAME,
                                                    .name = e->value[i].name,
                                                    .where = e->value[i].where},
                               false);
    return good;
}

bool check_expression(struct experiment *e, const struct expression *is, struct diag *d)
{
    struct section_reader r = {.e = e, .arena = e->arena, .d = d};
    hash_map_init(&r.names, e->arena);
    for (int i = 0; i < e->n_data; i++)
        hash_map_set(&r.names, e->data[i].name, (void *)(uintptr_t) "source of data");
    for (int i = 0; i < e->n_noise; i++)
        hash_map_set(&r.names, e->noise[i].name, (void *)(uintptr_t) "noise");
    for (int i = 0; i < e->n_value; i++)
        hash_map_set(&r.names, e->value[i].name, (void *)(uintptr_t) "value");
    prepare(&r);
    return check_part(&r, is, true);
}
