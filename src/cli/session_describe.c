#include "cli/session_describe.h"

#include "base/arena.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/tuning.h"
#include "codegen/plan.h"
#include "config/node.h"
#include "config/param.h"
#include "data/recall.h"
#include "store/environment.h"
#include "store/run_params.h"

#include <limits.h>
#include <string.h>

static const char nothing[] = "(nothing)";

static const char *param_text(const struct run_param *list, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].key, key))
            return list[i].text;
    return nothing;
}

// What a text says by itself, defaults left out.
static struct run_param *said(struct session *s, const char *yaml, int *n)
{
    struct config *c = config_parse(s->arena, "config", yaml, NULL, 0, diag_new(s->arena));
    *n = 0;
    return c ? run_params(s->arena, c->root, n) : NULL;
}

struct change *session_changes(struct session *s, const char *yaml, int *n)
{
    ASSERT(s->config && yaml);
    struct change *change = NULL;
    struct text now;
    int n_old, n_new;
    text_init(&now);
    node_write(s->config->root, &now);
    struct run_param *old = said(s, yaml, &n_old), *new = said(s, now.s, &n_new);
    text_release(&now);
    *n = 0;
    for (int i = 0; i < n_new; i++) {
        const char *was = param_text(old, n_old, new[i].key);
        if (strcmp(was, new[i].text))
            APPEND(s->arena, change, *n, ((struct change){new[i].key, was, new[i].text}));
    }
    for (int i = 0; i < n_old; i++)
        if (param_text(new, n_new, old[i].key) == nothing)
            APPEND(s->arena, change, *n, ((struct change){old[i].key, old[i].text, nothing}));
    return change;
}

enum { CLASSES_SHOWN = 12 };

// Names of files may hold what moves a terminal's cursor.
static const char *printable(struct text *line)
{
    for (char *p = line->s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
    return line->s;
}

static void tell_classes(const struct data_source *source, FILE *to, struct recorder *recorder)
{
    struct text line;
    text_init(&line);
    dataset_tell_classes(source->dataset, CLASSES_SHOWN, &line);
    if (line.n)
        fprintf(to, "%s: classes %s\n", source->name, printable(&line));
    text_clear(&line);
    dataset_tell_classes(source->dataset, INT_MAX, &line);
    if (line.n && recorder)
        recorder_event(recorder, EVENT_INFO, "classes", -1, "%s: %s", source->name,
                       printable(&line));
    text_release(&line);
}

void session_tell_data(const struct session *s, FILE *to, struct recorder *recorder)
{
    for (int i = 0; i < s->experiment->n_data; i++) {
        const struct data_source *source = &s->experiment->data[i];
        struct text line;
        text_init(&line);
        dataset_tell(source->dataset, source->name, &line);
        fprintf(to, "%s\n", printable(&line));
        if (recorder)
            recorder_event(recorder, EVENT_INFO, "data", -1, "%s", line.s);
        text_release(&line);
        tell_classes(source, to, recorder);
    }
}

// "data.real.path"
static bool says_where(const struct session *s, const char *key)
{
    const char *dot = strrchr(key, '.');
    if (!dot || strncmp(key, "data.", 5))
        return false;
    const struct node *source = node_at(s->config->root,
                                        arena_strndup(s->arena, key, (size_t)(dot - key)));
    const struct param *p = source ? param_find(source->table, dot + 1) : NULL;
    return p && p->type == PARAM_PATH;
}

bool session_same_model(struct session *s, const char *section)
{
    int n;
    const struct change *c = session_changes(s, s->stored.config_yaml, &n);
    for (int i = 0; i < n; i++)
        if (strncmp(c[i].key, section, strlen(section)) && !says_where(s, c[i].key))
            return fail(s->diag, (struct place){0},
                        "the config is not the one this run was trained under\n%s: %.60s → "
                        "%.60s\nonly %s.… can be said anew, and where the data lie",
                        c[i].key, c[i].before, c[i].after, section);
    return true;
}

bool session_only_moved(struct session *s, const char *yaml)
{
    int n;
    const struct change *c = session_changes(s, yaml, &n);
    for (int i = 0; i < n; i++)
        if (!says_where(s, c[i].key))
            return false;
    return n > 0;
}

bool session_same_data(struct session *s, const char *seen, const char **which)
{
    const struct source text = {"data", seen};
    const struct node *was = seen ? node_parse(s->arena, &text, diag_new(s->arena)) : NULL;
    for (int i = 0; was && i < s->experiment->n_data; i++) {
        const struct data_source *now = &s->experiment->data[i];
        *which = now->name;
        if (node_get(was, now->name) && !dataset_is(now->dataset, node_get(was, now->name)))
            return false;
    }
    return true;
}

struct run_description session_describe(struct session *s, int threads)
{
    ASSERT(s->experiment && threads >= 1);
    struct arena *a = s->arena;
    const struct experiment *e = s->experiment;
    struct text yaml;
    text_init(&yaml);
    node_write(s->config->root, &yaml);
    struct run_description r = {
        .name = e->name,
        .model = e->name,
        .dataset = e->n_data ? e->data[0].dataset->kind->word.name : "none",
        .seed = e->seed,
        .config_yaml = arena_strdup(a, yaml.s),
        .config_hash = config_hash(a, s->config, false),
        .group_hash = config_hash(a, s->config, true),
        .total_steps = s->trainer ? s->trainer->steps : 0,
        .environment = environment_capture(a, plan_isa(), plan_library_version(),
                                           config_library_version()),
        .argc = s->options->argc,
        .argv = s->options->argv,
        .threads = threads,
    };
    text_release(&yaml);
    struct run_param *param = run_params(a, s->config->root, &r.n_param);
    tuning_params(s, &param, &r.n_param);
    r.param = param;
    return r;
}
