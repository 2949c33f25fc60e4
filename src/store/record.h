// One thing that happened to a run, as it goes into the database and as a line into the
// journal. Numbers are plain; everything rare is a JSON object whose members are the names of SQL
// parameters. For store/ alone.
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include <jansson.h>

#include "store/db.h"

struct text;

enum record_kind { RECORD_METRIC, RECORD_TICK, RECORD_OTHER };

struct record {
    enum record_kind kind;
    int64_t step;
    union {
        struct {
            const char *name;
            double value;
        } metric;
        struct {
            int64_t t_ms, images;
            double epoch;
        } tick;
        json_t *other; // {"what": "event", …}
    };
};

struct summary {
    int64_t n, n_nan, last_step, min_step, max_step;
    double first, last, min, max, sum, sumsq;
};

// The run that records belong to, and what the writer remembers of it between transactions.
struct sink {
    const char *uid;
    int64_t run;          // its row; 0: not known (yet)
    int64_t step, images; // how far it is
    struct sink_metric {
        char *name;
        int64_t key; // 0: not known
        bool loaded, changed, disordered;
        struct summary summary;
    } * metric;
    int n_metric;
};

void sink_release(struct sink *s);
// After a rollback: what was remembered may not be so.
void sink_forget(struct sink *s);

// Applies to the open transaction; trouble is db's.
void record_apply(struct record *r, struct sink *s, struct db *db);
// Summaries and progress, and the heartbeat of a run that is alive; the last thing before the
// commit.
void sink_finish(struct sink *s, struct db *db, bool alive);

// A line of the journal, without the newline; and back. A line that is none gives false.
void record_write(const struct record *r, struct text *out);
bool record_read(const char *line, struct record *r, char **name_to_free);
void record_release(struct record *r);

json_t *record_number(double x); // NaN is null, an infinity a text: JSON knows neither

int64_t now_ms(void);
enum { BEAT_MS = 60000 }; // a run promises its next beat within this

#endif
