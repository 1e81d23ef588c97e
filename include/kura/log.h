/* Log lines for people. Only cmd/ and lib/flow log above debug; cmd/ decides where lines go. Thread-safe.
 * Formats are translated. */
#ifndef KURA_LOG_H
#define KURA_LOG_H

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } LogLevel;

typedef void (*LogSink)(void *ctx, LogLevel level, const char *message);

/* Where lines go from now on. Without a sink they are dropped. Call it before any thread starts. */
void log_set_sink(LogSink sink, void *ctx, LogLevel least);
void log_at(LogLevel level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)

#endif
