// The pictures of a folder by name: which there are, which class each is in, which split and domain.
#ifndef DATA_FOLDER_H
#define DATA_FOLDER_H

#include "data/dataset.h"

struct picture_file {
    const char *path;
    const char *name; // from the folder of classes on: "cat/17.png", "cat/more/17.png"
    int label;
};

// What is wanted of a folder.
struct folder_wish {
    const char *path;
    enum split split;
    // Share of the test split, which a hash of the name draws, where no folder is one.
    double test;
    const char *test_folder; // the folder that is the test split; NULL: test/, else val/
    const char *domain;      // "a" of trainA, testA; NULL: none
};

struct folder {
    struct picture_file *file; // of the split, by class and name
    int n;
    const char **class_name; // 2 before 10
    int classes;             // 0: no sub-folders
    int64_t found;           // pictures of all splits
    const char *parts;       // "train 4, val 1": how they are split
    const char *beside;      // what lies there and is not read; NULL: nothing
};

// A sub-folder, with all below it, is a class. Folders called train, test, val and the like, with or
// without the letter of a domain, in any case of letters, are splits and no classes: where all
// sub-folders with pictures are, or there are some of both sides or of two domains. A/ and B/ are
// domains where one is wished for. Files that are no pictures by their
// names (.png, .jpg, .jpeg, .jfif, .bmp, .webp) are counted. No file is opened. False after errors, reported
// at `where`.
bool folder_list(struct arena *a, const struct folder_wish *wish, struct folder *out,
                 struct place where, struct diag *d);

#endif
