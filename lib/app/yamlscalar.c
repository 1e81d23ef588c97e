#include "yamlscalar.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* Digits, and "_" between or after them: at least one digit, no "_" at the end. */
static bool are_digits(const char *text, const char *digits)
{
    bool some = false;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '_') {
            if (strchr(digits, tolower((unsigned char)text[i])) == NULL)
                return false;
            some = true;
        }
    return some && text[len - 1] != '_';
}

static char *without_underscores(const char *text)
{
    char *ret = xstrdup(text), *to = ret;
    for (const char *from = text; *from; from++)
        if (*from != '_')
            *to++ = *from;
    *to = 0;
    return ret;
}

/* ---- numbers as JavaScript writes them ---- */

/* The fewest digits that tell the number from its neighbours, and where its point is. */
static void shortest(double number, char digits[20], int *point)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    size_t n = 0;
    const char *from = text;
    for (; *from != 'e'; from++)
        if (*from != '.')
            digits[n++] = *from;
    digits[n] = 0;
    *point = atoi(from + 1) + 1;
}

char *js_number_text(double number)
{
    char digits[20];
    int point;
    if (isnan(number))
        return xstrdup("NaN");
    if (isinf(number))
        return xstrdup(number < 0 ? "-Infinity" : "Infinity");
    if (number == 0)
        return xstrdup("0");
    const char *sign = number < 0 ? "-" : "";
    shortest(fabs(number), digits, &point);
    int n = (int)strlen(digits);
    if (point > 21 || point < -5)
        return xasprintf("%s%c%s%se%+d", sign, digits[0], n > 1 ? "." : "", digits + 1, point - 1);
    if (point <= 0)
        return xasprintf("%s0.%.*s%s", sign, -point, "00000", digits);
    if (point >= n)
        return xasprintf("%s%s%.*s", sign, digits, point - n, "00000000000000000000000");
    return xasprintf("%s%.*s.%s", sign, point, digits, digits + point);
}

/* ---- YAML 1.2 as js-yaml has it ---- */

static double power_of_two_number(const char *digits, unsigned bits)
{
    unsigned __int128 number = 0;
    for (; *digits; digits++) {
        unsigned digit = isdigit((unsigned char)*digits) ? (unsigned)(*digits - '0')
                                                         : (unsigned)(tolower((unsigned char)*digits) - 'a' + 10);
        if (number >> (128 - bits))
            return ldexp((double)number, (int)(bits * strlen(digits))); /* beyond what anybody writes: rounded */
        number = number << bits | digit;
    }
    return (double)number;
}

static bool js_integer(const char *text, double *ret)
{
    static const struct {
        const char *prefix, *digits;
        unsigned bits;
    } bases[] = {{"0b", "01", 1}, {"0o", "01234567", 3}, {"0x", "0123456789abcdef", 4}};
    const char *number = text + (text[0] == '-' || text[0] == '+');
    double sign = text[0] == '-' ? -1 : 1;
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
        if (strncmp(number, bases[i].prefix, 2) == 0) {
            if (!are_digits(number + 2, bases[i].digits))
                return false;
            _cleanup_free_ char *digits = without_underscores(number + 2);
            *ret = sign * power_of_two_number(digits, bases[i].bits);
            return true;
        }
    if (number[0] == '_' || !are_digits(number, "0123456789"))
        return false;
    _cleanup_free_ char *digits = without_underscores(number);
    *ret = sign * strtod(digits, NULL);
    return true;
}

static const char *skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

/* The end of an exponent: nothing, or e, a sign and digits. NULL where it is none of both. */
static const char *exponent_end(const char *text)
{
    if (*text != 'e' && *text != 'E')
        return text;
    text += 1 + (text[1] == '-' || text[1] == '+');
    return isdigit((unsigned char)*text) ? skip(text, "0123456789") : NULL;
}

static bool js_float_shape(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+'), *end;
    if (isdigit((unsigned char)*at)) {
        at = skip(at, "0123456789_");
        if (*at == '.')
            at = skip(at + 1, "0123456789_");
    } else if (*text == '.' && strchr("0123456789_", text[1]) != NULL && text[1] != 0) {
        at = skip(text + 1, "0123456789_");
    } else {
        return false;
    }
    end = exponent_end(at);
    return end != NULL && *end == 0 && end[-1] != '_';
}

static bool js_float(const char *text, double *ret)
{
    static const char *const infinite[] = {".inf", ".Inf", ".INF", NULL}, *const nan[] = {".nan", ".NaN", ".NAN", NULL};
    if (is_one_of(text, nan)) {
        *ret = NAN;
        return true;
    }
    if (is_one_of(text + (*text == '-' || *text == '+'), infinite)) {
        *ret = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (!js_float_shape(text))
        return false;
    _cleanup_free_ char *number = without_underscores(text);
    const char *digits = number + strspn(number, "+-.");
    *ret = isdigit((unsigned char)*digits) ? strtod(number, NULL) : NAN;
    return true;
}

/* Whether text begins with that shape: d a digit, D one or none, anything else itself. *text is then behind it. */
static bool has_shape(const char **text, const char *shape)
{
    const char *at = *text;
    for (; *shape; shape++) {
        bool digit = isdigit((unsigned char)*at) != 0;
        if (*shape == 'd' ? !digit : *shape != 'D' && *shape != *at)
            return false;
        at += *shape != 'D' || digit;
    }
    *text = at;
    return true;
}

static bool is_time_zone(const char *text)
{
    text = skip(text, " \t");
    if (*text == 0 || strcmp(text, "Z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    text++;
    if (!has_shape(&text, "dD"))
        return false;
    return *text == 0 || (has_shape(&text, ":dd") && *text == 0);
}

/* A day, or a day and a time of it. */
static bool is_date(const char *text)
{
    const char *at = text;
    if (has_shape(&at, "dddd-dd-dd") && *at == 0)
        return true;
    at = text;
    if (!has_shape(&at, "dddd-dD-dD"))
        return false;
    if (*at == 'T' || *at == 't')
        at++;
    else if (*at == ' ' || *at == '\t')
        at = skip(at, " \t");
    else
        return false;
    if (!has_shape(&at, "dD:dd:dd"))
        return false;
    if (*at == '.')
        at = skip(at + 1, "0123456789");
    return is_time_zone(at);
}

YamlKind yaml_plain_js(const char *text, char **ret)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL}, *const no[] = {"false", "False", "FALSE", NULL};
    double number;
    if (is_one_of(text, nothing))
        return YAML_NOTHING;
    if (is_one_of(text, yes) || is_one_of(text, no))
        *ret = xstrdup(is_one_of(text, yes) ? "true" : "false");
    else if (js_integer(text, &number) || js_float(text, &number))
        *ret = js_number_text(number);
    else if (is_date(text))
        return YAML_DATE;
    else
        *ret = xstrdup(text);
    return YAML_TEXT;
}

/* ---- YAML 1.1 ---- */

/* 0b101, 0777, 0xff, 1_000, 190:20:30. Numbers that are too large stay as they are written. */
static bool old_integer(const char *text, int64_t *ret)
{
    const char *at = text + (*text == '-' || *text == '+');
    _cleanup_free_ char *number = without_underscores(at);
    if (!isdigit((unsigned char)*at) || strlen(number) > 15)
        return false;
    if (strncmp(number, "0b", 2) == 0 && are_digits(number + 2, "01"))
        *ret = strtoll(number + 2, NULL, 2);
    else if (strncmp(number, "0x", 2) == 0 && are_digits(number + 2, "0123456789abcdef"))
        *ret = strtoll(number + 2, NULL, 16);
    else if (number[0] == '0' && number[strspn(number, "01234567")] == 0)
        *ret = strtoll(number, NULL, 8);
    else if (number[0] != '0' && number[strspn(number, "0123456789")] == 0)
        *ret = strtoll(number, NULL, 10);
    else
        return false;
    if (*text == '-')
        *ret = -*ret;
    return true;
}

static bool old_sexagesimal(const char *text, int64_t *ret)
{
    const char *at = text + (*text == '-' || *text == '+');
    if (*at < '1' || *at > '9' || strchr(at, ':') == NULL || strlen(at) > 15)
        return false;
    *ret = 0;
    for (bool first = true; *at; first = false) {
        char *end;
        long part = strtol(at, &end, 10);
        if (!isdigit((unsigned char)*at) || (!first && (part > 59 || end - at > 2)) || (*end != 0 && *end != ':') ||
            (*end == ':' && end[1] == 0))
            return false;
        *ret = *ret * 60 + part;
        at = *end ? end + 1 : end;
    }
    if (*text == '-')
        *ret = -*ret;
    return true;
}

YamlKind yaml_plain_11(const char *text, char **ret)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL};
    static const char *const no[] = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL};
    int64_t number;
    if (is_one_of(text, nothing))
        return YAML_NOTHING;
    if (is_one_of(text, yes) || is_one_of(text, no))
        *ret = xstrdup(is_one_of(text, yes) ? "true" : "false");
    else if (old_integer(text, &number) || old_sexagesimal(text, &number))
        *ret = xasprintf("%jd", (intmax_t)number);
    else if (is_date(text))
        return YAML_DATE;
    else
        *ret = xstrdup(text);
    return YAML_TEXT;
}
