/* A store in an S3 bucket: one object is one PUT, there is nothing to tidy up behind a killed one. */
#include <string.h>

#include "kura/mem.h"
#include "s3_priv.h"

int s3_request(S3 *s3, const S3Call *call, S3Outcome *ret, Error *err)
{
    int rc = s3request(&s3->client, call, ret, err);
    if (rc == 0 || strcmp(ret->error.code, "NoSuchKey") == 0)
        s3->bucket_seen = true;
    return rc;
}

static void s3_close(Store *store)
{
    S3 *s3 = s3_of(store);
    S3Client *client = &s3->client;
    s3http_close(client->http);
    s3site_close(client->site);
    s3chain_close(client->chain);
    sigv4_keys_free(client->keys);
    s3limit_free(client->limit);
    s3location_done(&s3->location);
    free(s3);
}

static const StoreOps ops = {
    .put = s3_put,
    .put_new = s3_put_new,
    .get = s3_get,
    .head = s3_head,
    .list = s3_list,
    .delete = s3_delete,
    .delete_many = s3_delete_many,
    .probe = s3_probe,
    .close = s3_close,
};

static int open_client(S3 *s3, const StoreOptions *options, Error *err)
{
    S3Client *client = &s3->client;
    if (s3chain_open(options, &client->chain, err) < 0)
        return -1;
    const char *region = s3chain_region(client->chain), *url = s3chain_endpoint(client->chain);
    if (s3site_open(&s3->location, url, region ? region : "us-east-1", options, &client->site, err) < 0)
        return -1;
    S3Target target;
    s3site_target(client->site, &target);
    client->keys = sigv4_keys_new();
    if (options->limit_upload)
        client->limit = s3limit_new(options->limit_upload);
    return s3http_open(options->s3_ca, s3endpoint_is_loopback(&target.endpoint), options->times, &client->http, err);
}

int store_s3_open(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err)
{
    (void)create;
    S3 *s3 = xcalloc(1, sizeof *s3);
    s3->store = (Store){.ops = &ops, .remote = true};
    s3->checksum = options->s3_checksum;
    if (s3location_parse(rest, &s3->location, err) < 0 || open_client(s3, options, err) < 0) {
        s3_close(&s3->store);
        return -1;
    }
    *ret = &s3->store;
    return 0;
}
