// How much memory this process may still take.
#ifndef BASE_MEMORY_LEFT_H
#define BASE_MEMORY_LEFT_H

#include <stdint.h>

struct memory_left {
    int64_t bytes;   // INT64_MAX where nothing says
    const char *why; // "free on this machine", "left by `ulimit -v`" …
};

// The least of what the machine has, what the control group allows and what limits of the process do.
struct memory_left memory_left(void);

#endif
