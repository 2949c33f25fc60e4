// Words of the language that are in no registry, for whoever explains it: sections of a config,
// kinds of noise, functions of expressions, initialisations, optimizers, schedules. Each file that
// reads some of them lists them, from the tables that it reads by.
#ifndef LANG_VOCABULARY_H
#define LANG_VOCABULARY_H

#include "config/param.h"

struct vocable {
    const char *kind, *name, *help;
    const char *usage;          // a formula, or how it is written; may be NULL
    const struct param *params; // may be NULL
};

// The i-th word of the file; false past its last.
bool section_vocable(size_t i, struct vocable *out);
bool noise_vocable(size_t i, struct vocable *out);
bool function_vocable(size_t i, struct vocable *out);
bool init_vocable(size_t i, struct vocable *out);
bool optimizer_vocable(size_t i, struct vocable *out);
bool schedule_vocable(size_t i, struct vocable *out);

#endif
