// Trouble that is not our own mistake: the user's, or the world's. Every message knows its place in
// the user's text and is drawn there. Stages collect messages and go on; the command prints them.
//
//     configs/acgan.yaml:31:9: error: unknown layer 'conv2D'
//       31 |       - conv2D: {filters: 64}
//          |         ^~~~~~
//          = expected a layer; did you mean 'conv2d'?
//
// Our own mistakes are asserts: BUG aborts.
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct arena;
struct text;

// A text the user wrote: a file, or an override on the command line (name "command line").
struct source {
    const char *name, *text;
};

// A stretch of a source. line and col count from 1; line 0 is "no particular line" (the message
// is then drawn without the source line); source NULL is "no place at all". length is in bytes.
struct place {
    const struct source *source;
    int line, col, length;
};

enum { DIAG_MAX = 20 };

enum warning {
#define WARNING(name, help) WARNING_##name,
#include "base/warnings.def"
#undef WARNING
    WARNINGS
};

struct diag;

struct diag *diag_new(struct arena *a);
// Adds an error and returns false, so that a function ends in `return fail(diag, where, …)`. The part of the
// message after a newline is drawn as "= …" lines below the source line: what was expected, what
// was meant. Beyond DIAG_MAX errors are counted, not kept; the same text at the same place is kept once.
bool fail(struct diag *d, struct place where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
// The same for what may be meant: its name stands behind the message. Nothing where that warning was silenced; an error
// where warnings are errors.
void warn(struct diag *d, enum warning is, struct place where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
const char *warning_name(enum warning is);
void diag_silence(struct diag *d, enum warning is);
void diag_warnings_are_errors(struct diag *d);
int diag_errors(const struct diag *d); // how many errors came in, kept or not, the same twice too
// No further error will be kept, only counted: nothing need be looked up for its text.
bool diag_full(const struct diag *d);
int diag_warnings(const struct diag *d);
void diag_text(const struct diag *d, struct text *out); // all kept messages, in order of place
void diag_print(const struct diag *d, FILE *to);
void diag_clear(struct diag *d);
// The kept messages in order of place, *n of them.
struct diag_message {
    struct place where;
    const char *text; // lines behind the first: what was expected, what was meant
    bool error;
    const char *warning; // its name; NULL: an error that was none
    int order;
};
const struct diag_message *diag_messages(const struct diag *d, int *n);

// The known word nearest to `word`: same letters but for case, '_' and '-'; else one that contains or begins it; else
// Damerau–Levenshtein distance <= 2 and less than half the length. NULL when none is near.
const char *nearest_word(const char *word, const char *const *known, size_t n);

#define BUG(...)                                                                                  \
    (fprintf(stderr, "ganexp: bug at %s:%d: ", __FILE__, __LINE__), fprintf(stderr, __VA_ARGS__), \
     fputc('\n', stderr), abort())

// An invariant of our own, which no input of a user breaks. Always checked.
#define ASSERT(condition) ((condition) ? (void)0 : BUG("%s does not hold", #condition))

#endif
