// What a data set was when networks were trained on it, as one line of YAML. It is enough to build
// the networks again where the data are not, and to tell whether other data are the same.
#ifndef DATA_RECALL_H
#define DATA_RECALL_H

#include "data/dataset.h"

struct text;

// "{dataset: folder, channels: 3, …, fingerprint: 81ab…}"
void dataset_remember(const struct dataset *s, struct text *out);
// The training split of a source as `seen` has it, of which no example can be had. NULL, reported,
// where `seen` is damaged.
struct dataset *dataset_recall(struct arena *a, const struct node *source, const struct node *seen,
                               struct diag *d);
// Whether a data set is the one that was seen.
bool dataset_is(const struct dataset *s, const struct node *seen);

#endif
