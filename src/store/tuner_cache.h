// What was found to be fastest on this machine, remembered from run to run: a file of lines
// "machine, key, answer", tabs between. What is in it is never measured again, so runs that share
// it compute the same bits. Replaced as a whole by rename, under a lock that is held while
// something is being measured: processes that start together measure once.
#ifndef STORE_TUNER_CACHE_H
#define STORE_TUNER_CACHE_H

#include <stdbool.h>

struct arena;
struct tuner_cache;

// $GANEXP_CACHE/choices, else $XDG_CACHE_HOME/ganexp/choices, else ~/.cache/ganexp/choices; NULL
// where none is set.
const char *tuner_cache_path(struct arena *a);
// `machine`: what measurements depend on and keys do not say. A file that is damaged counts as
// empty, and is replaced at the next tuner_cache_keep. path may be NULL.
struct tuner_cache *tuner_cache_open(struct arena *a, const char *path, const char *machine);
// The answer for a key, or NULL. No lock.
const char *tuner_cache_get(struct tuner_cache *c, const char *key);
// The same; where there is none, waits until no other process measures, looks again, and keeps others
// from measuring until tuner_cache_keep. False: not known, and nothing could be kept.
bool tuner_cache_recall(struct tuner_cache *c, const char *key, const char **answer);
void tuner_cache_keep(struct tuner_cache *c, const char *key, const char *answer);
// What the user should be told; NULL when there is nothing.
const char *tuner_cache_notice(const struct tuner_cache *c);

#endif
