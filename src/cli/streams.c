#include "cli/streams.h"

#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// What is written to the root folder, opened to be read, fails as on a closed descriptor. It is there
// where /dev is not.
void streams_open(void)
{
    int fd;
    do
        fd = open("/", O_RDONLY | O_DIRECTORY);
    while (fd >= 0 && fd < 2);
    if (fd > 2)
        close(fd);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

// Why standard output failed; the library forgets it with what it could not write.
static int why_failed;

void streams_flush(void)
{
    if (fflush(stdout))
        why_failed = errno;
}

int streams_close(int code)
{
    streams_flush();
    if (!why_failed && !ferror(stdout))
        return code;
    fprintf(stderr, "ganexp: error: cannot write all of the output%s%s\n", why_failed ? ": " : "",
            why_failed ? strerror(why_failed) : "");
    return code == EXIT_DONE ? EXIT_FAILED : code;
}
