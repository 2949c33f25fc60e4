// Asked of the file that is written to, never of standard output: a person may look at one stream
// and pipe the other.
#include "view/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(FILE *f)
{
    const char *term = getenv("TERM");
    return fileno(f) >= 0 && isatty(fileno(f)) && !(term && !strcmp(term, "dumb"));
}

bool terminal_has_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    return terminal_is(f) && !(no && *no);
}

int terminal_width(FILE *f)
{
    struct winsize size;
    if (fileno(f) < 0 || !isatty(fileno(f)))
        return 0;
    if (!ioctl(fileno(f), TIOCGWINSZ, &size) && size.ws_col)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    const int n = columns ? atoi(columns) : 0;
    return n > 0 ? n : 80;
}
