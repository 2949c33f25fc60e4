// Tables for people and for programs.
#ifndef VIEW_TABLE_H
#define VIEW_TABLE_H

#include <stdio.h>

#include "store/sql_table.h"

struct text;

// For people: aligned columns, no wider than `width` (0: the terminal's; no limit when `to` is no
// terminal). Bold headings on a terminal only, and not with NO_COLOR.
void table_draw(const struct table *t, FILE *to, int width);
void table_draw_text(const struct table *t, struct text *out, int width);
// A table of one row as lines "name  value", without the empty ones.
void table_draw_fields(const struct table *t, FILE *to);
// For programs: {"schema": 1, "TITLE": [{"column": value, …}, …], …}; NaN and ±Inf are null.
void tables_json(const struct table *const *t, int n, FILE *to);
// "0.000123", "14.2", "1.2e+09": at most 5 digits that matter; whole numbers as they are.
void cell_text(const struct cell *c, struct text *out);

#endif
