// All pictures below a folder, by their names alone.
#ifndef DATA_WALK_H
#define DATA_WALK_H

#include <stdbool.h>

struct arena;

struct walked {
    const char **picture; // from the folder on: "train/cat/17.png"; sorted by bytes
    int n;
    struct other_files {    // files that are no pictures by their names, the most first
        const char *ending; // ".txt", in small letters; "" without one
        int n;
    } * other;
    int n_other; // endings
};

// Follows links, and enters each folder once, whichever way leads to it. Hidden files and folders do not
// count. No file is opened. False with what cannot be read in *path, and errno set.
bool walk(struct arena *a, const char **path, struct walked *out);

#endif
