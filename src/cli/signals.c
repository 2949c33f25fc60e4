#include "cli/signals.h"

#include <stddef.h>
#include <unistd.h>

#include "base/diag.h"

volatile sig_atomic_t stop_signal;

static void stop_or_end(int signal)
{
    if (stop_signal)
        _exit(128 + signal);
    stop_signal = signal;
}

void signals_handle(void (*handler)(int signal), int flags)
{
    ASSERT(handler);
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

void signals_catch(void) { signals_handle(stop_or_end, SA_RESTART); }
