/* Errors: a code, a message, an optional hint. Functions that can fail return 0, or -1 with the reason in an Error that
 * lives on the caller's stack. Libraries never print and never exit. Formats are translated here (kura/words.h). */
#ifndef KURA_ERROR_H
#define KURA_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

typedef enum ErrorCode {
#define ERROR(name, status, text) ERR_##name,
#include "kura/errors.def"
#undef ERROR
} ErrorCode;

typedef struct Error {
    ErrorCode code;
    int sys_errno;    /* errno where the system refused, else 0 */
    char sqlstate[6]; /* five characters where a server refused, else "" */
    char message[4096];
    char hint[1024];
} Error;

#define ERROR_INIT                                                                                                     \
    {                                                                                                                  \
        .code = ERR_NONE                                                                                               \
    }

/* Sets code and message (PostgreSQL's style: lower case, no period), clears the rest. Returns -1. err may be NULL. */
int error_set(Error *err, ErrorCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As error_set with ERR_IO (ERR_NOT_FOUND for ENOENT, ERR_PERMISSION for EACCES and EPERM) and ": strerror(errnum)" at
 * the end of the message. Returns -1. */
int error_errno(Error *err, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of the message: the outer step first, the cause last. Returns -1. */
int error_wrap(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the hint: full sentences that tell the remedy. Returns -1. */
int error_hint(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether what was read cannot be used: it is damaged, cut off, or for another version. */
bool error_is_unreadable(const Error *err);

/* Forgets what is in err. */
void error_clear(Error *err);

/* The exit status that goes with a code; interrupted by SIGTERM is the caller's business (stop.h). */
int error_exit_status(ErrorCode code);

/* The code's name in lower case, for JSON. */
const char *error_code_name(ErrorCode code);

#endif
