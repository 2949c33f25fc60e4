// Memory that is lent: every plan that asks gets the same, to use until the next one does. What must
// outlive that lies elsewhere. It has parts, for what cannot say at once how much it wants.
#ifndef BASE_WORKSPACE_H
#define BASE_WORKSPACE_H

#include <stddef.h>

struct arena;
struct workspace;

enum { WORKSPACE_PARTS = 2 };

// One that lives as long as the arena.
struct workspace *workspace_new(struct arena *a);
// At least `bytes` of that part, aligned to 64, at an address that stays; what is in it is
// anybody's. Costs no memory before it is written to.
void *workspace_lend(struct workspace *w, int part, size_t bytes);
// What it has taken from the system, in bytes.
size_t workspace_bytes(const struct workspace *w);
// Between uses nothing may read it: a build with AddressSanitizer sees to it, others do nothing.
void workspace_open(const struct workspace *w);
void workspace_close(const struct workspace *w);

#endif
