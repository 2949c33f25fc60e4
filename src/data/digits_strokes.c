// The tables of glyphs. Each was drawn as a hand moves: where the pen comes down, what it passes,
// where it turns. The points are jittered before a curve is laid through them, so few points far
// apart give a lively hand and many close ones a nervous one; hence few. Outlines of a typeface
// would be quicker to come by, but they know neither order nor width of the pen, and thickness,
// slant and sloppiness, which is what handwriting varies in, could not be varied apart.
#include "data/digits.h"

#include "base/arena.h"

#define D(x, y)        \
    {                  \
        x, y, PEN_DOWN \
    }
#define S(x, y)          \
    {                    \
        x, y, PEN_SMOOTH \
    }
#define C(x, y)          \
    {                    \
        x, y, PEN_CORNER \
    }
#define GLYPH(often, ...)                                                        \
    {                                                                            \
        often, sizeof((const struct mark[]){__VA_ARGS__}) / sizeof(struct mark), \
            (const struct mark[])                                                \
        {                                                                        \
            __VA_ARGS__                                                          \
        }                                                                        \
    }

static const struct glyph zero[] = {
    // an oval from the top, to the left and round
    GLYPH(5, D(42, 2), S(16, 16), S(4, 50), S(15, 86), S(38, 99), S(62, 82), S(70, 46), S(58, 12),
          S(40, 2)),
    // narrow and leaning, closed from the right
    GLYPH(3, D(50, 5), S(28, 10), S(8, 44), S(8, 82), S(27, 99), S(50, 74), S(62, 32), S(52, 6),
          S(40, 4)),
    // round
    GLYPH(2, D(48, 4), S(16, 10), S(0, 46), S(14, 88), S(48, 99), S(82, 82), S(92, 44), S(76, 10),
          S(44, 3)),
    // the end crosses the beginning
    GLYPH(2, D(30, 0), S(12, 24), S(4, 58), S(20, 96), S(52, 92), S(68, 52), S(56, 12), S(34, 6),
          S(22, 12)),
};

static const struct glyph one[] = {
    GLYPH(9, D(20, 0), S(20, 50), S(20, 100)),                               // a stick
    GLYPH(3, D(28, 0), S(22, 34), S(20, 68), S(24, 100)),                    // bent
    GLYPH(3, D(4, 24), S(18, 13), C(30, 0), S(29, 50), C(28, 100)),          // with a flag
    GLYPH(2, D(8, 20), C(32, 0), C(32, 98), D(6, 99), S(32, 98), C(58, 97)), // flag and foot
    GLYPH(1, D(30, 0), C(28, 98), D(8, 98), C(50, 97)),                      // foot
};

static const struct glyph two[] = {
    // no loop
    GLYPH(4, D(6, 24), S(18, 5), S(42, 1), S(60, 18), S(52, 44), S(28, 74), C(4, 97), S(36, 96),
          C(72, 94)),
    // a loop at the foot
    GLYPH(5, D(8, 16), S(32, 1), S(58, 12), S(56, 42), S(32, 76), S(8, 94), S(4, 80), S(22, 76),
          S(46, 92), S(76, 90)),
    // a long neck and a wave for a foot
    GLYPH(3, D(12, 26), S(24, 4), S(50, 3), S(58, 26), S(40, 60), C(2, 96), S(26, 86), S(48, 97),
          S(72, 88)),
    // wide and flat
    GLYPH(2, D(2, 18), S(28, 2), S(62, 8), S(68, 30), S(44, 64), C(8, 92), S(46, 94), C(86, 98)),
};

static const struct glyph three[] = {
    // two bows meeting in a corner
    GLYPH(5, D(8, 12), S(30, 1), S(54, 10), S(52, 32), C(26, 47), S(54, 54), S(62, 76), S(42, 97),
          S(4, 92)),
    // a roofline of two straight lines
    GLYPH(2, D(6, 5), S(34, 4), C(62, 3), S(46, 22), C(26, 42), S(56, 50), S(64, 76), S(42, 97),
          S(6, 93)),
    // a small loop in the waist
    GLYPH(3, D(12, 10), S(38, 1), S(56, 14), S(46, 38), S(26, 48), S(24, 42), S(42, 46), S(60, 68),
          S(46, 96), S(18, 98), S(2, 84)),
    // the bows run together
    GLYPH(3, D(14, 6), S(44, 2), S(58, 20), S(38, 42), C(26, 46), S(48, 52), S(58, 74), S(36, 98),
          S(2, 94)),
};

static const struct glyph four[] = {
    // open: an angle, then the stem
    GLYPH(5, D(10, 4), S(8, 28), C(4, 54), S(34, 54), C(66, 48), D(58, 10), S(56, 50), C(52, 100)),
    // open and round, the stem in the same stroke
    GLYPH(4, D(8, 6), S(2, 34), S(14, 52), S(40, 48), S(56, 28), C(60, 2), S(56, 50), C(50, 100)),
    // closed: down the slope, along the bar, then the stem
    GLYPH(3, D(48, 0), S(24, 32), C(2, 64), S(36, 64), C(74, 62), D(50, 0), S(50, 50), C(48, 100)),
    // closed at the top like a sail, the bar short
    GLYPH(2, D(50, 4), S(28, 22), C(4, 54), S(28, 54), C(60, 50), D(54, 4), S(52, 40), C(46, 100)),
    // the stem long, the angle high
    GLYPH(2, D(6, 10), S(4, 30), C(6, 44), S(30, 46), C(62, 38), D(62, 0), S(54, 46), C(44, 100)),
};

static const struct glyph five[] = {
    // the body first, then the hat
    GLYPH(4, D(16, 6), S(13, 24), C(10, 44), S(34, 38), S(58, 54), S(54, 84), S(30, 99), S(2, 92),
          D(16, 6), S(38, 5), C(72, 1)),
    // in one stroke from the hat
    GLYPH(4, D(66, 3), S(42, 4), C(20, 6), S(15, 24), C(10, 42), S(34, 40), S(56, 60), S(48, 88),
          S(24, 99), S(0, 90)),
    // round where others turn
    GLYPH(1, D(66, 4), S(40, 4), S(18, 8), S(14, 38), S(42, 44), S(60, 64), S(50, 90), S(28, 98),
          S(2, 92)),
    // a small belly and a long hat
    GLYPH(2, D(24, 6), S(19, 24), C(16, 48), S(36, 44), S(52, 62), S(42, 90), S(6, 98), D(24, 6),
          S(50, 4), C(78, 2)),
};

static const struct glyph six[] = {
    // a bow into the loop
    GLYPH(5, D(48, 0), S(24, 22), S(8, 54), S(8, 86), S(28, 99), S(52, 88), S(54, 64), S(34, 56),
          S(10, 72)),
    // a straight back and a small loop
    GLYPH(3, D(32, 0), S(16, 36), S(6, 70), S(12, 94), S(34, 98), S(48, 82), S(40, 66), S(22, 68),
          S(8, 80)),
    // curled at the top
    GLYPH(2, D(58, 8), S(42, 1), S(18, 18), S(4, 56), S(12, 92), S(40, 98), S(60, 78), S(50, 54),
          S(24, 54), S(6, 70)),
    // wide
    GLYPH(2, D(44, 0), S(18, 28), S(4, 64), S(18, 96), S(52, 98), S(76, 80), S(62, 60), S(34, 64),
          S(10, 80)),
};

static const struct glyph seven[] = {
    // plain
    GLYPH(5, D(4, 10), S(32, 7), C(64, 4), S(46, 46), C(30, 100)),
    // with a bar
    GLYPH(3, D(4, 8), S(32, 6), C(62, 4), S(42, 50), C(28, 100), D(16, 54), C(60, 48)),
    // with a serif
    GLYPH(3, D(6, 24), C(8, 8), S(34, 8), C(66, 4), S(44, 42), S(32, 72), C(30, 100)),
    // curved
    GLYPH(3, D(2, 16), S(18, 6), S(40, 7), C(64, 5), S(48, 36), S(34, 68), C(28, 100)),
    // serif and bar
    GLYPH(1, D(6, 22), C(8, 8), C(64, 6), S(46, 44), C(34, 100), D(22, 52), C(66, 50)),
};

static const struct glyph eight[] = {
    // as an s, then back up
    GLYPH(5, D(58, 14), S(38, 1), S(14, 12), S(22, 38), S(48, 60), S(52, 86), S(30, 99), S(6, 86),
          S(16, 62), S(42, 40), S(60, 16)),
    // starting at the waist
    GLYPH(3, D(30, 46), S(10, 24), S(24, 2), S(50, 8), S(50, 32), S(28, 50), S(6, 76), S(20, 98),
          S(50, 94), S(56, 70), S(32, 48)),
    // one ring on another
    GLYPH(3, D(34, 1), S(12, 10), S(12, 36), S(34, 46), S(56, 34), S(54, 10), S(32, 1), D(34, 46),
          S(8, 58), S(6, 86), S(34, 99), S(60, 86), S(58, 58), S(34, 46)),
    // leaning, the top open
    GLYPH(2, D(64, 6), S(36, 8), S(20, 28), S(40, 50), S(46, 78), S(26, 98), S(6, 86), S(20, 62),
          S(50, 36), S(62, 10)),
};

static const struct glyph nine[] = {
    // a loop and a straight stem
    GLYPH(5, D(54, 12), S(32, 2), S(8, 16), S(8, 42), S(30, 48), S(50, 32), C(58, 8), S(55, 52),
          C(50, 100)),
    // a loop and a bowed stem
    GLYPH(4, D(54, 18), S(38, 2), S(12, 12), S(6, 38), S(28, 48), S(52, 30), S(56, 14), S(54, 54),
          S(40, 84), S(16, 99)),
    // hooked like a g
    GLYPH(1, D(52, 10), S(26, 4), S(6, 24), S(18, 46), S(44, 38), C(54, 10), S(55, 54), S(44, 90),
          S(26, 98), S(12, 93)),
    // a small loop and a long stem
    GLYPH(3, D(46, 8), S(26, 2), S(10, 18), S(18, 38), S(38, 32), S(46, 8), S(45, 40), S(38, 100)),
};

#define DIGIT(of)      \
    {                  \
        LENGTH(of), of \
    }
const struct digit digits[10] = {
    DIGIT(zero), DIGIT(one), DIGIT(two),   DIGIT(three), DIGIT(four),
    DIGIT(five), DIGIT(six), DIGIT(seven), DIGIT(eight), DIGIT(nine),
};
