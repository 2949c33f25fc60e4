// Pictures are kept as bytes and wanted as floats.
#ifndef DATA_PIXELS_H
#define DATA_PIXELS_H

#include <stdbool.h>
#include <stdint.h>

struct diag;
struct node;

// `range: [0, 4095]`: the two numbers of the data that become −1 and 1; untouched where the node is
// NULL. False, reported.
bool pixels_range(const struct node *node, double range[2], struct diag *d);
// x = byte / 127.5 − 1, n of them.
void pixels_float(const uint8_t *byte, int64_t n, float *x);

#endif
