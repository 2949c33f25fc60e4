#include "base/clock.h"

#include <time.h>

static double clock_seconds(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) ? 0 : (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double clock_now(void) { return clock_seconds(CLOCK_MONOTONIC); }

double clock_of_thread(pthread_t thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) ? 0 : clock_seconds(clock);
}
