#include "kura/error.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kura/words.h"

static const struct {
    const char *name;
    int status;
} codes[] = {
#define ERROR(name, status, text) {#name, status},
#include "kura/errors.def"
#undef ERROR
};

/* A text that was cut to its buffer ends before the character that has no room. */
static void end_whole(char *text, size_t size)
{
    size_t end = strlen(text);
    if (end + 1 < size)
        return;
    size_t start = end;
    while (start > 0 && end - start < 4 && ((uint8_t)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (uint8_t)text[start - 1] >= 0xC0) {
        uint8_t lead = (uint8_t)text[--start];
        size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (end - start < len)
            text[start] = 0;
    }
}

/* Formatted aside first: the arguments may be texts of err itself. */
static void set_message(Error *err, ErrorCode code, const char *format, va_list args)
{
    char message[sizeof err->message];
    vsnprintf(message, sizeof message, words_get(format), args);
    error_clear(err);
    err->code = code;
    memcpy(err->message, message, sizeof message);
    end_whole(err->message, sizeof err->message);
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
    end_whole(err->message, sizeof err->message);
    if (errnum == ENOSPC || errnum == EDQUOT)
        error_hint(err, "Free some space, or use another directory; nothing that was there before was harmed.");
    if (errnum == EIO)
        error_hint(err, "The device fails, or the way to it: look at the kernel's messages (\"dmesg\").");
    return -1;
}

int error_wrap(Error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    char inner[sizeof err->message], outer[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    vsnprintf(outer, sizeof outer, words_get(format), args);
    va_end(args);
    memcpy(err->message, outer, sizeof outer);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    end_whole(err->message, sizeof err->message);
    return -1;
}

int error_hint(Error *err, const char *format, ...)
{
    if (err == NULL)
        return -1;
    char hint[sizeof err->hint];
    va_list args;
    va_start(args, format);
    vsnprintf(hint, sizeof hint, words_get(format), args);
    va_end(args);
    memcpy(err->hint, hint, sizeof hint);
    end_whole(err->hint, sizeof err->hint);
    return -1;
}

bool error_is_unreadable(const Error *err)
{
    return err->code == ERR_CORRUPT || err->code == ERR_TRUNCATED || err->code == ERR_UNSUPPORTED;
}

void error_clear(Error *err)
{
    *err = (Error)ERROR_INIT;
}

int error_exit_status(ErrorCode code)
{
    return codes[code].status;
}

static char lower_names[sizeof codes / sizeof codes[0]][24];

static void lower_all(void)
{
    for (size_t code = 0; code < sizeof codes / sizeof codes[0]; code++)
        for (size_t i = 0; codes[code].name[i] != 0; i++)
            lower_names[code][i] = codes[code].name[i] == '_' ? '_' : (char)(codes[code].name[i] | 0x20);
}

const char *error_code_name(ErrorCode code)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, lower_all);
    return lower_names[code];
}
