#include "fixture.h"

#include "jsonnode_priv.h"

static BlobRef blob(char digit, uint64_t size)
{
    BlobRef ref = {.kind = BLOB_ZSTD, .size = size};
    memset(ref.hash, digit, SHA256_HEX_SIZE - 1);
    return ref;
}

static BlobRef *blobs(const char *digits, size_t *ret_n)
{
    size_t n = strlen(digits);
    BlobRef *list = xcalloc(n, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = blob(digits[i], 1000 + i);
    *ret_n = n;
    return list;
}

static ManifestFileset fileset(const char *name, const char *root, uint64_t files, const char *index)
{
    ManifestFileset made = {
        .name = xstrdup(name),
        .root = xstrdup_null(root),
        .files = files,
        .dirs = 3,
        .symlinks = 2,
        .others = 1,
        .bytes = 123456789012345,
        .vanished = 4,
        .changed = 5,
        .left_out_files = 6,
        .left_out_bytes = 7000000000,
    };
    made.index = blobs(index, &made.n_index);
    if (root) {
        made.owner = xcalloc(1, sizeof *made.owner);
        *made.owner = (ManifestOwner){.mode = 02750, .uid = 1001, .gid = 33, .group = xstrdup("www-data")};
    }
    return made;
}

static void fill_roles(DbFacts *facts)
{
    facts->n_roles = 2;
    facts->roles = xcalloc(2, sizeof *facts->roles);
    facts->roles[0] =
        (DbRole){.name = xstrdup("misskey"), .inherit = true, .login = true, .createdb = true, .connection_limit = 20};
    strvec_push(&facts->roles[0].member_of, "app \"owners\"");
    strvec_push(&facts->roles[0].settings, "statement_timeout=10s");
    facts->roles[1] = (DbRole){.name = xstrdup("postgres"),
                               .superuser = true,
                               .inherit = true,
                               .createrole = true,
                               .createdb = true,
                               .login = true,
                               .replication = true,
                               .bypassrls = true,
                               .connection_limit = -1,
                               .bootstrap = true};
}

static void fill_lists(DbFacts *facts)
{
    facts->n_grants = 2;
    facts->grants = xcalloc(2, sizeof *facts->grants);
    facts->grants[0] = (DbGrant){.grantor = xstrdup("misskey"), .privilege = xstrdup("CONNECT")};
    facts->grants[1] = (DbGrant){
        .grantor = xstrdup("misskey"), .grantee = xstrdup("ro"), .privilege = xstrdup("TEMPORARY"), .grantable = true};
    facts->n_settings = 2;
    facts->settings = xcalloc(2, sizeof *facts->settings);
    facts->settings[0] = (DbSetting){.name = xstrdup("search_path"), .value = xstrdup("\"$user\", public")};
    facts->settings[1] =
        (DbSetting){.role = xstrdup("ro"), .name = xstrdup("default_transaction_read_only"), .value = xstrdup("on")};
    facts->n_extensions = 1;
    facts->extensions = xcalloc(1, sizeof *facts->extensions);
    facts->extensions[0] =
        (DbExtension){.name = xstrdup("pg_trgm"), .version = xstrdup("1.6"), .schema = xstrdup("public")};
}

static void fill_facts(DbFacts *facts)
{
    *facts = (DbFacts){
        .name = xstrdup("misskey"),
        .server_version = xstrdup("15.18 (Debian 15.18-0+deb12u1)"),
        .server_version_num = 150018,
        .system_identifier = xstrdup("7400000000000000001"),
        .owner = xstrdup("misskey"),
        .encoding = xstrdup("SQL_ASCII"),
        .locale_provider = xstrdup("libc"),
        .collate = xstrdup("C"),
        .ctype = xstrdup("C"),
        .tablespace = xstrdup("pg_default"),
        .connection_limit = -1,
        .comment = xstrdup("caf\xe9"), /* Latin-1 in a SQL_ASCII database */
        .size_bytes = 9000000000,
    };
    fill_roles(facts);
    fill_lists(facts);
}

static void fill_tables(ManifestDatabase *database)
{
    database->n_tables = 3;
    database->tables = xcalloc(3, sizeof *database->tables);
    ManifestTable *notes = &database->tables[0];
    *notes = (ManifestTable){.schema = xstrdup("public"), .name = xstrdup("note"), .oid = 16400, .dump_id = 220};
    notes->digest = (RowDigest){.low = 0x89abcdef01234567, .high = 0xfedcba9876543210, .rows = 12, .bytes = 3000};
    notes->n_segments = 2;
    notes->segments = xcalloc(2, sizeof *notes->segments);
    notes->segments[0] = (ManifestSegment){.blob = blob('1', 800), .raw = 1000, .rows = 5};
    notes->segments[1] = (ManifestSegment){.blob = blob('2', 900), .raw = 2000, .rows = 7, .continues = true};
    database->tables[1] = (ManifestTable){.schema = xstrdup("public"),
                                          .name = xstrdup("\xe5\x8f\xb0\xe5\xb8\xb3"), /* UTF-8 */
                                          .oid = 4000000000,
                                          .dump_id = 221,
                                          .root_schema = xstrdup("public"),
                                          .root_name = xstrdup("ledger")};
    database->tables[2] = (ManifestTable){.schema = xstrdup("caf\xe9"),
                                          .name = xstrdup("odd \"name\"\n"),
                                          .oid = 16402,
                                          .dump_id = 7,
                                          .condition = xstrdup("WHERE NOT builtin")};
    ManifestTable *odd = &database->tables[2];
    odd->digest = (RowDigest){.low = 1, .rows = 3, .bytes = 700};
    odd->n_segments = 1;
    odd->segments = xcalloc(1, sizeof *odd->segments);
    odd->segments[0] = (ManifestSegment){.blob = blob('3', 5000), .offset = 1200, .length = 300, .raw = 700, .rows = 3};
}

ManifestApplication *sample_application(void)
{
    ManifestApplication *made = xcalloc(1, sizeof *made);
    *made = (ManifestApplication){
        .profile = xstrdup("misskey"),
        .title = xstrdup("Misskey"),
        .version = xstrdup("2025.9.0"),
        .fork = xstrdup("misskey-of-ours"),
        .dir = xstrdup("/home/caf\xe9/misskey"),
        .database = {.host = xstrdup("localhost"), .port = xstrdup("5432"), .user = xstrdup("example")},
        .schema = xcalloc(1, sizeof *made->schema),
    };
    strvec_push(&made->services, "misskey.service");
    *made->schema = (ManifestSchema){
        .tool = xstrdup("typeorm"),
        .table = xstrdup("public.migrations"),
        .state = xstrdup("pending"),
        .newest = xstrdup("Second1700000000002"),
    };
    strvec_push(&made->schema->applied, "First1700000000001");
    strvec_push(&made->schema->applied, "Second1700000000002");
    strvec_push(&made->schema->failed, "Third1700000000003");
    made->n_secrets = 1;
    made->secrets = xcalloc(1, sizeof *made->secrets);
    made->secrets[0] = (ManifestSecret){
        .name = xstrdup("setupPassword"),
        .salt = xstrdup("000102030405060708090a0b0c0d0e0f"),
        .fingerprint = xstrdup("3fe131b068205656cf8e56198cb37f12611df703ba8f47e3aa8096121cad6da2"),
    };
    return made;
}

static HostFacts *sample_system(void)
{
    HostFacts *made = xcalloc(1, sizeof *made);
    *made = (HostFacts){.os = xstrdup("Debian GNU/Linux 12 (bookworm)"), .libc = xstrdup("glibc 2.36")};
    strvec_push(&made->locales, "C.utf8");
    strvec_push(&made->locales, "ja_JP.utf8");
    strvec_push(&made->servers, "15");
    strvec_push(&made->clients, "15");
    strvec_push(&made->clients, "17");
    return made;
}

Manifest *sample_manifest(void)
{
    Manifest *manifest = manifest_new();
    manifest->id = xstrdup(SAMPLE_ID);
    manifest->app = xstrdup("misskey");
    manifest->host = xstrdup("web1.example");
    manifest->kura_version = xstrdup("0.1.0");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:17:42Z");
    manifest->system = sample_system();
    manifest->application = sample_application();
    strvec_push(&manifest->tags, "before-upgrade");
    for (int i = 0; i < 9; i++)
        strvec_pushf(&manifest->warnings, "file \"%d\" vanished while it was read", i);
    manifest->stored_new = 4096;
    manifest->stored_all = 123456789;
    manifest->n_filesets = 2;
    manifest->filesets = xcalloc(2, sizeof *manifest->filesets);
    manifest->filesets[0] = fileset("media", "/srv/caf\xe9", 70000, "3456");
    manifest->filesets[1] = fileset("config", "/etc/misskey", 2, "");
    manifest->has_database = true;
    ManifestDatabase *database = &manifest->database;
    fill_facts(&database->facts);
    database->pg_dump_version = xstrdup("15.18");
    database->snapshot = xstrdup("00000003-0000001B-1");
    database->toc = blobs("7", &database->n_toc);
    database->toc_raw = 54321;
    fill_tables(database);
    database->large_objects = fileset("large-objects", NULL, 9, "8");
    return manifest;
}

void format_manifest(const Manifest *manifest, Buf *out)
{
    _cleanup_(json_unref) json_t *json = manifest_to_json(manifest);
    assert_int_equal(jsondoc_format(json, out, &err), 0);
}
