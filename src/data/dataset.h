// A data set: images (and labels) by index, in float [-1, 1], (C, H, W). One file a data set,
// dataset_NAME.c, ending in a descriptor.
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdint.h>

#include "config/param.h"

struct text;

enum split { SPLIT_TRAIN, SPLIT_TEST };
enum sampling { SAMPLING_SHUFFLE, SAMPLING_REPLACE };

// What an example has, and how expressions call it: real.image, real.label, real.index, and fields of the data set's own.
enum { FIELD_IMAGE, FIELD_LABEL, FIELD_INDEX, FIELD_OWN, FIELDS_MAX = 8 };
struct data_field {
    const char *name;
    int64_t channels, height, width; // of one example; 0 each: one number
    int classes;                     // above 0: that number is a label
};

struct dataset {
    const struct dataset_kind *kind;
    const struct node *node; // the source it was opened from
    enum split split;
    bool looking; // opened by dataset_look
    bool unread;  // for which the kind has read no example: `get` may not be called
    int64_t channels, height, width;
    int64_t count;                 // examples in this split; of digits, without end, the nominal
    int classes;                   // 0 without labels
    const char *const *class_name; // classes names, or NULL
    // for dataset_tell
    int64_t found;      // examples of all splits; 0: those of this one are known
    const char *parts;  // how they are split: "train 4, val 1"; NULL: by the split's name
    const char *beside; // what lies there and is not read, or was done to what is; NULL: nothing
    const struct data_field *own; // from FIELD_OWN on
    int n_own;
    // SHA-256 in hex of the content (files' bytes; generator's name, version and parameters).
    const char *fingerprint;
    void *state; // the kind's
};

struct dataset_kind {
    struct word word; // parameters beside source_params
    // Opens a split of s->node. Missing or damaged files: reported at `where` with the place looked in, the
    // names wanted and the override that uses `digits` instead; false.
    bool (*open)(struct dataset *s, enum split split, const void *params, struct place where,
                 struct arena *a, struct diag *d);
    // Example `index` into image (channels·height·width floats) and label. Thread-safe. False when
    // the example is damaged (reported by the loader).
    bool (*get)(const struct dataset *s, int64_t index, float *image, int32_t *label);
    // The same of own[k]; NULL where there are none.
    bool (*get_own)(const struct dataset *s, int64_t index, int k, float *to);
};

extern const struct vocabulary dataset_kinds; // generated from the folder
const struct dataset_kind *dataset_kind(const char *name);

int dataset_fields(const struct dataset *s); // how many: FIELD_OWN and its own
// Field number i; the image of a data set of points is called point.
struct data_field dataset_field(const struct dataset *s, int i);
int64_t dataset_field_size(const struct dataset *s, int i); // in floats
// Example `index` into the places of its fields, by number; NULL for what is not wanted. `image` is room for an image that nobody
// wants. Thread-safe. False when the example is damaged.
bool dataset_get(const struct dataset *s, int64_t index, float *const field[FIELDS_MAX],
                 float *image);

// What every source of `data:` says beside its kind's own parameters.
struct source_options {
    const struct dataset_kind *kind;
    int64_t batch;          // 1 to 65536, 64 unless said
    enum split split;       // train unless said
    enum sampling sampling; // shuffle (each example once an epoch) unless said
};
// The parameters all sources share; PARAM_END ends it. A kind's own table comes after it, so
// `real: digits` is {dataset: digits}.
extern const struct param source_params[];
// Reads and checks a whole source, the kind's own parameters included. False after errors;
// dataset_open would report the same ones, so both may be called.
bool source_options_read(const struct node *source, struct source_options *out, struct diag *d);

// Opens the data set a source of `data:` names: {dataset: mnist, batch: 64, …}. `split` wins over
// the source's own, which is the caller's to follow. NULL after errors.
struct dataset *dataset_open(struct arena *a, const struct node *source, enum split split,
                             struct diag *d);
// The same for one who wants to know what there is and asks for no example: a kind whose files take
// long to read may read only some of them.
struct dataset *dataset_look(struct arena *a, const struct node *source, enum split split,
                             struct diag *d);
// A split of the source that `training` is of: for networks that were built for that one, so it has
// to have its shape and no classes beyond its. NULL, reported.
struct dataset *dataset_open_split(struct arena *a, const struct dataset *training,
                                   enum split split, struct diag *d);
// Where a key of the source stands, or its data set's word where the source does not say the key.
struct place dataset_place(const struct dataset *s, const char *key);
// "real: 5 pictures in 2 classes (train 4, val 1), 3 × 64 × 64; 200 other files not read (.webp 200)"
void dataset_tell(const struct dataset *s, const char *name, struct text *out);
// "0 'cat', 1 'dog'", at most `most` of them; nothing where classes have no names.
void dataset_tell_classes(const struct dataset *s, int most, struct text *out);
bool dataset_has_files(const struct dataset *s); // its examples come from files

#endif
