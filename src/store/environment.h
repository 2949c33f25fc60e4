// The machine and the code a run ran on, as it goes into `env`.
#ifndef STORE_ENVIRONMENT_H
#define STORE_ENVIRONMENT_H

#include <stdint.h>

struct arena;

struct environment {
    const char *ganexp;                  // version
    const char *git_commit, *git_branch; // NULL outside a repository or without git
    int git_dirty;                       // 1, 0; -1: not known
    const char *host, *os, *kernel, *cpu;
    int64_t cores, mem_bytes;
    const char *compiler, *cflags, *sqlite;
    // From the rooms that include their headers; NULL: not known.
    const char *isa, *onednn, *libyaml;
};

// Looks once; with git it takes some 10 ms.
struct environment *environment_capture(struct arena *a, const char *isa, const char *onednn,
                                        const char *libyaml);
// The most memory that this process had resident so far, in bytes.
int64_t environment_peak_rss(void);

#endif
