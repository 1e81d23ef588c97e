#include "kura/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} codes[] = {
#define ERROR(name, status, text) {#name, status},
#include "kura/errors.def"
#undef ERROR
};

static void set_message(Error *err, ErrorCode code, const char *format, va_list args)
{
    error_clear(err);
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
}

int error_set(Error *err, ErrorCode code, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    set_message(err, code, format, args);
    va_end(args);
    return -1;
}

int error_errno(Error *err, int errnum, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    ErrorCode code = errnum == ENOENT ? ERR_NOT_FOUND : errnum == EACCES || errnum == EPERM ? ERR_PERMISSION : ERR_IO;
    set_message(err, code, format, args);
    va_end(args);
    err->sys_errno = errnum;
    size_t used = strlen(err->message);
    char text[256];
    snprintf(err->message + used, sizeof err->message - used, ": %s", strerror_r(errnum, text, sizeof text));
    if (errnum == ENOSPC || errnum == EDQUOT)
        error_hint(err, "Free some space, or use another directory; nothing that was there before was harmed.");
    return -1;
}

int error_wrap(Error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    return -1;
}

int error_hint(Error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return -1;
}

void error_clear(Error *err)
{
    *err = (Error)ERROR_INIT;
}

int error_exit_status(ErrorCode code)
{
    return codes[code].status;
}

const char *error_code_name(ErrorCode code)
{
    static char lower[sizeof codes / sizeof codes[0]][24];
    char *out = lower[code];
    if (out[0] == 0)
        for (size_t i = 0; codes[code].name[i] != 0; i++)
            out[i] = codes[code].name[i] == '_' ? '_' : (char)(codes[code].name[i] | 0x20);
    return out;
}
