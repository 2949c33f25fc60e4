// Random text as an experiment: reading it, building its networks and its training graph must not
// crash, leak or hang, and what is refused must be refused with a message.
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "program/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BATCH_MAX = 512 };

static bool small(const struct experiment *e)
{
    for (int i = 0; i < e->n_phase; i++)
        for (int j = 0; j < e->phase[i].n_update; j++)
            if (e->phase[i].update[j].repeat > 8)
                return false;
    return e->batch <= BATCH_MAX && e->slots.floats < 1 << 22 && e->n_network <= 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    char *text = arena_strndup(a, (const char *)data, size);
    struct config *config = config_parse(a, "input", text, NULL, 0, d);
    struct experiment *e = config ? experiment_read(a, config, d) : NULL;
    if (!e && !diag_errors(d))
        BUG("refused without a word");
    if (e && !diag_errors(d) && small(e) && !program_training(e, 0, a, d) && !diag_errors(d))
        BUG("no program, and no word why");
    arena_free(a);
    return 0;
}
