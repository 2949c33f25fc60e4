// YAML text to a located tree, from libyaml's events. libyaml's own document tree forgets where
// things were and expands nothing; its events carry marks. Aliases share the node they name, so
// what they would expand to is counted and capped: nine lines of YAML can otherwise say a billion
// nodes. An anchor is known only after its node is complete, so no node can contain itself.
//
// One thing is beyond YAML. In { } and [ ] a comma ends a value, so `{fake: generator(z, y)}` would
// be the value "generator(z" and the key "y)". A plain value that leaves a '(' open is therefore
// joined with what follows up to its ')'. Demanding quotes there was the simpler idea; everyone
// who writes an expression in a one-line map would meet that error once.
#include "config/node.h"

#include "base/arena.h"
#include "base/hash_map.h"
#include "base/text.h"
#include "config/tree.h"
#include "config/yaml.h"

#include <string.h>
#include <yaml.h>

struct parser {
    yaml_parser_t yaml;
    yaml_event_t event;
    bool has_event;
    struct arena *arena;
    struct diag *diag;
    struct marks marks;
    struct hash_map anchors; // name to struct anchor
    int nodes, depth;
    int height;           // of the node parsed last
    bool failed, stopped; // stopped: no more events
    char *copy;           // the text as libyaml sees it
    int patched;          // how often it was changed
    bool again;           // it was changed: parse it once more
};

enum { PATCHES_MAX = 64, JOINED_MAX = 8192 };
static const char patched_tag[] = "!~~~~"; // one shorter than "!unset"

struct anchor {
    struct node *node;
    int nodes, height;
};

static struct place event_place(const struct parser *p)
{
    return marks_place(&p->marks, marks_byte(&p->marks, p->event.start_mark.index),
                       marks_byte(&p->marks, p->event.end_mark.index));
}

static struct place mark_place(const struct parser *p, yaml_mark_t mark)
{
    const size_t at = marks_byte(&p->marks, mark.index);
    return marks_place(&p->marks, at, at + 1);
}

static struct node *stop(struct parser *p)
{
    p->failed = p->stopped = true;
    return NULL;
}

// libyaml wants a blank between a tag and '}' or ']'. Where it complains, "!unset}" becomes
// "!~~~~ }" in its copy of the text, which moves nothing, and all is parsed again.
static bool patch_tag(struct parser *p)
{
    const size_t at = marks_byte(&p->marks, p->yaml.problem_mark.index), n = strlen("!unset");
    if (p->yaml.error != YAML_SCANNER_ERROR || at < p->marks.from + n ||
        !memchr("}]", p->copy[at], 2) || memcmp(p->copy + at - n, "!unset", n) ||
        p->patched >= PATCHES_MAX)
        return false;
    memcpy(p->copy + at - n, patched_tag, n - 1);
    p->copy[at - 1] = ' ';
    p->patched++;
    return p->again = true;
}

static bool report_syntax(struct parser *p)
{
    const yaml_parser_t *y = &p->yaml;
    if (y->error == YAML_MEMORY_ERROR)
        out_of_memory(0);
    if (patch_tag(p))
        return stop(p) != NULL;
    const char *problem = y->problem ? y->problem : "this is no YAML";
    struct place where = mark_place(p, y->problem_mark), opened = {0};
    if (y->error == YAML_READER_ERROR) {
        const size_t at = p->marks.from + y->problem_offset;
        where = marks_place(&p->marks, at < p->marks.length ? at : p->marks.length, at + 1);
    } else if (y->context) {
        opened = mark_place(p, y->context_mark);
    }
    fail_syntax(p->diag, where, problem, y->context ? y->context : "", opened);
    stop(p);
    return false;
}

// Reads the next event. False at a syntax error, reported.
static bool next(struct parser *p)
{
    if (p->has_event)
        yaml_event_delete(&p->event);
    p->has_event = false;
    if (p->stopped)
        return false;
    if (!yaml_parser_parse(&p->yaml, &p->event))
        return report_syntax(p);
    p->has_event = true;
    return true;
}

static bool yaml_is_plain(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static struct node *counted(struct parser *p, struct node *node, int nodes)
{
    p->nodes += nodes;
    if (p->nodes <= NODES_MAX)
        return node;
    fail(p->diag, node->where,
         "more than %d values, aliases expanded\nexpected a file that a "
         "person could read",
         NODES_MAX);
    return stop(p);
}

// --- scalars -------------------------------------------------------------------------------------

static int open_parens(const char *text)
{
    int open = 0;
    for (; *text; text++)
        open += (*text == '(') - (*text == ')');
    return open;
}

// After its text is known: whether places within it can be told.
static void note_verbatim(const struct parser *p, struct node *node, size_t begin)
{
    const char *source = p->marks.source->text + begin + (node->quoted ? 1 : 0);
    node->verbatim = !strchr(node->text, '\n') && !strncmp(source, node->text, strlen(node->text));
}

// Takes one more scalar of a flow collection into a value whose '(' is open; `size` is of the value
// so far.
static void join_one(struct parser *p, struct text *joined, size_t begin, const char *between)
{
    const char *more = (const char *)p->event.data.scalar.value;
    const size_t end = marks_byte(&p->marks, p->event.end_mark.index);
    const char *source = p->marks.source->text + begin;
    if (!memchr(source, '\n', end - begin)) {
        text_clear(joined);
        text_add_n(joined, source, end - begin);
    } else if (*more) {
        text_add(joined, between);
        text_add(joined, more);
    }
}

static struct node *fail_open_paren(struct parser *p, struct node *node)
{
    if (p->stopped)
        return NULL;
    fail(p->diag, node->where,
         "'(' without ')' in '%s'\nexpected ')' before the '}' or ']'; quote "
         "a text that is no expression",
         node->text);
    return stop(p);
}

static bool join_next(struct parser *p, struct text *joined, size_t begin, const char *between)
{
    if (!next(p) || !yaml_is_plain(&p->event))
        return false;
    if (p->event.end_mark.index > p->event.start_mark.index)
        join_one(p, joined, begin, between);
    return true;
}

// {fake: generator(z, y)}: see above. In a map what follows arrives as keys, with or without
// values.
static struct node *join_parens(struct parser *p, struct node *node, bool in_map)
{
    const size_t begin = marks_byte(&p->marks, p->event.start_mark.index);
    struct text joined;
    text_init(&joined);
    text_add(&joined, node->text);
    bool good = true;
    while (good && joined.n < JOINED_MAX && open_parens(joined.s) > 0) {
        good = join_next(p, &joined, begin, ", ");
        if (good && in_map)
            good = join_next(p, &joined, begin, ": ");
    }
    if (good && open_parens(joined.s) > 0) {
        fail(p->diag, node->where, "an expression of more than %d bytes in '{ }' or '[ ]'",
             JOINED_MAX);
        stop(p);
        good = false;
    }
    if (good) {
        node->text = arena_strndup(p->arena, joined.s, joined.n);
        note_verbatim(p, node, begin);
        node->where.length = (int)strcspn(node->text, "\n");
    }
    text_release(&joined);
    return good ? node : fail_open_paren(p, node);
}

// Only `!unset`, on nothing, is a tag we know.
static struct node *tagged(struct parser *p, const char *tag, struct node *node)
{
    if (!strcmp(tag, patched_tag))
        tag = "!unset";
    const char *core = strstr(tag, "2002:");
    if (!strcmp(tag, "!unset") && node->kind == NODE_NULL)
        return node_new_unset(p->arena, node->where);
    if (!strcmp(tag, "!unset"))
        fail(p->diag, node->where, "'!unset' takes no value\nexpected 'key: !unset'");
    else
        fail(p->diag, node->where,
             "unknown tag '%s%s'\nthe only tag is !unset; quote a text that "
             "begins with '!'",
             core ? "!!" : "", core ? core + 5 : tag);
    p->failed = true;
    return node;
}

static struct node *parse_scalar(struct parser *p)
{
    const char *text = (const char *)p->event.data.scalar.value;
    const char *tag = (const char *)p->event.data.scalar.tag;
    struct node *node = node_new(p->arena, NODE_SCALAR, event_place(p));
    p->height = 0;
    if (strlen(text) != p->event.data.scalar.length) {
        fail(p->diag, node->where, "a text cannot contain the character \\0");
        p->failed = true;
    }
    node->quoted = !yaml_is_plain(&p->event);
    if (!node->quoted && text_is_null(text))
        node->kind = NODE_NULL;
    else
        node->text = arena_strdup(p->arena, text);
    if (node->text)
        note_verbatim(p, node, marks_byte(&p->marks, p->event.start_mark.index));
    return counted(p, tag ? tagged(p, tag, node) : node, 1);
}

// --- collections ---------------------------------------------------------------------------------

static struct node *parse_node(struct parser *p, enum node_kind in, bool flow);

static bool enter_collection(struct parser *p, const char *tag, struct node *node)
{
    if (tag)
        tagged(p, tag, node);
    if (p->depth++ < DEPTH_MAX)
        return true;
    fail(p->diag, node->where, "nested more than %d deep", DEPTH_MAX);
    stop(p);
    return false;
}

// The place of a block collection is its first entry's, of a flow collection all of it up to the
// line's end.
static struct node *leave(struct parser *p, struct node *node, size_t begin, bool flow, int height)
{
    ASSERT(p->depth > 0 && (node->kind == NODE_MAP || node->kind == NODE_LIST));
    p->depth--;
    p->height = height + 1;
    if (flow)
        node->where = marks_place(&p->marks, begin, marks_byte(&p->marks, p->event.end_mark.index));
    else if (node->n)
        node->where.length = node->entry[0].where.length;
    return counted(p, node, 1);
}

static struct node *parse_list(struct parser *p)
{
    const bool flow = p->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    const size_t begin = marks_byte(&p->marks, p->event.start_mark.index);
    struct node *list = node_new(p->arena, NODE_LIST, event_place(p));
    if (!enter_collection(p, (const char *)p->event.data.sequence_start.tag, list))
        return NULL;
    int height = 0;
    while (next(p) && p->event.type != YAML_SEQUENCE_END_EVENT) {
        struct node *element = parse_node(p, NODE_LIST, flow);
        if (!element)
            return NULL;
        height = p->height > height ? p->height : height;
        node_append(p->arena, list, NULL, element->where, element);
    }
    return p->stopped ? NULL : leave(p, list, begin, flow, height);
}

struct open_map {
    struct node *map;
    struct hash_map seen; // key to the number of its entry, plus 1
    struct node *merged;  // what `<<` gave; NULL without
};

static bool good_key(struct parser *p, const char **key, struct place where)
{
    if (p->event.type != YAML_SCALAR_EVENT) {
        fail(p->diag, where, "a key must be a word\nexpected 'key: value'");
        stop(p);
        return false;
    }
    *key = arena_strdup(p->arena, (const char *)p->event.data.scalar.value);
    if (!**key || strlen(*key) > KEY_MAX || strlen(*key) != p->event.data.scalar.length ||
        strchr(*key, '\n')) {
        fail(p->diag, where, "this is no key\nexpected a word of 1 to %d letters before ':'",
             KEY_MAX);
        p->failed = true;
    } else if (p->event.data.scalar.tag) {
        fail(p->diag, where, "a key cannot have a tag");
        p->failed = true;
    }
    return true;
}

static void add_merged(struct parser *p, struct open_map *o, const struct node *from)
{
    for (int i = 0; i < from->n; i++)
        if (node_index(o->merged, from->entry[i].key) < 0)
            node_append(p->arena, o->merged, from->entry[i].key, from->entry[i].where,
                        from->entry[i].value);
}

// <<: *a or <<: [*a, *b]; earlier maps and the map's own keys win.
static void merge_key(struct parser *p, struct open_map *o, const struct node *value)
{
    if (!o->merged)
        o->merged = node_new(p->arena, NODE_MAP, value->where);
    const int n = value->kind == NODE_LIST ? value->n : 1;
    for (int i = 0; i < n; i++) {
        const struct node *from = value->kind == NODE_LIST ? value->entry[i].value : value;
        if (from->kind == NODE_MAP) {
            add_merged(p, o, from);
            continue;
        }
        fail(p->diag, from->where, "'<<' takes a map\nexpected '<<: *name' or '<<: [*name, …]'");
        p->failed = true;
    }
}

static void add_entry(struct parser *p, struct open_map *o, const char *key, bool plain_key,
                      struct place where, struct node *value)
{
    const size_t known = (size_t)hash_map_get(&o->seen, key);
    if (known) {
        fail(p->diag, where, "duplicate key '%s'\nthe first is in line %d", key, (int)known);
        p->failed = true;
        return;
    }
    hash_map_set(&o->seen, key, (void *)(size_t)where.line);
    if (plain_key && !strcmp(key, "<<"))
        merge_key(p, o, value);
    else
        node_append(p->arena, o->map, key, where, value);
}

static struct node *with_merged(struct parser *p, struct open_map *o)
{
    for (int i = 0; o->merged && i < o->merged->n; i++) {
        const struct entry *e = &o->merged->entry[i];
        if (!hash_map_get(&o->seen, e->key))
            node_append(p->arena, o->map, e->key, e->where, e->value);
    }
    return o->map;
}

static struct node *parse_map(struct parser *p)
{
    const bool flow = p->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    const size_t begin = marks_byte(&p->marks, p->event.start_mark.index);
    struct open_map o = {.map = node_new(p->arena, NODE_MAP, event_place(p))};
    hash_map_init(&o.seen, p->arena);
    if (!enter_collection(p, (const char *)p->event.data.mapping_start.tag, o.map))
        return NULL;
    int height = 0;
    while (next(p) && p->event.type != YAML_MAPPING_END_EVENT) {
        const char *key;
        const struct place where = event_place(p);
        const bool plain_key = yaml_is_plain(&p->event);
        if (!good_key(p, &key, where) || !next(p))
            return NULL;
        struct node *value = parse_node(p, NODE_MAP, flow);
        if (!value)
            return NULL;
        height = p->height > height ? p->height : height;
        add_entry(p, &o, key, plain_key, where, value);
    }
    return p->stopped ? NULL : leave(p, with_merged(p, &o), begin, flow, height);
}

// --- nodes ---------------------------------------------------------------------------------------

static struct node *parse_alias(struct parser *p)
{
    const char *name = (const char *)p->event.data.alias.anchor;
    const struct anchor *anchor = hash_map_get(&p->anchors, name);
    const struct place where = event_place(p);
    if (!anchor) {
        fail(p->diag, where,
             "unknown alias '*%s'\nexpected a name given with '&%s' above; quote a "
             "text that begins with '*'",
             name, name);
        return stop(p);
    }
    if (p->depth + anchor->height > DEPTH_MAX) {
        fail(p->diag, where, "nested more than %d deep", DEPTH_MAX);
        return stop(p);
    }
    p->height = anchor->height;
    return counted(p, anchor->node, anchor->nodes);
}

static const yaml_char_t *anchor_name(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return e->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return e->data.mapping_start.anchor;
    default: return NULL;
    }
}

static struct node *parse_any(struct parser *p, enum node_kind in, bool flow)
{
    struct node *node;
    switch (p->event.type) {
    case YAML_SCALAR_EVENT:
        node = parse_scalar(p);
        if (node && flow && node->text && !node->quoted && open_parens(node->text) > 0)
            node = join_parens(p, node, in == NODE_MAP);
        return node;
    case YAML_SEQUENCE_START_EVENT: return parse_list(p);
    case YAML_MAPPING_START_EVENT: return parse_map(p);
    case YAML_ALIAS_EVENT: return parse_alias(p);
    default: return stop(p);
    }
}

static struct node *parse_node(struct parser *p, enum node_kind in, bool flow)
{
    const int before = p->nodes;
    const yaml_char_t *name = anchor_name(&p->event);
    const char *copy = name ? arena_strdup(p->arena, (const char *)name) : NULL;
    struct node *node = parse_any(p, in, flow);
    if (node && copy) {
        struct anchor *anchor = NEW(p->arena, struct anchor);
        *anchor = (struct anchor){node, p->nodes - before, p->height};
        hash_map_set(&p->anchors, copy, anchor);
    }
    return node;
}

static struct node *parse_document(struct parser *p)
{
    const struct place begin = marks_place(&p->marks, p->marks.from, p->marks.from + 1);
    if (!next(p) || !next(p)) // the stream's start; the document's, or the stream's end
        return NULL;
    if (p->event.type == YAML_STREAM_END_EVENT)
        return node_new(p->arena, NODE_NULL, begin);
    if (!next(p))
        return NULL;
    struct node *root = parse_node(p, NODE_NULL, false);
    if (!root || !next(p) || !next(p))
        return NULL;
    if (p->event.type != YAML_STREAM_END_EVENT) {
        fail(p->diag, event_place(p), "a second document\nexpected one document in a file");
        return stop(p);
    }
    return root;
}

static struct node *parse_copy(struct parser *p)
{
    hash_map_init(&p->anchors, p->arena);
    p->failed = p->stopped = p->again = p->has_event = false;
    p->nodes = p->depth = 0;
    if (!yaml_parser_initialize(&p->yaml))
        out_of_memory(sizeof p->yaml);
    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->yaml, (const unsigned char *)p->copy + p->marks.from,
                                 p->marks.length - p->marks.from);
    struct node *root = parse_document(p);
    if (p->has_event)
        yaml_event_delete(&p->event);
    yaml_parser_delete(&p->yaml);
    return p->failed ? NULL : root;
}

struct node *yaml_parse(struct arena *a, const struct source *source, size_t from, struct diag *d)
{
    struct parser p = {.arena = a, .diag = d, .copy = arena_strdup(a, source->text)};
    if (!strncmp(source->text + from, "\xEF\xBB\xBF", 3))
        from += 3;
    marks_init(&p.marks, a, source, from);
    struct node *root = parse_copy(&p);
    while (p.again)
        root = parse_copy(&p);
    return root;
}

struct node *node_parse(struct arena *a, const struct source *source, struct diag *d)
{
    return text_check(source, strlen(source->text), d) ? yaml_parse(a, source, 0, d) : NULL;
}

const char *config_library_version(void) { return yaml_get_version_string(); }
