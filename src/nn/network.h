// A network: named inputs, a list of layers, heads. Read once from YAML; applied to values as often
// as expressions ask, in whichever graph.
#ifndef NN_NETWORK_H
#define NN_NETWORK_H

#include "nn/layer.h"

struct network;

// What an input or an expression's value is, beside its shape without batch.
struct signature {
    struct shape shape; // without batch: (1, 28, 28), (100), () for a label
    int64_t classes;    // > 0: a label, whole numbers in [0, classes)
};

struct network_input {
    const char *name;
    struct signature is;
    struct place where;
};

struct network {
    const char *name;
    int number; // position among the networks read with it
    struct place where;
    struct network_input *input;
    int n_input;
    const char **output; // names of the heads; a network without `outputs:` has one, ""
    int n_output;
    bool frozen;
    bool spectral; // some of its weights are divided by their largest singular value
    // safetensors file with its weights, as written; NULL: none. Read by what fills the slots
    const char *load;
    struct place load_where;
    struct slot **param; // trainable slots, in order; known after networks_read
    int *param_head;     // which head each belongs to; -1: the trunk
    int n_param;
    struct slot **buffer;
    int n_buffer;
    void *own; // network.c's
};

// The values that slots have at this point of a graph: what param() gave, or what the last effect
// returned.
struct versions {
    struct graph *graph;
    struct value **current; // by slot->index; NULL: not read yet
    int n;
};
struct value *versions_read(struct versions *v, struct slot *slot);
void versions_write(struct versions *v, struct slot *slot, struct value *next);

struct layer_row {     // a line of the table that `ganexp check` prints
    const char *layer; // "3 conv2d"
    const char *word;  // "conv2d"
    unsigned flags;    // the layer's
    struct place where;
    struct shape output; // without batch
    int64_t params;
    double multiply_adds;    // a sample
    double activation_bytes; // a sample
};

// One application of a network to arguments.
struct application {
    struct network *network;
    struct value **output; // by head
    struct tracked {       // see ctx_track
        struct slot *buffer;
        struct value *x;
        double t;
        const struct value *of; // the result of the layer whose state it is
    } * tracked;
    int n_tracked;
    struct layer_row *row;
    int n_row;
    void *own; // network.c's
};

// Reads `networks:` (templates, like, load, frozen, repeat included) and applies each once to
// inputs of a scratch graph, so that all shape errors are found and all slots exist, in the order
// of the file. An input may be given as the name of one of `noise`, which ends with a NULL name;
// NULL: there is none. NULL after errors.
struct network **networks_read(struct arena *a, const struct node *networks,
                               const struct node *templates, const struct network_input *noise,
                               struct slots *slots, int *n, struct diag *d);

// Argument shapes have been checked against network->input by the caller. NULL after a shape error,
// reported.
struct application *network_apply(struct network *net, struct versions *v,
                                  struct value *const *argument, bool training, struct diag *d);

// Letters, digits and _, beginning with no digit: what can be written in an expression.
bool is_name(const char *s);
// Does `signature` fit the input; the batch dimension is not looked at.
bool signature_fits(struct signature is, struct signature wanted);

#endif
