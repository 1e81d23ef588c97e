#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

int version_parse(const char *text, Version *ret, Error *err)
{
    static const char suffix[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_~-";
    const char *at = text + (*text == 'v');
    *ret = (Version){0};
    while (ret->n < VERSION_NUMBERS && isdigit((unsigned char)*at)) {
        char *end;
        ret->numbers[ret->n++] = strtoul(at, &end, 10);
        at = end;
        if (*at != '.' || !isdigit((unsigned char)at[1]))
            break;
        at++;
    }
    ret->before = *at == '-' || isalpha((unsigned char)*at);
    if (ret->n > 0 && (*at == 0 || *at == '-' || *at == '+' || isalpha((unsigned char)*at)) &&
        at[strspn(at, suffix)] == 0)
        return 0;
    error_set(err, ERR_USAGE, "\"%s\" is not a version", text);
    return error_hint(err, "Write it as the release is called, such as 4.3.1.");
}

int version_order(const Version *a, const Version *b, size_t numbers)
{
    for (size_t i = 0; i < numbers; i++)
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    return 0;
}

int version_compare(const char *a, const char *b, int *ret, Error *err)
{
    Version first, second;
    if (version_parse(a, &first, err) < 0 || version_parse(b, &second, err) < 0)
        return -1;
    *ret = version_order(&first, &second, VERSION_NUMBERS);
    if (*ret == 0)
        *ret = (int)second.before - (int)first.before;
    return 0;
}
