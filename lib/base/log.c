#include "kura/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kura/mem.h"
#include "kura/words.h"

static LogSink current_sink;
static void *current_ctx;
static LogLevel current_least = LOG_INFO;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void log_set_sink(LogSink sink, void *ctx, LogLevel least)
{
    current_sink = sink;
    current_ctx = ctx;
    current_least = least;
}

void log_at(LogLevel level, const char *format, ...)
{
    if (current_sink == NULL || level < current_least)
        return;
    va_list args;
    va_start(args, format);
    char *message = xvasprintf(words_get(format), args);
    va_end(args);
    pthread_mutex_lock(&mutex);
    current_sink(current_ctx, level, message);
    pthread_mutex_unlock(&mutex);
    free(message);
}
