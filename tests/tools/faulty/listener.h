/* The proxy's port: one thread a connection. */
#ifndef FAULTY_LISTENER_H
#define FAULTY_LISTENER_H

/* Listens on a free port of 127.0.0.1, prints it on standard output, and calls serve(ctx, descriptor) in a thread of
 * its own for each connection; serve owns the descriptor until it calls listener_forget. Does not return. */
void listener_run(void (*serve)(void *ctx, int fd), void *ctx) __attribute__((noreturn));
/* To be called before a connection is closed. */
void listener_forget(int fd);
/* Resets all connections, and refuses new ones for so many seconds. */
void listener_refuse(long seconds);

#endif
