// A table of typed cells: what queries return, what view/table.h draws.
#ifndef STORE_SQL_TABLE_H
#define STORE_SQL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

enum cell_type { CELL_NULL, CELL_INT, CELL_REAL, CELL_TEXT };

struct cell {
    enum cell_type type;
    union {
        int64_t integer;
        double real;
        const char *text;
    };
};

struct table {
    struct arena *arena;
    const char *title;
    const char **column;
    int n_column;
    struct cell *cell; // row by row
    int n_cell;
};

struct table *table_new(struct arena *a, const char *title);
void table_column(struct table *t, const char *name); // all columns come before the first cell
// Cells are appended row by row. Text is copied; NULL text is a null.
void table_int(struct table *t, int64_t x);
void table_real(struct table *t, double x);
void table_text(struct table *t, const char *s);
void table_null(struct table *t);
void table_cell(struct table *t, struct cell c); // text is not copied
int table_rows(const struct table *t);
struct cell *table_at(const struct table *t, int row, int column);
int table_find(const struct table *t, const char *column); // -1 when absent

#endif
