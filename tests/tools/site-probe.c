/* The part of an application that a move must not break: it reads its settings, its rows, its files and what it
 * encrypted, and it writes, all as the application would, by its own role. It shares no code with kura.
 *
 *   site-probe DIR fill ROWS-MB MEDIA-MB   makes tables, rows, users with encrypted secrets, and media
 *   site-probe DIR work                    serves: posts, uploads and likes until a SIGTERM; prints what it has done
 *   site-probe DIR change PERCENT          changes that much: rows edited, added and deleted, media added and deleted
 *   site-probe DIR digest                  a line for each table: its rows and a sum over them, and the sequences
 *   site-probe DIR up                      the site answers: one post is read, one written and read back, one secret
 *                                          opened, one file read
 *   site-probe DIR check                   everything: every file has its bytes, every secret opens, every table and
 *                                          sequence takes rows, views refresh
 *
 * DIR is that of the application; its .env.production tells the rest. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024, VALUE_SIZE = 512, FILE_SIZE = 400 * 1000, KEY_SIZE = 32, IV_SIZE = 12, TAG_SIZE = 16 };
enum { USERS = 200, STATUS_BYTES = 450 };

typedef struct Site {
    const char *dir;
    char media[PATH_SIZE];
    PGconn *conn;
    uint8_t key[KEY_SIZE];
    uint64_t random;
} Site;

static volatile sig_atomic_t stopped;

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("site-probe: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* ---- settings ---- */

/* The last line NAME=VALUE, with or without quotes; the fallback when there is none. */
static void setting(const Site *site, const char *name, const char *fallback, char value[VALUE_SIZE])
{
    char path[PATH_SIZE], line[2 * VALUE_SIZE];
    size_t len = strlen(name);
    snprintf(path, sizeof path, "%s/.env.production", site->dir);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die("%s: %s", path, strerror(errno));
    snprintf(value, VALUE_SIZE, "%s", fallback ? fallback : "");
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, len) != 0 || line[len] != '=')
            continue;
        char *text = line + len + 1;
        text[strcspn(text, "\n")] = 0;
        size_t n = strlen(text);
        if (n > 1 && (*text == '"' || *text == '\'') && text[n - 1] == *text) {
            text[n - 1] = 0;
            text++;
        }
        snprintf(value, VALUE_SIZE, "%.*s", VALUE_SIZE - 1, text);
    }
    fclose(file);
    if (value[0] == 0 && fallback == NULL)
        die("%s is not set", name);
}

static void derive_key(Site *site)
{
    char password[VALUE_SIZE], salt[VALUE_SIZE];
    setting(site, "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY", NULL, password);
    setting(site, "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT", NULL, salt);
    if (!PKCS5_PBKDF2_HMAC(password, -1, (uint8_t *)salt, (int)strlen(salt), 65536, EVP_sha256(), KEY_SIZE, site->key))
        die("no key");
}

static void connect_site(Site *site)
{
    static const char *const names[] = {"host", "port", "dbname", "user", "password", "connect_timeout", NULL};
    char values[5][VALUE_SIZE];
    setting(site, "DB_HOST", "localhost", values[0]);
    setting(site, "DB_PORT", "5432", values[1]);
    setting(site, "DB_NAME", "mastodon_production", values[2]);
    setting(site, "DB_USER", "mastodon", values[3]);
    setting(site, "DB_PASS", "", values[4]);
    const char *list[] = {values[0], values[1], values[2], values[3], values[4], "10", NULL};
    site->conn = PQconnectdbParams(names, list, 0);
    if (PQstatus(site->conn) != CONNECTION_OK)
        die("%s", PQerrorMessage(site->conn));
}

/* ---- the database ---- */

static PGresult *query(Site *site, const char *sql, int n, const char *const *values)
{
    PGresult *result = n ? PQexecParams(site->conn, sql, n, NULL, values, NULL, NULL, 0) : PQexec(site->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN)
        die("%s (%.60s)", PQerrorMessage(site->conn), sql);
    return result;
}

static void run(Site *site, const char *sql)
{
    PQclear(query(site, sql, 0, NULL));
}

static long long number(Site *site, const char *sql)
{
    PGresult *result = query(site, sql, 0, NULL);
    if (PQntuples(result) != 1)
        die("no answer (%.60s)", sql);
    long long value = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

static const char schema[] =
    "CREATE FUNCTION timestamp_id(table_name text) RETURNS bigint LANGUAGE sql AS "
    "$$ SELECT (date_part('epoch', now()) * 1000)::bigint << 16 | (nextval(table_name || '_id_seq') & 65535) $$;"
    "CREATE SEQUENCE statuses_id_seq; CREATE SEQUENCE accounts_id_seq;"
    "CREATE TABLE accounts (id bigint PRIMARY KEY DEFAULT timestamp_id('accounts'), username text NOT NULL, domain "
    "text,"
    " UNIQUE (username, domain));"
    "CREATE TABLE users (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts, email text UNIQUE,"
    " otp_secret text);"
    "CREATE TABLE statuses (id bigint PRIMARY KEY DEFAULT timestamp_id('statuses'), account_id bigint NOT NULL"
    " REFERENCES accounts, text text NOT NULL, likes integer NOT NULL DEFAULT 0, created_at timestamptz DEFAULT now());"
    "CREATE TABLE media_attachments (id bigserial PRIMARY KEY, status_id bigint REFERENCES statuses ON DELETE SET NULL,"
    " file_file_name text NOT NULL, file_file_size bigint NOT NULL, sha256 text NOT NULL);"
    "CREATE TABLE schema_migrations (version varchar PRIMARY KEY);"
    "INSERT INTO schema_migrations VALUES ('20160220174730');"
    "CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp NOT NULL,"
    " updated_at timestamp NOT NULL);"
    "INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now());";
static const char indexes[] =
    "CREATE INDEX ON statuses (account_id, id DESC); CREATE INDEX ON statuses (created_at) WHERE likes > 0;"
    "CREATE INDEX ON media_attachments (status_id);"
    "CREATE MATERIALIZED VIEW account_summaries AS SELECT account_id, count(*) AS statuses FROM statuses GROUP BY 1;"
    "CREATE UNIQUE INDEX ON account_summaries (account_id);"
    "GRANT SELECT ON accounts, statuses TO grafana; ANALYZE accounts, users, statuses, media_attachments";
static const char *const tables[] = {
    "accounts", "users", "statuses", "media_attachments", "schema_migrations", "ar_internal_metadata"};
enum { TABLES = sizeof tables / sizeof *tables };

/* ---- texts ---- */

static uint64_t next_random(Site *site)
{
    site->random ^= site->random << 13;
    site->random ^= site->random >> 7;
    return site->random ^= site->random << 17;
}

/* Words that compress about as posts do. */
static void make_text(Site *site, char text[STATUS_BYTES])
{
    static const char syllables[] = "kaminosatoruyemihanerokuzatesuwa";
    size_t len = 60 + next_random(site) % (STATUS_BYTES - 80), n = 0;
    while (n < len) {
        uint64_t word = next_random(site) % 3000 * 2654435761u;
        for (unsigned i = 0; i < 2 + word % 3 && n < len; i++, word >>= 4)
            memcpy(text + n, syllables + word % 16 * 2, 2), n += 2;
        text[n++] = ' ';
    }
    text[n] = 0;
}

/* ---- secrets, as ActiveRecord::Encryption writes them ---- */

static void encode(const uint8_t *data, int len, char *out)
{
    EVP_EncodeBlock((uint8_t *)out, data, len);
}

static void seal(Site *site, const char *plain, char out[VALUE_SIZE])
{
    uint8_t iv[IV_SIZE], tag[TAG_SIZE], cipher[128];
    char text[180], vector[20], authentic[30];
    int len, more;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!RAND_bytes(iv, IV_SIZE) || !EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, site->key, iv) ||
        !EVP_EncryptUpdate(ctx, cipher, &len, (const uint8_t *)plain, (int)strlen(plain)) ||
        !EVP_EncryptFinal_ex(ctx, cipher + len, &more) ||
        !EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag))
        die("cannot encrypt");
    EVP_CIPHER_CTX_free(ctx);
    encode(cipher, len + more, text);
    encode(iv, IV_SIZE, vector);
    encode(tag, TAG_SIZE, authentic);
    snprintf(out, VALUE_SIZE, "{\"p\":\"%s\",\"h\":{\"iv\":\"%s\",\"at\":\"%s\"}}", text, vector, authentic);
}

/* Exactly len bytes; -1: any number up to 128. */
static int decode(const char *text, uint8_t out[130], int len)
{
    int n = text && strlen(text) <= 172 ? EVP_DecodeBlock(out, (const uint8_t *)text, (int)strlen(text)) : -1;
    for (size_t i = text ? strlen(text) : 0; n > 0 && i-- > 0 && text[i] == '=';)
        n--;
    return n >= 0 && (len < 0 || n == len) ? n : -1;
}

static bool opens(Site *site, const char *message, const char *plain)
{
    uint8_t iv[130], tag[130], cipher[130], out[130];
    int len = 0, more = 0;
    json_t *json = json_loads(message, 0, NULL), *head = json_object_get(json, "h");
    int n = decode(json_string_value(json_object_get(json, "p")), cipher, -1);
    bool good = n > 0 && decode(json_string_value(json_object_get(head, "iv")), iv, IV_SIZE) > 0 &&
                decode(json_string_value(json_object_get(head, "at")), tag, TAG_SIZE) > 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    good = good && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, site->key, iv) &&
           EVP_DecryptUpdate(ctx, out, &len, cipher, n) &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) &&
           EVP_DecryptFinal_ex(ctx, out + len, &more) > 0;
    EVP_CIPHER_CTX_free(ctx);
    json_decref(json);
    return good && (size_t)(len + more) == strlen(plain) && memcmp(out, plain, strlen(plain)) == 0;
}

/* ---- media ---- */

static void media_path(const Site *site, long long id, const char *name, bool make, char path[2 * PATH_SIZE])
{
    int n = snprintf(path, 2 * PATH_SIZE, "%s/media_attachments/files/%03lld/%03lld/%03lld/original/", site->media,
                     id / 1000000 % 1000, id / 1000 % 1000, id % 1000);
    for (char *at = path + strlen(site->dir) + 1; make && (at = strchr(at, '/')); at++) {
        *at = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            die("%s: %s", path, strerror(errno));
        *at = '/';
    }
    snprintf(path + n, (size_t)(2 * PATH_SIZE - n), "%s", name);
}

static void hex(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* A picture: bytes that do not compress. Gives its size and SHA-256. */
static size_t write_media(Site *site, long long id, const char *name, char sha[2 * SHA256_DIGEST_LENGTH + 1])
{
    static uint64_t content[2 * FILE_SIZE / 8];
    char path[2 * PATH_SIZE];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    size_t size = FILE_SIZE / 10 + next_random(site) % (FILE_SIZE * 9 / 5);
    for (size_t i = 0; i < size / 8 + 1; i++)
        content[i] = next_random(site);
    media_path(site, id, name, true, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, content, size) != (ssize_t)size || close(fd) < 0)
        die("%s: %s", path, strerror(errno));
    SHA256((uint8_t *)content, size, digest);
    hex(digest, sizeof digest, sha);
    return size;
}

static bool read_media(const Site *site, long long id, const char *name, const char *sha)
{
    static uint8_t content[2 * FILE_SIZE];
    char path[2 * PATH_SIZE], found[2 * SHA256_DIGEST_LENGTH + 1];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    media_path(site, id, name, false, path);
    int fd = open(path, O_RDONLY);
    ssize_t size = fd < 0 ? -1 : read(fd, content, sizeof content);
    if (fd >= 0)
        close(fd);
    if (size >= 0)
        SHA256(content, (size_t)size, digest);
    hex(digest, sizeof digest, found);
    if (size >= 0 && strcmp(found, sha) == 0)
        return true;
    fprintf(stderr, "site-probe: %s: %s\n", path, size < 0 ? strerror(errno) : "other bytes than the row says");
    return false;
}

/* A row and its file. */
static size_t upload(Site *site, const char *status)
{
    char id[24], name[24], size[24], sha[2 * SHA256_DIGEST_LENGTH + 1];
    snprintf(id, sizeof id, "%lld", number(site, "SELECT nextval('media_attachments_id_seq')"));
    snprintf(name, sizeof name, "%016" PRIx64 ".png", next_random(site));
    size_t bytes = write_media(site, atoll(id), name, sha);
    snprintf(size, sizeof size, "%zu", bytes);
    const char *values[] = {id, status, name, size, sha};
    PQclear(query(site, "INSERT INTO media_attachments VALUES ($1, $2, $3, $4, $5)", 5, values));
    return bytes;
}

/* ---- what it does ---- */

static void fill_users(Site *site)
{
    for (int i = 0; i < USERS; i++) {
        char name[32], plain[64], sealed[VALUE_SIZE];
        snprintf(name, sizeof name, "user%d", i);
        snprintf(plain, sizeof plain, "otp-of-%s@example.test", name);
        seal(site, plain, sealed);
        const char *values[] = {name, sealed};
        PQclear(query(site,
                      "WITH a AS (INSERT INTO accounts (username) VALUES ($1) RETURNING id) INSERT INTO users"
                      " (account_id, email, otp_secret) SELECT id, $1 || '@example.test', $2 FROM a",
                      2, values));
    }
}

static void add_statuses(Site *site, long long n)
{
    char text[STATUS_BYTES];
    run(site, "CREATE TEMPORARY TABLE incoming (text text)");
    PQclear(query(site, "COPY incoming FROM STDIN", 0, NULL));
    for (long long i = 0; i < n; i++) {
        make_text(site, text);
        if (PQputCopyData(site->conn, text, (int)strlen(text)) != 1 || PQputCopyData(site->conn, "\n", 1) != 1)
            die("%s", PQerrorMessage(site->conn));
    }
    if (PQputCopyEnd(site->conn, NULL) != 1)
        die("%s", PQerrorMessage(site->conn));
    for (PGresult *result; (result = PQgetResult(site->conn)); PQclear(result))
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            die("%s", PQerrorMessage(site->conn));
    run(site, "INSERT INTO statuses (id, account_id, text) SELECT nextval('statuses_id_seq'), a.id, i.text FROM"
              " (SELECT text, (row_number() OVER () % 200)::integer AS n FROM incoming) i JOIN"
              " (SELECT id, (row_number() OVER (ORDER BY id) - 1)::integer AS n FROM accounts) a USING (n);"
              "DROP TABLE incoming");
}

static void add_media(Site *site, unsigned long long bytes)
{
    PGresult *some = query(site, "SELECT id FROM statuses ORDER BY id DESC LIMIT 1000", 0, NULL);
    run(site, "BEGIN");
    for (unsigned long long done = 0, i = 0; done < bytes; i++)
        done += upload(site, PQgetvalue(some, (int)(i % (unsigned)PQntuples(some)), 0));
    run(site, "COMMIT");
    PQclear(some);
}

static void fill(Site *site, long long rows_mb, unsigned long long media_mb)
{
    run(site, schema);
    fill_users(site);
    add_statuses(site, rows_mb * 1000000 / (STATUS_BYTES - 150));
    add_media(site, media_mb * 1000000);
    run(site, indexes);
}

static void post(Site *site, char id[24])
{
    char text[STATUS_BYTES];
    make_text(site, text);
    const char *values[] = {text};
    PGresult *result = query(site,
                             "INSERT INTO statuses (account_id, text) SELECT account_id, $1 FROM users"
                             " ORDER BY random() LIMIT 1 RETURNING id",
                             1, values);
    snprintf(id, 24, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    const char *again[] = {id, text};
    result = query(site, "SELECT 1 FROM statuses WHERE id = $1 AND text = $2", 2, again);
    if (PQntuples(result) != 1)
        die("what was written cannot be read");
    PQclear(result);
}

static void on_term(int signo)
{
    stopped = 1;
}

static void work(Site *site)
{
    unsigned posts = 0;
    signal(SIGTERM, on_term);
    for (; !stopped; posts++) {
        char id[24];
        run(site, "BEGIN");
        post(site, id);
        if (posts % 100 == 0)
            upload(site, id);
        run(site,
            "UPDATE statuses SET likes = likes + 1 WHERE id = (SELECT id FROM statuses ORDER BY id DESC LIMIT 1)");
        run(site, "COMMIT");
        usleep(20000); /* visitors come one after the other */
    }
    printf("%u posts\n", posts);
}

static void delete_media(Site *site, const char *percent)
{
    const char *values[] = {percent};
    PGresult *gone = query(site,
                           "DELETE FROM media_attachments WHERE id IN (SELECT id FROM media_attachments ORDER BY id"
                           " LIMIT (SELECT count(*) * $1::numeric / 300 FROM media_attachments)::bigint)"
                           " RETURNING id, file_file_name",
                           1, values);
    for (int i = 0; i < PQntuples(gone); i++) {
        char path[2 * PATH_SIZE];
        media_path(site, atoll(PQgetvalue(gone, i, 0)), PQgetvalue(gone, i, 1), false, path);
        if (unlink(path) < 0)
            die("%s: %s", path, strerror(errno));
    }
    PQclear(gone);
}

/* Two thirds are new, as on a site; the rest is edited or deleted. */
static void change(Site *site, const char *percent)
{
    const char *values[] = {percent};
    long long rows = number(site, "SELECT count(*) FROM statuses");
    long long bytes = number(site, "SELECT sum(file_file_size)::bigint FROM media_attachments");
    double share = atof(percent) / 100;
    PQclear(query(site,
                  "UPDATE statuses SET text = text || ' (edited)' WHERE id IN (SELECT id FROM statuses ORDER BY id DESC"
                  " LIMIT (SELECT count(*) * $1::numeric / 600 FROM statuses)::bigint)",
                  1, values));
    PQclear(query(site,
                  "DELETE FROM statuses WHERE id IN (SELECT id FROM statuses ORDER BY id"
                  " LIMIT (SELECT count(*) * $1::numeric / 600 FROM statuses)::bigint)",
                  1, values));
    delete_media(site, percent);
    add_statuses(site, (long long)((double)rows * share * 2 / 3));
    add_media(site, (unsigned long long)((double)bytes * share * 2 / 3));
}

static void digest(Site *site)
{
    for (size_t i = 0; i < TABLES; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0) FROM %s t",
                 tables[i]);
        PGresult *result = query(site, sql, 0, NULL);
        printf("%s %s rows, sum %s\n", tables[i], PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
        PQclear(result);
    }
    PGresult *result = query(site, "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1", 0, NULL);
    for (int i = 0; i < PQntuples(result); i++)
        printf("%s at %s\n", PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
    PQclear(result);
}

static void check_secrets(Site *site, const char *limit)
{
    const char *values[] = {limit};
    PGresult *users = query(site, "SELECT email, otp_secret FROM users ORDER BY id LIMIT $1", 1, values);
    for (int i = 0; i < PQntuples(users); i++) {
        char plain[64];
        snprintf(plain, sizeof plain, "otp-of-%s", PQgetvalue(users, i, 0));
        if (!opens(site, PQgetvalue(users, i, 1), plain))
            die("the secret of %s does not open", PQgetvalue(users, i, 0));
    }
    printf("%d secrets open\n", PQntuples(users));
    if (PQntuples(users) == 0)
        exit(1);
    PQclear(users);
}

static void check_media(Site *site, const char *limit)
{
    const char *values[] = {limit};
    PGresult *files =
        query(site, "SELECT id, file_file_name, sha256 FROM media_attachments ORDER BY id DESC LIMIT $1", 1, values);
    int bad = 0, n = PQntuples(files);
    for (int i = 0; i < n; i++)
        bad += !read_media(site, atoll(PQgetvalue(files, i, 0)), PQgetvalue(files, i, 1), PQgetvalue(files, i, 2));
    printf("%d files, %d of them not as they should be\n", n, bad);
    if (n == 0 || bad)
        exit(1);
    PQclear(files);
}

static void up(Site *site)
{
    char id[24];
    post(site, id);
    check_secrets(site, "1");
    check_media(site, "1");
}

static void check(Site *site)
{
    char id[24];
    if (number(site, "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolsuper") != 0)
        die("it runs as a superuser");
    check_secrets(site, "1000000");
    check_media(site, "100000000");
    post(site, id);
    upload(site, id);
    run(site,
        "INSERT INTO users (account_id, email) SELECT id, 'new' || random() || '@example.test' FROM accounts LIMIT 1;"
        "INSERT INTO accounts (username) VALUES ('new' || random());"
        "REFRESH MATERIALIZED VIEW CONCURRENTLY account_summaries;"
        "ALTER TABLE statuses ADD COLUMN migrated boolean; ALTER TABLE statuses DROP COLUMN migrated");
    run(site, "VACUUM ANALYZE users");
    puts("rows, files and views can be written");
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("what is wanted?");
    Site site = {.dir = argv[1]};
    const char *command = argv[2];
    char root[VALUE_SIZE];
    setting(&site, "PAPERCLIP_ROOT_PATH", "", root);
    if (root[0])
        snprintf(site.media, sizeof site.media, "%s", root);
    else
        snprintf(site.media, sizeof site.media, "%s/public/system", site.dir);
    RAND_bytes((uint8_t *)&site.random, sizeof site.random);
    site.random |= 1;
    derive_key(&site);
    connect_site(&site);
    if (strcmp(command, "fill") == 0 && argc == 5)
        fill(&site, atoll(argv[3]), strtoull(argv[4], NULL, 10));
    else if (strcmp(command, "work") == 0)
        work(&site);
    else if (strcmp(command, "change") == 0 && argc == 4)
        change(&site, argv[3]);
    else if (strcmp(command, "digest") == 0)
        digest(&site);
    else if (strcmp(command, "up") == 0)
        up(&site);
    else if (strcmp(command, "check") == 0)
        check(&site);
    else
        die("what is \"%s\"?", command);
    PQfinish(site.conn);
    return 0;
}
