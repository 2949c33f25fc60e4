// A message about a value says what was expected first and what might have been meant second. The
// range is part of what is expected, so one function writes it for the message and for the help.
#include "config/param.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/number.h"
#include "config/range.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

const char *node_text(const struct node *node)
{
    switch (node->kind) {
    case NODE_SCALAR: return node->text;
    case NODE_LIST: return "a list";
    case NODE_MAP: return "a map";
    default: return "nothing";
    }
}

bool range_has(struct range r, double x) { return x >= r.min && x <= r.max; }

// Limits beyond what anyone would write are "no limit" in messages.
void range_write(struct range r, struct text *out)
{
    char low[32], high[32];
    number_text(r.min, low);
    number_text(r.max, high);
    const bool has_low = r.min > -1e15, has_high = r.max < 1e15;
    if (r.min == 0 && r.max == 0)
        return;
    if (has_low && has_high)
        text_addf(out, " from %s to %s", low, high);
    else if (has_low)
        text_addf(out, " of at least %s", low);
    else if (has_high)
        text_addf(out, " of at most %s", high);
}

static const char *fault_text(enum number_fault fault)
{
    return fault == NUMBER_HUGE ? ": too large" : fault == NUMBER_FRACTION ? ": not whole" : "";
}

// "expected a whole number from 1 to 4096" under the value.
static bool fail_number(struct diag *d, const struct node *node, const char *what, const char *kind,
                        struct range r, enum number_fault fault)
{
    struct text expected;
    text_init(&expected);
    range_write(r, &expected);
    const char *mark = node->kind == NODE_SCALAR ? "'" : "";
    fail(d, node->where, "%s is %s%s%s%s\nexpected %s%s", what, mark, node_text(node), mark,
         fault_text(fault), kind, expected.s);
    text_release(&expected);
    return false;
}

bool read_int(const struct node *node, const char *what, struct range r, int64_t *out,
              struct diag *d)
{
    ASSERT(what && out);
    int64_t x = 0;
    const enum number_fault fault = node->kind == NODE_SCALAR ? whole_read(node->text, &x)
                                                              : NUMBER_WRONG;
    if (fault || !range_has(r, (double)x))
        return fail_number(d, node, what, "a whole number", r, fault);
    *out = x;
    return true;
}

bool read_float(const struct node *node, const char *what, struct range r, double *out,
                struct diag *d)
{
    double x = 0;
    const enum number_fault fault = node->kind == NODE_SCALAR ? number_read(node->text, &x)
                                                              : NUMBER_WRONG;
    if (fault || !range_has(r, x))
        return fail_number(d, node, what, "a number", r, fault);
    *out = x;
    return true;
}

bool read_duration(const struct node *node, const char *what, struct range r, double *out,
                   struct diag *d)
{
    double x = 0;
    const enum number_fault fault = node->kind == NODE_SCALAR ? duration_read(node->text, &x)
                                                              : NUMBER_WRONG;
    if (fault)
        return fail_number(d, node, what, "a duration such as 45s, 30m or 1h30m", (struct range){0},
                           fault);
    if (!range_has(r, x))
        return fail_number(d, node, what, "a duration in seconds", r, fault);
    *out = x;
    return true;
}

// What YAML 1.1 and people also take for true or false.
static const char *foreign_bool(const char *text)
{
    static const char *const yes[] = {"yes", "on", "y", "true", "1"};
    static const char *const no[] = {"no", "off", "n", "false", "0"};
    for (size_t i = 0; i < LENGTH(yes); i++)
        if (!strcasecmp(text, yes[i]))
            return "true";
    for (size_t i = 0; i < LENGTH(no); i++)
        if (!strcasecmp(text, no[i]))
            return "false";
    return NULL;
}

bool scalar_bool(const struct node *node, const char *what, bool *out, struct diag *d)
{
    const char *text = node->kind == NODE_SCALAR ? node->text : "";
    *out = !strcmp(text, "true");
    if (*out || !strcmp(text, "false"))
        return true;
    const char *meant = foreign_bool(text);
    if (meant)
        return fail(d, node->where, "%s is '%s'\nexpected true or false; write '%s'", what, text,
                    meant);
    const char *mark = node->kind == NODE_SCALAR ? "'" : "";
    return fail(d, node->where, "%s is %s%s%s\nexpected true or false", what, mark, node_text(node),
                mark);
}

bool scalar_int(const struct node *node, const char *what, int64_t min, int64_t max, int64_t *out,
                struct diag *d)
{
    return read_int(node, what, (struct range){(double)min, (double)max}, out, d);
}

bool scalar_float(const struct node *node, const char *what, double min, double max, double *out,
                  struct diag *d)
{
    return read_float(node, what, (struct range){min, max}, out, d);
}
