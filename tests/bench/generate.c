/* Data for the benchmarks, the same bytes every time.
 *
 *   generate TABLE SCALE           rows of one table as COPY text on standard output; scale 1 is 1.7 GB in all tables
 *   generate media DIR FILES MIB   FILES files of MIB mebibytes in all, below DIR
 *
 * Text is drawn from a vocabulary by Zipf's law, so that it compresses about as real posts do; media do not compress,
 * but for one file in ten. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ACCOUNTS = 400000, STATUSES = 1600000, FAVOURITES = 1900000, DELIVERIES = 6000000 };
enum { WORDS = 12000, ZIPF_STEPS = 65536 };

static char vocabulary[WORDS][13];
static uint16_t zipf[ZIPF_STEPS]; /* a uniform number below ZIPF_STEPS to a word, frequent ones more often */

/* splitmix64: one step is also a good hash of a counter. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

typedef struct Random {
    uint64_t state;
} Random;

static Random random_for(uint64_t table, uint64_t row)
{
    return (Random){mix(table << 40 ^ row)};
}
static uint64_t draw(Random *r, uint64_t below)
{
    return mix(r->state++) % below;
}

static void make_vocabulary(void)
{
    static const char letters[] = "etaoinshrdlucmfwypvbgkjqxz";
    for (unsigned i = 0; i < WORDS; i++) {
        Random r = random_for(1, i);
        size_t len = 2 + draw(&r, 3) + draw(&r, 8);
        for (size_t j = 0; j < len; j++) {
            uint64_t a = draw(&r, 26), b = draw(&r, 26);
            vocabulary[i][j] = letters[a < b ? a : b];
        }
    }
    for (unsigned i = 0; i < ZIPF_STEPS; i++)
        zipf[i] = (uint16_t)(pow(WORDS, (i + 0.5) / ZIPF_STEPS) - 1);
}

static void put_words(Random *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? " " : "", vocabulary[zipf[draw(r, ZIPF_STEPS)]]);
}

/* PostgreSQL's text form of a moment, `seconds` after the start of 2020. All months have 28 days: valid, sorted. */
static void put_moment(uint64_t seconds, unsigned micros)
{
    uint64_t days = seconds / 86400;
    printf("%04u-%02u-%02u %02u:%02u:%02u.%06u", (unsigned)(2020 + days / 336), (unsigned)(days / 28 % 12 + 1),
           (unsigned)(days % 28 + 1), (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
           (unsigned)(seconds % 60), micros);
}

static uint64_t account_id(uint64_t n)
{
    return 100000000000u + n * 1000 + mix(n) % 1000;
}
static uint64_t status_id(uint64_t n)
{
    return 110000000000000000u + n * 65536 + mix(n) % 65536;
}

static void put_account_uri(uint64_t n)
{
    printf("https://host%u.example/users/%016" PRIx64, (unsigned)(n % 3777), mix(n + 3));
}

static void put_account(uint64_t n, double scale)
{
    Random r = random_for(2, n);
    printf("%" PRIu64 "\t%s_%" PRIu64 "\t", account_id(n), vocabulary[draw(&r, WORDS)], n);
    if (n % 40 == 0)
        printf("\\N\t");
    else
        printf("host%u.example\t", (unsigned)(n % 3777));
    put_words(&r, 1 + draw(&r, 3));
    putchar('\t');
    put_words(&r, draw(&r, 40));
    putchar('\t');
    put_account_uri(n);
    if (n % 3 == 0)
        printf("\t[{\"name\": \"web\", \"value\": \"https://%s.example\"}]\t", vocabulary[draw(&r, WORDS)]);
    else
        printf("\t\\N\t");
    for (int i = 0; i < 16; i++)
        printf("%016" PRIx64, draw(&r, UINT64_MAX));
    putchar('\t');
    put_moment(n * 400, 0);
    putchar('\t');
    put_moment(n * 400 + draw(&r, 1000000), (unsigned)draw(&r, 1000000));
    putchar('\n');
}

static void put_status_tags(Random *r)
{
    if (draw(r, 3) == 0)
        printf("{%s,%s}\t", vocabulary[zipf[draw(r, ZIPF_STEPS)]], vocabulary[draw(r, WORDS)]);
    else
        printf("{}\t");
}

static void put_status(uint64_t n, double scale)
{
    static const char *const languages[] = {"ja", "en", "de", "\\N"};
    Random r = random_for(3, n);
    uint64_t account = 1 + draw(&r, (uint64_t)(ACCOUNTS * scale));
    printf("%" PRIu64 "\t%" PRIu64 "\t", status_id(n), account_id(account));
    put_account_uri(account);
    printf("/statuses/%" PRIu64 "\t", status_id(n));
    if (n > 1000 && draw(&r, 4) == 0)
        printf("%" PRIu64 "\t<p>", status_id(n - 1 - draw(&r, 900)));
    else
        printf("\\N\t<p>");
    put_words(&r, 3 + draw(&r, 40) + draw(&r, 50));
    printf("</p>\t");
    if (draw(&r, 25) == 0)
        put_words(&r, 4);
    printf("\t%u\t%s\t", (unsigned)draw(&r, 4), languages[draw(&r, 4)]);
    put_status_tags(&r);
    if (draw(&r, 50) == 0)
        printf("{\"choices\": [\"yes\", \"no\", \"%s\"], \"expires\": %" PRIu64 "}\t", vocabulary[draw(&r, WORDS)],
               1600000000 + n * 100);
    else
        printf("\\N\t");
    if (draw(&r, 2) == 0)
        printf("{\":heart:\": %u, \":%s:\": %u}\t", (unsigned)draw(&r, 90), vocabulary[draw(&r, 300)],
               (unsigned)draw(&r, 7));
    else
        printf("{}\t");
    printf("%.6f\t", (double)draw(&r, 1000000000) / 7e6);
    put_moment(n * 114, (unsigned)draw(&r, 1000) * 1000);
    putchar('\t');
    put_moment(n * 114 + draw(&r, 1000), 0);
    putchar('\n');
}

static void put_favourite(uint64_t n, double scale)
{
    Random r = random_for(4, n);
    printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t", n, account_id(1 + draw(&r, (uint64_t)(ACCOUNTS * scale))),
           status_id(1 + draw(&r, (uint64_t)(STATUSES * scale))));
    put_moment(n * 96, (unsigned)draw(&r, 1000000));
    putchar('\n');
}

static void put_delivery(uint64_t n, double scale)
{
    Random r = random_for(5, n);
    printf("%" PRIu64 "\t%u\t%u\t%84s\n", n, (unsigned)draw(&r, 5000), (unsigned)draw(&r, 9), "");
}

static const struct {
    const char *name;
    uint64_t rows;
    void (*put)(uint64_t n, double scale);
} tables[] = {{"accounts", ACCOUNTS, put_account},
              {"statuses", STATUSES, put_status},
              {"favourites", FAVOURITES, put_favourite},
              {"deliveries", DELIVERIES, put_delivery}};

static int put_table(const char *name, double scale)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (strcmp(tables[i].name, name) != 0)
            continue;
        for (uint64_t n = 1; n <= (uint64_t)((double)tables[i].rows * scale); n++)
            tables[i].put(n, scale);
        return 0;
    }
    fprintf(stderr, "generate: no table \"%s\"\n", name);
    return 1;
}

static int write_file(const char *path, uint64_t seed, uint64_t size)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return -1;
    uint64_t block[8192];
    /* One in ten repeats a block 16 times: bitmaps and the like. */
    unsigned repeat = mix(seed) % 10 == 0 ? 16 : 1;
    for (uint64_t done = 0, k = 0; done < size; k++) {
        for (unsigned i = 0; k % repeat == 0 && i < 8192; i++)
            block[i] = mix(seed << 32 ^ (k * 8192 + i));
        size_t len = size - done < sizeof block ? (size_t)(size - done) : sizeof block;
        fwrite(block, 1, len, f);
        done += len;
    }
    return fclose(f);
}

/* Sizes spread over three orders of magnitude, as thumbnails, pictures and videos do; together `mib` mebibytes. */
static int put_media(const char *dir, uint64_t files, uint64_t mib)
{
    double total = 0;
    for (uint64_t n = 0; n < files; n++)
        total += exp((double)(mix(n ^ 77) % 7000) / 1000);
    double unit = (double)(mib << 20) / total;
    for (uint64_t n = 0; n < files; n++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%02" PRIx64, dir, mix(n) >> 56);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return perror(path), 1;
        snprintf(path, sizeof path, "%s/%02" PRIx64 "/%016" PRIx64 "%016" PRIx64 ".webp", dir, mix(n) >> 56, mix(n),
                 mix(n + files));
        if (write_file(path, n + 1, (uint64_t)(exp((double)(mix(n ^ 77) % 7000) / 1000) * unit)) < 0)
            return perror(path), 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "media") == 0)
        return put_media(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    if (argc != 3) {
        fprintf(stderr, "usage: generate TABLE SCALE | generate media DIR FILES MIB\n");
        return 2;
    }
    make_vocabulary();
    return put_table(argv[1], strtod(argv[2], NULL)) || fflush(stdout) != 0;
}
