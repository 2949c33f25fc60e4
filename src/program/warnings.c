#include "program/warnings.h"

#include "base/arena.h"

#include <string.h>

struct application *look_at_network(struct warning_look *w, struct network *net, bool training)
{
    struct graph *g = graph_new(w->scratch);
    struct versions v = {.graph = g};
    struct value **argument = NEW_ARRAY(w->scratch, struct value *, net->n_input + 1);
    for (int i = 0; i < net->n_input; i++) {
        struct shape s = net->input[i].is.shape;
        memmove(s.dim + 1, s.dim, sizeof s.dim - sizeof *s.dim);
        s.dim[0] = 2; // one alone cannot be normalised
        s.rank++;
        argument[i] = input(g, net->input[i].name, s);
    }
    return network_apply(net, &v, argument, training, diag_new(w->scratch));
}

void warnings_look(struct experiment *e, struct diag *d)
{
    struct warning_look w = {e, arena_new(e->arena), d, NULL};
    w.data = arena_alloc(w.scratch, sizeof *w.data * (size_t)(e->n_data + 1));
    warn_of_games(&w);
    warn_of_networks(&w);
    warn_of_training(&w);
    arena_free(w.scratch);
}
