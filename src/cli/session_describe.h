// What a run is, for the database, and in what a config differs from the one it was trained under.
#ifndef CLI_SESSION_DESCRIBE_H
#define CLI_SESSION_DESCRIBE_H

#include "store/recorder.h"

struct session;

// Of the session's experiment and of the plan that was chosen; threads as session_threads gave them.
struct run_description session_describe(struct session *s, int threads);

// A line for each source of data, and one for its classes where they have names: to a stream, and
// (recorder not NULL) as the events `data` and `classes`, which name all classes.
void session_tell_data(const struct session *s, FILE *to, struct recorder *recorder);

struct change {
    const char *key, *before, *after;
};
// Leaf by leaf, what the config says now and a stored text did not; *n of them.
struct change *session_changes(struct session *s, const char *yaml, int *n);
// Whether the config is the stored run's but for keys that begin with `section` and for where its
// data lie; reported if not.
bool session_same_model(struct session *s, const char *section);
// Whether a stored config (yaml) differs in nothing but where its data lie.
bool session_only_moved(struct session *s, const char *yaml);
// Whether the data are those that a checkpoint has seen (its metadata "data"; NULL: it does not say,
// so they are). Else *which is the first source that is not.
bool session_same_data(struct session *s, const char *seen, const char **which);

#endif
