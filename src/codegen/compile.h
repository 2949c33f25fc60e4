// The whole compiler: the passes of opt/, which know no machine, and those that choose layouts,
// memory and kernels for this one.
#ifndef CODEGEN_COMPILE_H
#define CODEGEN_COMPILE_H

#include "opt/pass.h"

// Where graph->precision says so: products take bf16, and values are kept as such between them.
bool pass_bf16(struct graph *g);
enum type bf16_takes(const struct value *product); // what that will make it take
// Which products oneDNN computes although we could.
bool pass_select_kernel(struct graph *g);

// The last three, in this order; each runs once.
// Chooses where values lie channels-last or in oneDNN's own layouts, and appends the reorders
// between. Roots stay plain.
bool pass_assign_layouts(struct graph *g);
// Reorders of slots become reads of second copies, which are written with the slot.
bool pass_packed_copy(struct graph *g);
// Chooses which values share memory, and offsets in the activation slab; below graph->kept lies what
// the host reads or writes between executions.
bool pass_assign_memory(struct graph *g);
// What pass_assign_memory does, for tests and printing: the slab's size in bytes.
size_t memory_plan(struct graph *g);

// All passes in order, those of opt/ first. Names are what `ganexp explain --at NAME` takes; NULL
// beyond the last.
const struct pass *compile_pass(int i);

// From here on passes may ask about this machine.
void compile_for_this_machine(struct graph *g);
// Runs them, verifying after each, up to and including the pass `last` (NULL: all). False when there
// is no pass of that name.
bool passes_run(struct graph *g, const char *last);
// The same from the pass `first` on.
bool passes_run_between(struct graph *g, const char *first, const char *last);

#endif
