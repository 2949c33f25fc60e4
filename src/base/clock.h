#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>

// Seconds since some moment; never goes back.
double clock_now(void);
// Processor time of a thread that was not joined yet, in seconds.
double clock_of_thread(pthread_t thread);

#endif
