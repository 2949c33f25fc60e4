// Warnings as words: what `silence:` and `-W no-NAME` name, and what `ganexp help` explains.
#ifndef LANG_SILENCE_H
#define LANG_SILENCE_H

#include "config/word.h"

extern const struct vocabulary warnings; // in the order of enum warning
// No longer told from now on. False and reported at `where` when there is no such warning.
bool silence_named(struct diag *d, struct place where, const char *name);
// A name, or a list of names; NULL: none.
bool silence_read(struct diag *d, const struct node *node);

#endif
