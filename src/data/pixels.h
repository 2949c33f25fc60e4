// Pictures are kept as bytes and wanted as floats.
#ifndef DATA_PIXELS_H
#define DATA_PIXELS_H

#include <stdint.h>

// x = byte / 127.5 − 1, n of them.
void pixels_float(const uint8_t *byte, int64_t n, float *x);

#endif
