// Names of classes are left out: no network is built from them, and a folder's name need not be
// text that YAML takes.
#include "data/recall.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

struct seen {
    const char *dataset, *fingerprint;
    int64_t channels, height, width, count, classes;
};

enum { SEEN_MAX = 1 << 30 };

#define FIELD(name) offsetof(struct seen, name)
static const struct param seen_table[] = {
    {"dataset", PARAM_TEXT, FIELD(dataset), NULL},
    {"channels", PARAM_INT, FIELD(channels), NULL, 1, SEEN_MAX},
    {"height", PARAM_INT, FIELD(height), NULL, 1, SEEN_MAX},
    {"width", PARAM_INT, FIELD(width), NULL, 1, SEEN_MAX},
    {"count", PARAM_INT, FIELD(count), NULL, 1, UINT32_MAX},
    {"classes", PARAM_INT, FIELD(classes), NULL, 0, SEEN_MAX},
    {"fingerprint", PARAM_TEXT, FIELD(fingerprint), NULL},
    PARAM_END,
};

void dataset_remember(const struct dataset *s, struct text *out)
{
    text_addf(out,
              "{dataset: %s, channels: %" PRId64 ", height: %" PRId64 ", width: %" PRId64
              ", count: %" PRId64 ", classes: %d, fingerprint: \"%s\"}",
              s->kind->word.name, s->channels, s->height, s->width, s->count, s->classes,
              s->fingerprint);
}

static bool recall_nothing(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    (void)image, (void)label;
    BUG("example %lld of '%s' is asked for, which is not open", (long long)index,
        s->kind->word.name);
}

struct dataset *dataset_recall(struct arena *a, const struct node *source, const struct node *seen,
                               struct diag *d)
{
    struct source_options o;
    struct seen is = {0};
    if (!source_options_read(source, &o, d) ||
        !param_read(seen_table, seen, seen->where, "what is known of the data", &is, a, d))
        return NULL;
    struct dataset_kind *kind = NEW(a, struct dataset_kind);
    struct dataset *s = NEW(a, struct dataset);
    *kind = *o.kind;
    kind->get = recall_nothing;
    kind->get_own = NULL;
    *s = (struct dataset){.kind = kind,
                          .node = source,
                          .split = o.split,
                          .channels = is.channels,
                          .height = is.height,
                          .width = is.width,
                          .count = is.count,
                          .classes = (int)is.classes,
                          .fingerprint = is.fingerprint};
    return s;
}

bool dataset_is(const struct dataset *s, const struct node *seen)
{
    const struct node *was = node_get(seen, "fingerprint");
    return was && was->kind == NODE_SCALAR && !strcmp(was->text, s->fingerprint);
}
