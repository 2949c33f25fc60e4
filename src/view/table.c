// Text tables by libsmartcols, the library behind lsblk, which knows widths of letters and what to
// cut when a terminal is narrow; JSON's texts by jansson. Numbers are written with the digits that
// matter to a reader in the one and exactly in the other.
#include "view/table.h"

#include "base/diag.h"
#include "base/printable.h"
#include "base/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <libsmartcols.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "view/terminal.h"

static void real_text(double x, struct text *out)
{
    if (isnan(x))
        text_add(out, "nan");
    else if (isinf(x))
        text_add(out, x > 0 ? "inf" : "-inf");
    else
        text_addf(out, "%.5g", x);
}

void cell_text(const struct cell *c, struct text *out)
{
    switch (c->type) {
    case CELL_INT: text_addf(out, "%" PRId64, c->integer); break;
    case CELL_REAL: real_text(c->real, out); break;
    case CELL_TEXT: text_add_printable(out, c->text, strlen(c->text), "\n\t"); break;
    case CELL_NULL: text_add(out, "-"); break;
    }
}

// A column of numbers is set to the right.
static bool is_number_column(const struct table *t, int column)
{
    bool any = false;
    for (int i = 0; i < table_rows(t); i++) {
        const enum cell_type type = table_at(t, i, column)->type;
        if (type == CELL_TEXT)
            return false;
        any |= type != CELL_NULL;
    }
    return any;
}

// On a narrow terminal texts are cut, numbers and the first column never.
static void add_columns(const struct table *t, struct libscols_table *s, bool bold)
{
    struct text name;
    text_init(&name);
    for (int i = 0; i < t->n_column; i++) {
        const int flags = is_number_column(t, i) ? SCOLS_FL_RIGHT : i ? SCOLS_FL_TRUNC : 0;
        text_clear(&name);
        text_add_printable(&name, t->column[i], strlen(t->column[i]), "");
        struct libscols_column *c = scols_table_new_column(s, name.s, 1, flags);
        if (bold)
            scols_cell_set_color(scols_column_get_header(c), "bold");
    }
    text_release(&name);
}

// One line a row: line breaks in a cell become blanks.
static void add_rows(const struct table *t, struct libscols_table *s)
{
    struct text cell;
    text_init(&cell);
    for (int i = 0; i < table_rows(t); i++) {
        struct libscols_line *line = scols_table_new_line(s, NULL);
        for (int j = 0; j < t->n_column; j++) {
            text_clear(&cell);
            cell_text(table_at(t, i, j), &cell);
            for (char *p = cell.s; *p; p++)
                if (*p == '\n' || *p == '\t')
                    *p = ' ';
            scols_line_set_data(line, (size_t)j, cell.s);
        }
    }
    text_release(&cell);
}

static bool is_whole_table(const struct table *t)
{
    return t->n_column ? t->n_cell % t->n_column == 0 : !t->n_cell;
}

static void draw_columns(const struct table *t, struct text *out, int width, bool bold)
{
    ASSERT(is_whole_table(t));
    struct libscols_table *s = scols_new_table();
    scols_table_set_termforce(s, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (width)
        scols_table_set_termwidth(s, (size_t)width);
    scols_table_set_column_separator(s, "  ");
    scols_table_enable_colors(s, bold);
    scols_table_enable_noencoding(s, 1); // what is not to be shown was written out already
    add_columns(t, s, bold);
    add_rows(t, s);
    char *drawn = NULL;
    if (!scols_print_table_to_string(s, &drawn) && drawn) {
        text_add(out, drawn);
        if (out->n && out->s[out->n - 1] != '\n')
            text_add(out, "\n");
    }
    free(drawn);
    scols_unref_table(s);
}

void table_draw_text(const struct table *t, struct text *out, int width)
{
    draw_columns(t, out, width, false);
}

void table_draw(const struct table *t, FILE *to, int width)
{
    struct text out;
    text_init(&out);
    draw_columns(t, &out, width ? width : terminal_width(to), terminal_has_colour(to));
    fputs(out.s, to);
    text_release(&out);
}

void table_draw_fields(const struct table *t, FILE *to)
{
    int name = 0;
    for (int j = 0; j < t->n_column; j++)
        name = (int)strlen(t->column[j]) > name ? (int)strlen(t->column[j]) : name;
    struct text cell;
    text_init(&cell);
    for (int j = 0; table_rows(t) && j < t->n_column; j++) {
        const struct cell *c = table_at(t, 0, j);
        text_clear(&cell);
        cell_text(c, &cell);
        if (c->type != CELL_NULL && *cell.s)
            fprintf(to, "%-*s  %s\n", name, t->column[j], cell.s);
    }
    text_release(&cell);
}

static void json_text(const char *s, FILE *to)
{
    json_t *j = json_string(s);
    if (j)
        json_dumpf(j, to, JSON_ENCODE_ANY);
    else
        fputs("\"(not UTF-8)\"", to);
    json_decref(j);
}

// The shortest decimal that reads back as x.
static void json_number(double x, FILE *to)
{
    char s[32] = "null";
    for (int digits = 15; isfinite(x) && digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, x);
        if (strtod(s, NULL) == x)
            break;
    }
    fputs(s, to);
}

static void json_cell(const struct cell *c, FILE *to)
{
    if (c->type == CELL_INT)
        fprintf(to, "%" PRId64, c->integer);
    else if (c->type == CELL_REAL)
        json_number(c->real, to);
    else if (c->type == CELL_TEXT)
        json_text(c->text, to);
    else
        fputs("null", to);
}

static void json_rows(const struct table *t, FILE *to)
{
    for (int i = 0; i < table_rows(t); i++) {
        fputs(i ? ",\n  {" : "\n  {", to);
        for (int j = 0; j < t->n_column; j++) {
            fputs(j ? ", " : "", to);
            json_text(t->column[j], to);
            fputs(": ", to);
            json_cell(table_at(t, i, j), to);
        }
        fputc('}', to);
    }
}

void tables_json(const struct table *const *t, int n, FILE *to)
{
    fputs("{\"schema\": 1", to);
    for (int i = 0; i < n; i++) {
        ASSERT(is_whole_table(t[i]));
        fputs(",\n ", to);
        json_text(t[i]->title, to);
        fputs(": [", to);
        json_rows(t[i], to);
        fputs("]", to);
    }
    fputs("}\n", to);
}
