// How people write the ten digits: each digit in several ways, each way a few strokes of the pen.
#ifndef DATA_DIGITS_H
#define DATA_DIGITS_H

#include <stdint.h>

enum pen {
    PEN_DOWN,   // a stroke begins
    PEN_SMOOTH, // the stroke runs through without a bend
    PEN_CORNER, // the stroke turns here
};

struct mark {
    int8_t x, y; // in hundredths of the digit's height; x to the right, y down
    int8_t pen;
};

struct glyph {
    int often; // out of the sum over the digit's glyphs
    int n;
    const struct mark *mark;
};

enum { DIGIT_MARKS_MAX = 24 }; // of one glyph

struct digit {
    int n;
    const struct glyph *glyph;
};

extern const struct digit digits[10];

#endif
