#include "cli/session_elsewhere.h"

#include "base/arena.h"
#include "base/text.h"
#include "cli/session.h"
#include "store/environment.h"

#include <inttypes.h>
#include <string.h>

static const char *cell_string(const struct table *t, int column)
{
    const struct cell *c = table_at(t, 0, column);
    return c->type == CELL_TEXT ? c->text : NULL;
}

static void add_difference(struct text *out, const char *is, const char *was)
{
    if (is && was && strcmp(is, was) != 0)
        text_addf(out, "%s%s, was %s", out->n ? "; " : "", is, was);
}

static const char *threads_text(struct arena *a, int64_t n)
{
    return arena_printf(a, "%" PRId64 " thread%s", n, n == 1 ? "" : "s");
}

const char *session_elsewhere(struct session *s, const struct run_description *now)
{
    struct reader *r = reader_open(s->arena, options_db(s->options), false, diag_new(s->arena));
    const char *sql = arena_printf(s->arena,
                                   "SELECT a.threads, e.isa, e.onednn, e.ganexp, e.compiler FROM "
                                   "attempt a JOIN env e ON e.id=a.env_id WHERE a.run_id=%" PRId64
                                   " ORDER BY a.n DESC LIMIT 1",
                                   s->stored.id);
    const struct table *t = r ? query_sql(r, sql, diag_new(s->arena)) : NULL;
    const struct environment *e = now->environment;
    struct text differs;
    if (!t || !table_rows(t))
        return NULL;
    text_init(&differs);
    if (table_at(t, 0, 0)->type == CELL_INT)
        add_difference(&differs, threads_text(s->arena, now->threads),
                       threads_text(s->arena, table_at(t, 0, 0)->integer));
    const char *const is[] = {e->isa, e->onednn, e->ganexp, e->compiler};
    for (int i = 0; i < (int)LENGTH(is); i++)
        add_difference(&differs, is[i], cell_string(t, i + 1));
    const char *kept = differs.n ? arena_strdup(s->arena, differs.s) : NULL;
    text_release(&differs);
    return kept;
}

void session_tell_elsewhere(struct recorder *recorder, int64_t step, const char *differs)
{
    if (!differs)
        return;
    fprintf(stderr, "going on elsewhere (%s): not the bits of an unbroken run\n", differs);
    recorder_event(recorder, EVENT_WARN, "elsewhere", step,
                   "%s: from here on not the bits of an unbroken run", differs);
}
