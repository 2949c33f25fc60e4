// What a run is, for the database, and in what a config differs from the one it was trained under.
#ifndef CLI_SESSION_DESCRIBE_H
#define CLI_SESSION_DESCRIBE_H

#include "store/recorder.h"

struct session;

// Of the session's experiment and of the plan that was chosen; threads as session_threads gave them.
struct run_description session_describe(struct session *s, int threads);

struct change {
    const char *key, *before, *after;
};
// Leaf by leaf, what the config says now and a stored text did not; *n of them.
struct change *session_changes(struct session *s, const char *yaml, int *n);

#endif
