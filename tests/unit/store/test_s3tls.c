/* The server must prove who it is. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/store.h"
#include "tempdir.h"

/* A server with a certificate of its own that answers every DELETE. */
typedef struct TlsServer {
    SSL_CTX *context;
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_bool ends;
    atomic_int served;
    char *dir, *ca; /* the file with its certificate */
} TlsServer;

static X509 *make_certificate(EVP_PKEY *key, const char *names)
{
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"kura test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void serve(TlsServer *server, int fd)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    char request[8192];
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        server->served++;
        SSL_write(ssl, answer, sizeof answer - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
}

static void *run(void *arg)
{
    TlsServer *server = arg;
    while (!server->ends) {
        struct pollfd waiting = {.fd = server->listener, .events = POLLIN};
        int fd = poll(&waiting, 1, 50) == 1 ? accept4(server->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0)
            continue;
        serve(server, fd);
        close(fd);
    }
    return NULL;
}

static void listen_on_loopback(TlsServer *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

static void start(TlsServer *server, const char *names)
{
    *server = (TlsServer){.context = SSL_CTX_new(TLS_server_method()), .dir = tempdir_new()};
    server->ca = xasprintf("%s/ca.pem", server->dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, names);
    FILE *file = fopen(server->ca, "we");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    assert_int_equal(SSL_CTX_use_certificate(server->context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server->context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    listen_on_loopback(server);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

static void stop(TlsServer *server)
{
    server->ends = true;
    pthread_join(server->thread, NULL);
    close(server->listener);
    SSL_CTX_free(server->context);
    tempdir_remove(server->dir);
    free(server->dir);
    free(server->ca);
}

static int request(const TlsServer *server, const char *scheme, const char *ca, Error *err)
{
    static const StoreTimes times = {.connect = 5000, .stall = 5000, .total = 5000, .retry = 500};
    _cleanup_free_ char *url = xasprintf("%s://localhost:%u", scheme, server->port);
    StoreOptions options = {.s3_endpoint = url, .s3_ca = ca, .times = &times};
    options.s3_access_key = "a";
    options.s3_secret_key = "b";
    Store *store;
    *err = (Error)ERROR_INIT;
    assert_int_equal(store_open("s3://bucket", &options, false, &store, err), 0);
    int rc = store_delete(store, "a", err);
    store_close(store);
    return rc;
}

static void a_private_authority(void **state)
{
    (void)state;
    TlsServer server;
    Error err;
    start(&server, "DNS:localhost");
    assert_int_equal(request(&server, "https", server.ca, &err), 0);
    assert_int_equal(server.served, 1);
    stop(&server);
}

static void assert_unproved(const TlsServer *server, const char *ca)
{
    Error err;
    assert_int_equal(request(server, "https", ca, &err), -1);
    assert_int_equal(err.code, ERR_CONNECTION);
    assert_non_null(strstr(err.hint, "s3-ca"));
    assert_null(strstr(err.message, "tried"));
    assert_int_equal(server->served, 0);
}

static void strangers(void **state)
{
    (void)state;
    TlsServer server, other;
    start(&server, "DNS:localhost");
    start(&other, "DNS:localhost");
    assert_unproved(&server, NULL);
    assert_unproved(&server, other.ca);
    stop(&other);
    stop(&server);
    start(&server, "DNS:example.com,IP:127.0.0.1");
    assert_unproved(&server, server.ca);
    stop(&server);
}

static void clear_text_to_a_port_with_tls(void **state)
{
    (void)state;
    TlsServer server;
    Error err;
    start(&server, "DNS:localhost");
    assert_int_equal(request(&server, "http", NULL, &err), -1);
    assert_int_equal(server.served, 0);
    stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_authority),
        cmocka_unit_test(strangers),
        cmocka_unit_test(clear_text_to_a_port_with_tls),
    };
    signal(SIGPIPE, SIG_IGN); /* as kura does; the server here writes to clients that went away */
    return cmocka_run_group_tests_name("S3 over TLS", tests, NULL, NULL);
}
