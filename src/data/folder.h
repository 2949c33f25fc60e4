// The pictures of a folder by name: which there are, which class each is in, which split.
#ifndef DATA_FOLDER_H
#define DATA_FOLDER_H

#include "data/dataset.h"

struct picture_file {
    const char *path;
    const char *name; // from the folder of classes on: "cat/17.png"
    int label;
};

struct folder {
    struct picture_file *file; // of the split, sorted by name
    int n;
    const char **class_name; // sorted
    int classes;             // 0: no sub-folders
};

// `test` is the share of the test split, which a hash of the name draws, where the folder has no
// train/ and test/ of its own. Hidden files and files that are no pictures by their names (.png,
// .jpg, .jpeg, .bmp) do not count. False after errors.
bool folder_list(struct arena *a, const char *path, enum split split, double test,
                 struct folder *out, struct place where, struct diag *d);

#endif
