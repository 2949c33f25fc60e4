// The canonical text is for people first: block style for what has structure, one line for what
// fits on one. It reads back to an equal tree, so a text is quoted wherever plain YAML would take
// it for something else, in the narrower sense of flow style and of our own joining of '(' … ')'.
#include "config/node.h"

#include "base/text.h"
#include "config/tree.h"

#include <string.h>

enum { WIDTH = 100 };

// --- scalars -------------------------------------------------------------------------------------

// Characters that YAML's reader refuses or takes for the end of a line, and those that show
// nothing.
static bool must_escape(unsigned c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF ||
           c == 0xFFFE || c == 0xFFFF;
}

static unsigned decode(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    const int n = *p < 0x80 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
    unsigned c = n == 1 ? *p : *p & (0xFFu >> (n + 1));
    int i = 1;
    for (; i < n && (p[i] & 0xC0) == 0x80; i++)
        c = c << 6 | (p[i] & 0x3F);
    *at += i;
    return c;
}

static void write_quoted(const char *s, struct text *out)
{
    text_add(out, "\"");
    while (*s) {
        const char *begin = s;
        const unsigned c = decode(&s);
        if (c == '"' || c == '\\')
            text_addf(out, "\\%c", (char)c);
        else if (c == '\n')
            text_add(out, "\\n");
        else if (c == '\t')
            text_add(out, "\\t");
        else if (must_escape(c))
            text_addf(out, c < 0x100 ? "\\x%02X" : "\\u%04X", c);
        else
            text_add_n(out, begin, (size_t)(s - begin));
    }
    text_add(out, "\"");
}

static bool only_printable(const char *s)
{
    while (*s)
        if (must_escape(decode(&s)))
            return false;
    return true;
}

static bool balanced(const char *s)
{
    int open = 0;
    for (; *s; s++)
        open += (*s == '(') - (*s == ')');
    return open <= 0;
}

// Does plain style read back as this text?
static bool write_is_plain(const char *s, bool flow, bool key)
{
    const size_t n = strlen(s);
    if (text_is_null(s) || strchr("?:,[]{}#&*!|><'\"%@` ", *s) || s[n - 1] == ' ' ||
        s[n - 1] == ':' || !strncmp(s, "...", 3) || (*s == '-' && (!s[1] || strchr(" -", s[1]))))
        return false;
    if (strstr(s, ": ") || strstr(s, " #") || !only_printable(s) || (key && !strcmp(s, "<<")))
        return false;
    return !flow || (!strpbrk(s, ",[]{}:?") && balanced(s));
}

static void write_text(const char *s, bool flow, bool key, struct text *out)
{
    if (write_is_plain(s, flow, key))
        text_add(out, s);
    else
        write_quoted(s, out);
}

static void write_leaf(const struct node *node, bool flow, struct text *out)
{
    if (node_unset(node))
        text_add(out, "!unset");
    else if (node->kind == NODE_NULL)
        text_add(out, "null");
    else if (node->kind == NODE_SCALAR)
        write_text(node->text, flow, false, out);
    else
        text_add(out, node->kind == NODE_LIST ? "[]" : "{}");
}

// --- one line ------------------------------------------------------------------------------------

static void write_flow(const struct node *node, struct text *out)
{
    if (!node->n) {
        write_leaf(node, true, out);
        return;
    }
    const bool map = node->kind == NODE_MAP;
    text_add(out, map ? "{" : "[");
    for (int i = 0; i < node->n; i++) {
        text_add(out, i ? ", " : "");
        if (map) {
            write_text(node->entry[i].key, true, true, out);
            text_add(out, ": ");
        }
        write_flow(node->entry[i].value, out);
    }
    text_add(out, map ? "}" : "]");
}

static int height(const struct node *node)
{
    int most = -1;
    for (int i = 0; i < node->n; i++) {
        const int h = height(node->entry[i].value);
        most = h > most ? h : most;
    }
    return most + 1;
}

static bool has_map(const struct node *list)
{
    for (int i = 0; i < list->n; i++)
        if (list->entry[i].value->n)
            return true;
    return false;
}

// Writes the node on the line begun at byte `line` if it fits and is simple enough to be read
// there.
static bool fits_flow(const struct node *node, size_t line, struct text *out)
{
    if (height(node) > 3 || (node->kind == NODE_LIST && has_map(node)))
        return false;
    const size_t before = out->n;
    write_flow(node, out);
    if (out->n - line <= WIDTH)
        return true;
    out->n = before;
    out->s[before] = '\0';
    return false;
}

// --- blocks --------------------------------------------------------------------------------------

static void write_block(const struct node *node, int indent, bool begun, struct text *out);

// After "key:" or "-". A block below "-" begins on its line: "- critic: …".
static void write_value(const struct node *value, int indent, bool element, size_t line,
                        struct text *out)
{
    if (!value->n) {
        text_add(out, " ");
        write_leaf(value, false, out);
        text_add(out, "\n");
        return;
    }
    const size_t before = out->n;
    const bool section = indent == 0 && !element && value->kind == NODE_MAP;
    const bool word = element && value->kind == NODE_MAP && value->n == 1;
    text_add(out, " ");
    if (!section && !word && fits_flow(value, line, out)) {
        text_add(out, "\n");
    } else if (element) {
        write_block(value, indent + 2, true, out);
    } else {
        out->n = before;
        text_add(out, "\n");
        write_block(value, indent + 2, false, out);
    }
}

// `begun`: the first line's indentation is there already.
static void write_block(const struct node *node, int indent, bool begun, struct text *out)
{
    for (int i = 0; i < node->n; i++) {
        const size_t line = out->n - (begun && !i ? (size_t)indent : 0);
        text_addf(out, "%*s", begun && !i ? 0 : indent, "");
        if (node->kind == NODE_LIST) {
            text_add(out, "-");
        } else {
            write_text(node->entry[i].key, false, true, out);
            text_add(out, ":");
        }
        write_value(node->entry[i].value, indent, node->kind == NODE_LIST, line, out);
    }
}

void node_write_flow(const struct node *node, struct text *out) { write_flow(node, out); }

void node_write(const struct node *root, struct text *out)
{
    if (root->n) {
        write_block(root, 0, false, out);
        return;
    }
    write_leaf(root, false, out);
    text_add(out, "\n");
}
