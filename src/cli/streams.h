// The standard streams: what is written to them may fail, and that ends nothing and is not hidden.
#ifndef CLI_STREAMS_H
#define CLI_STREAMS_H

// First of all: a write into a pipe that has ended, or past a limit on file sizes, fails and does not
// end the process; descriptors 0 to 2 that are closed are taken, or a checkpoint would be opened as
// standard output and receive what is printed.
void streams_open(void);

// Gives out what was printed, so that messages on standard error stand after it.
void streams_flush(void);

// Last of all: the exit code. EXIT_FAILED in place of EXIT_DONE, and a line on standard error,
// where standard output did not take all that was printed.
int streams_close(int code);

#endif
