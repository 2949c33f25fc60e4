// A plan: the steps that compute a graph on this machine, with every primitive built and every
// address fixed.
#ifndef CODEGEN_PLAN_H
#define CODEGEN_PLAN_H

#include "ir/value.h"

struct plan;
struct workspace;

// The graph has been through all passes (layouts chosen, offsets planned). `slots` is the slab that
// slots live in, shared by all plans of an experiment. Primitives are cached by what they compute,
// so an unrolled loop builds each once.
struct plan *plan_new(struct arena *a, struct graph *g, float *slots, uint64_t seed);
// The same in memory that is lent to one plan at a time: none of them runs while another does. Inputs,
// and what plan_output gives, are the plan's own.
struct plan *plan_new_in(struct arena *a, struct graph *g, float *slots, struct workspace *w,
                         uint64_t seed);
// What the values of a graph that has been through all passes take, without scratch.
size_t plan_values_bytes(const struct graph *g);
// Computes everything once. step keys the random draws. Allocates nothing.
void plan_run(struct plan *p, uint64_t step);
// The same, looking at every value as it is made: returns the first that holds a NaN or Inf, NULL
// when all are finite.
const struct value *plan_run_watched(struct plan *p, uint64_t step);
// Where the host writes an input before plan_run; plain layout. NULL when the program does not read
// it.
float *plan_input(struct plan *p, const char *name);
// Where a named root is after plan_run, in plain layout; NULL when there is none.
const float *plan_output(const struct plan *p, const char *name);
// What it works in, scratch included; of that what is its own and not lent.
size_t plan_activation_bytes(const struct plan *p);
size_t plan_kept_bytes(const struct plan *p);
// One line a step: "conv forward brgconv:avx512_core (32, 16, 14, 14) # file:line".
void plan_print(const struct plan *p, struct text *out);

// The steps one by one: the value each computes, its name, and (plan_profile: a plan_run that takes
// the time) its seconds.
int plan_steps(const struct plan *p);
const struct value *plan_step_value(const struct plan *p, int i);
const char *plan_step_name(const struct plan *p, int i);
void plan_profile(struct plan *p, uint64_t step, double *seconds);

// What the machine offers, for `env` in results.db.
const char *plan_library_version(void); // "oneDNN 2.6.3"
const char *plan_isa(void);             // "avx512_core_bf16", as oneDNN names it
// Whether products of `type` have instructions here; emulated ones do not count.
bool plan_multiplies(enum type type);

#endif
