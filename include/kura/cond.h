/* Condition variables that sleep by the monotonic clock, which setting the system's time does not move. */
#ifndef KURA_COND_H
#define KURA_COND_H

#include <pthread.h>
#include <stdbool.h>

void cond_init(pthread_cond_t *cond);
/* Sleeps, with the mutex held, until cond is signalled or so many milliseconds are over; false for the latter. As ever
 * with these, it may also wake up for nothing. */
bool cond_wait_for(pthread_cond_t *cond, pthread_mutex_t *mutex, unsigned milliseconds);

#endif
