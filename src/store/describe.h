// The JSON form of rare records; members are named as record.c's SQL parameters. For store/ alone.
#ifndef STORE_DESCRIBE_H
#define STORE_DESCRIBE_H

#include <jansson.h>

#include "store/recorder.h"

json_t *describe_run(const struct run_description *run, const char *uid, const char *dir);
json_t *describe_attempt(const struct run_description *run, int64_t first_step);
json_t *describe_evaluation(const struct evaluation *e, int64_t step);
// path is hashed, `stored` is what goes into the database. NULL with errno when path cannot be
// read.
json_t *describe_artifact(const char *path, const char *stored, const char *kind,
                          const char *format, int64_t step, const char *role);
json_t *describe_event(enum event_level level, const char *code, int64_t step, const char *text);
json_t *describe_note(const char *note);
json_t *describe_end(enum run_status status, const char *reason, int exit_code);

#endif
