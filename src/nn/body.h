// What a network is made of, between lang/network_read.c, which makes it, nn/network.c, which
// applies it, and nn/layer_ctx.c, which answers to its layers. For these alone.
#ifndef NN_BODY_H
#define NN_BODY_H

#include "nn/init.h"
#include "nn/network.h"

// Where a value comes from: stage i of the body, or input i as ~i.
enum { SOURCE_NONE = -1000000 }; // after a mistake

// A layer with its parameters, in its place.
struct stage {
    const struct layer *layer;
    const void *params;
    struct place where; // of the layer's word
    const char *number; // "3"; in a head "class.0"
    const char *label;  // "discriminator.class.0 dense"
    int head;           // -1: the trunk
    int from;           // the source it reads
    int *other;         // joins: the sources beside it
    int n_other;
    bool read;                    // something reads it
    const struct init_rule *init; // NULL: the network's
    struct stage_slot {
        const char *name;
        struct slot *slot;
    } * slot; // in order of making
    int n_slot;
};

struct body { // network->own
    struct arena *arena;
    struct slots *slots;
    const struct init_rule *init;
    struct stage **stage; // in an order in which they can be computed
    int n_stage;
    bool *input_read;
    int *result; // by head: its source
};

struct walk { // application->own: how far network_apply is
    struct body *body;
    struct stage *stage;
    struct versions *versions;
    struct value *const *argument;
    struct value **result; // by stage
};

// "'flatten' above (line 12) gives (6272)"
const char *describe_source(struct arena *a, const struct network *net, const struct walk *walk,
                            int source);
struct value *walk_value(const struct walk *walk, int source);

enum { COPIED_MAX = 1000 * 1000 };

// Reading. A name is in scope from its `as:` on, to the end of the list it stands in and in lists
// within.
struct scope {
    const struct scope *outer;
    struct scoped {
        const char *name;
        int source;
        struct place where;
    } * name;
    int n;
};

struct network_reader {
    struct arena *arena;
    struct diag *diag;
    const struct node *templates, *networks;
    const struct network_input *noise; // what an input may be like, by name; or NULL
    struct network *net;
    struct body *body;
    int head, next; // which list is being read, and the number of its next layer
    int depth;      // of blocks in blocks
    int blocks;     // read so far, in all networks
    bool full;      // a network has as many layers as it may have
    int copied;     // nodes that templates were copied into, in all networks
};

bool scope_add(struct network_reader *r, struct scope *s, const char *name, int source,
               struct place where);
int scope_find(struct network_reader *r, const struct scope *s,
               const struct node *name);        // SOURCE_NONE and reported when absent
void scope_mark(struct body *body, int source); // something reads it
// Reads a list of layers that begins at source `above`; returns the source of its end.
int read_layers(struct network_reader *r, const struct node *list, struct scope *scope, int above);

// The body of the template that `use:` of `call` names, its `$name`s replaced by the other entries
// of call. Entries of call under a key of the table `beside` are not the template's. NULL after a mistake,
// reported.
const struct node *template_expand(struct network_reader *r, const struct node *call,
                                   const struct param *beside);
// The node of a network with `use:` and `like:` worked in.
const struct node *network_expand(struct network_reader *r, const struct node *node, int depth);

#endif
