// Kinds of words that no folder is: sections.
#ifndef LANG_VOCABULARY_H
#define LANG_VOCABULARY_H

#include "config/word.h"

extern const struct vocabulary sections;

#endif
