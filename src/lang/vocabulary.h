// The kinds of words that lang reads; those of layers, losses and data sets stand beside what they describe.
#ifndef LANG_VOCABULARY_H
#define LANG_VOCABULARY_H

#include "config/word.h"

extern const struct vocabulary sections, noises, functions, optimizers, schedules;

#endif
