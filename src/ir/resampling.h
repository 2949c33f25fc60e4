// How one axis of an image becomes another: each number of the result is a sum of a few numbers of
// the operand, at places and with weights that depend on the two sizes alone. As a matrix that is
// sparse; its transpose is the adjoint.
#ifndef IR_RESAMPLING_H
#define IR_RESAMPLING_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

// The centre of result o lies at (o + ½)·from/to − ½ of the operand. Names are PyTorch's, as
// torch.nn.functional.interpolate(…, align_corners=False) has them.
enum resampling_rule {
    RESAMPLE_KEEP,     // to = from
    RESAMPLE_REFLECT,  // mirrored at both ends, whose own pixels are not repeated
    RESAMPLE_REVERSE,  // backwards
    RESAMPLE_NEAREST,  // nearest-exact, which is Pillow's and scikit-image's
    RESAMPLE_AREA,     // the mean of all pixels that the result's touches (adaptive_avg_pool2d)
    RESAMPLE_BILINEAR, // of two pixels, the border repeated; shrinking leaves pixels out
    RESAMPLE_BICUBIC,  // of four, Keys' a = −¾, the border repeated
    // antialias=True: the kernel is as much wider as the image shrinks; Pillow's, a = −½
    RESAMPLE_BILINEAR_ANTIALIAS,
    RESAMPLE_BICUBIC_ANTIALIAS,
    RESAMPLE_RULES
};

// Numbers of eight bytes, as attributes are (ir/attr.h).
struct resampling {
    int64_t rule;     // enum resampling_rule
    int64_t from, to; // sizes of the operand and of the result
    int64_t before;   // REFLECT: pixels before the first; less than `from`, as are those behind
};

// Row o of the matrix is entries first[o] … first[o + 1] − 1: the result's number o is the sum of
// weight·x[at]. `at` rises within a row, no place twice.
struct resampling_rows {
    int64_t n, from; // rows and columns
    int64_t *first, *at;
    double *weight;
};

// All memory from the arena. With `adjoint` the transpose.
struct resampling_rows resampling_rows(struct arena *a, struct resampling r, bool adjoint);
const char *resampling_name(int64_t rule); // "bilinear"

#endif
