// Numbers as people write them: 64, 1_000, 1e-4, 64k, 2M, 5%, 1h30m. Never NaN, never infinite.
#ifndef CONFIG_NUMBER_H
#define CONFIG_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

enum number_fault {
    NUMBER_GOOD,
    NUMBER_WRONG,   // no number at all
    NUMBER_HUGE,    // more than the type holds
    NUMBER_FRACTION // a number, but not a whole one
};

// k, M, G are powers of ten; % is a hundredth.
enum number_fault number_read(const char *text, double *out);
enum number_fault whole_read(const char *text, int64_t *out);
// Parts of d, h, m, s, ms in falling order, each with its unit; a bare 0 is allowed. In seconds.
enum number_fault duration_read(const char *text, double *out);
// The shortest text that reads back as x; room for 32 bytes.
void number_text(double x, char *out);

#endif
