// Which commit the folder that the program runs in is at.
#ifndef STORE_GIT_H
#define STORE_GIT_H

struct arena;

struct git_state {
    const char *commit, *branch; // NULL where not known
    int dirty; // 1 when a file that git knows has changed, else 0; −1: not known
};

// Asks the program git. Everything is unknown without it, outside a repository, and in one that
// belongs to somebody else.
struct git_state git_ask(struct arena *a);

#endif
