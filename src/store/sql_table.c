// One flat array of cells in reading order; a row is complete when its last column was appended.
#include "store/sql_table.h"

#include "base/arena.h"
#include "base/diag.h"

#include <string.h>

struct table *table_new(struct arena *a, const char *title)
{
    struct table *t = NEW(a, struct table);
    t->arena = a;
    t->title = title;
    return t;
}

void table_column(struct table *t, const char *name)
{
    ASSERT(t->n_cell == 0);
    APPEND(t->arena, t->column, t->n_column, arena_strdup(t->arena, name));
}

void table_cell(struct table *t, struct cell c)
{
    ASSERT(t->n_column > 0);
    APPEND(t->arena, t->cell, t->n_cell, c);
}

void table_int(struct table *t, int64_t x)
{
    table_cell(t, (struct cell){.type = CELL_INT, .integer = x});
}

void table_real(struct table *t, double x)
{
    table_cell(t, (struct cell){.type = CELL_REAL, .real = x});
}

void table_null(struct table *t) { table_cell(t, (struct cell){.type = CELL_NULL}); }

void table_text(struct table *t, const char *s)
{
    if (s)
        table_cell(t, (struct cell){.type = CELL_TEXT, .text = arena_strdup(t->arena, s)});
    else
        table_null(t);
}

int table_rows(const struct table *t) { return t->n_column ? t->n_cell / t->n_column : 0; }

struct cell *table_at(const struct table *t, int row, int column)
{
    ASSERT(row >= 0 && row < table_rows(t) && column >= 0 && column < t->n_column);
    return &t->cell[row * t->n_column + column];
}

int table_find(const struct table *t, const char *column)
{
    for (int i = 0; i < t->n_column; i++)
        if (!strcmp(t->column[i], column))
            return i;
    return -1;
}
