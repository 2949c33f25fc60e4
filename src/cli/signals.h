// SIGINT, SIGTERM and SIGHUP of the commands that take long.
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

// The signal that asked to stop; 0: none came.
extern volatile sig_atomic_t stop_signal;

// From here on the first of them sets stop_signal; the second ends the process.
void signals_catch(void);
// A handler of one's own for all three; flags as of sigaction. SIGHUP stays ignored where it was
// (nohup).
void signals_handle(void (*handler)(int signal), int flags);

#endif
