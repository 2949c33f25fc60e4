// What the file at the other end is: a person's terminal or not.
#ifndef VIEW_TERMINAL_H
#define VIEW_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

bool terminal_is(FILE *f);         // a terminal that can redraw a line (TERM is not "dumb")
bool terminal_has_colour(FILE *f); // and the user has not set NO_COLOR (https://no-color.org)
int terminal_width(FILE *f);       // in columns; 0 when it is no terminal

#endif
