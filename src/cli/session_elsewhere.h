// Whether a run goes on where it stood: the same bits are promised for the same number of threads,
// instruction set and libraries.
#ifndef CLI_SESSION_ELSEWHERE_H
#define CLI_SESSION_ELSEWHERE_H

#include "store/recorder.h"

struct session;

// What differs between the run's newest attempt and `now`, "1 thread, was 2; avx2, was avx512_core";
// NULL: nothing that bits depend on, or it is not known. To be asked before the attempt begins.
const char *session_elsewhere(struct session *s, const struct run_description *now);
// One line to the user and an event; NULL: nothing.
void session_tell_elsewhere(struct recorder *recorder, int64_t step, const char *differs);

#endif
