// Limits of numbers and the readers that check them, shared by param.c and scalar.c.
#ifndef CONFIG_RANGE_H
#define CONFIG_RANGE_H

#include "config/param.h"

// Both inclusive; 0, 0 is none, of what is no number.
struct range {
    double min, max;
};

bool range_has(struct range r, double x);
// " from 1 to 4096", " of at least 1", "".
void range_write(struct range r, struct text *out);

// Each reports what it cannot read, at the node, as "WHAT is 'x'" with the range expected.
bool read_int(const struct node *node, const char *what, struct range r, int64_t *out,
              struct diag *d);
bool read_float(const struct node *node, const char *what, struct range r, double *out,
                struct diag *d);
bool read_duration(const struct node *node, const char *what, struct range r, double *out,
                   struct diag *d);

// The scalar's text; "a list", "a map" or "nothing".
const char *node_text(const struct node *node);

#endif
