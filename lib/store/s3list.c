#include "s3list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "s3xml.h"
#include "store_priv.h"

typedef struct Reader {
    S3Page *page;
    bool is_list;
    bool encoded; /* the server says that it did encode the keys */
    char *key;    /* of the entry that is being read */
    uint64_t size;
    bool has_size;
    int64_t time;
} Reader;

static bool parse_size(const char *text, uint64_t *ret)
{
    size_t len = strlen(text);
    if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
        return false;
    *ret = strtoull(text, NULL, 10);
    return true;
}

/* "2026-11-22T03:15:00.123Z", with or without the fraction. */
static int64_t parse_time(const char *text)
{
    char whole[21];
    size_t fraction = strcspn(text, ".Z");
    if (fraction != sizeof whole - 2)
        return INT64_MIN;
    snprintf(whole, sizeof whole, "%.*sZ", (int)fraction, text);
    time_t moment = clock_parse_utc(whole);
    return moment < 0 ? INT64_MIN : moment;
}

static int end_entry(Reader *reader, Error *err)
{
    S3Page *page = reader->page;
    if (reader->key == NULL || !reader->has_size)
        return error_set(err, ERR_CORRUPT, "the server lists an object without key or size");
    xgrow(&page->v, &page->cap, page->n);
    page->v[page->n++] = (S3Entry){.key = steal(reader->key), .size = reader->size, .time = reader->time};
    reader->has_size = false;
    reader->time = INT64_MIN;
    return 0;
}

static void take_text(char **to, const char *text)
{
    free(*to);
    *to = xstrdup(text);
}

static int take_element(void *ctx, const char *path, const char *text, Error *err)
{
    static const char root[] = "ListBucketResult";
    Reader *reader = ctx;
    if (strncmp(path, root, sizeof root - 1) != 0)
        return error_set(err, ERR_CORRUPT, "the server's answer is not a list of objects");
    path += sizeof root - 1;
    if (*path == 0)
        reader->is_list = true;
    else if (strcmp(path, "/Contents/Key") == 0)
        take_text(&reader->key, text);
    else if (strcmp(path, "/Contents/Size") == 0)
        reader->has_size = parse_size(text, &reader->size);
    else if (strcmp(path, "/Contents/LastModified") == 0)
        reader->time = parse_time(text);
    else if (strcmp(path, "/Contents") == 0)
        return end_entry(reader, err);
    else if (strcmp(path, "/IsTruncated") == 0)
        reader->page->truncated = strcmp(text, "true") == 0;
    else if (strcmp(path, "/NextContinuationToken") == 0 && *text)
        take_text(&reader->page->token, text);
    else if (strcmp(path, "/EncodingType") == 0)
        reader->encoded = strcmp(text, "url") == 0;
    return 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place. A NUL ends the text, so that such a key cannot pass for another. */
static void url_decode(char *text, bool plus_is_blank)
{
    char *to = text;
    for (; *text; text++) {
        int high, low;
        if (*text == '%' && (high = hex_digit(text[1])) >= 0 && (low = hex_digit(text[2])) >= 0) {
            *to++ = (char)(high * 16 + low);
            text += 2;
        } else {
            *to++ = *text == '+' && plus_is_blank ? ' ' : *text;
        }
    }
    *to = 0;
}

/* The key below the prefix, to be freed; NULL when it cannot be ours. */
static char *own_key(const char *raw, bool encoded, bool plus_is_blank, const char *prefix)
{
    _cleanup_free_ char *key = xstrdup(raw);
    size_t len = strlen(prefix);
    if (encoded)
        url_decode(key, plus_is_blank);
    if (strncmp(key, prefix, len) != 0 || !store_key_valid(key + len))
        return NULL;
    return xstrdup(key + len);
}

/* Leaves only our own keys. Servers differ about '+': AWS writes it for a blank, others leave it as it is. Our keys
 * hold neither, so that only one reading of the prefix fits. */
static void decode_keys(S3Page *page, bool encoded, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < page->n; i++) {
        S3Entry entry = page->v[i];
        char *key = own_key(entry.key, encoded, true, prefix);
        if (key == NULL && encoded)
            key = own_key(entry.key, encoded, false, prefix);
        free(entry.key);
        if (key)
            page->v[n++] = (S3Entry){.key = key, .size = entry.size, .time = entry.time};
    }
    page->passed_over = page->n - n;
    page->n = n;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const S3Entry *)a)->key, ((const S3Entry *)b)->key);
}

static void sort_keys(S3Page *page)
{
    size_t n = 0;
    if (page->n)
        qsort(page->v, page->n, sizeof *page->v, compare_entries);
    for (size_t i = 0; i < page->n; i++)
        if (n > 0 && strcmp(page->v[n - 1].key, page->v[i].key) == 0)
            free(page->v[i].key);
        else
            page->v[n++] = page->v[i];
    page->n = n;
}

int s3page_parse(const void *data, size_t len, const char *prefix, S3Page *ret, Error *err)
{
    S3Page page = {0};
    Reader reader = {.page = &page, .time = INT64_MIN};
    int rc = s3xml_parse(data, len, take_element, &reader, err);
    free(reader.key);
    if (rc == 0 && (!reader.is_list || (page.truncated && page.token == NULL)))
        rc = error_set(err, ERR_CORRUPT, "the server's list of objects is not complete");
    if (rc < 0) {
        s3page_done(&page);
        return -1;
    }
    decode_keys(&page, reader.encoded, prefix);
    sort_keys(&page);
    *ret = page;
    return 0;
}

void s3page_done(S3Page *page)
{
    if (page == NULL)
        return;
    for (size_t i = 0; i < page->n; i++)
        free(page->v[i].key);
    free(page->v);
    free(page->token);
    *page = (S3Page){0};
}
