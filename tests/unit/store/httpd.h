/* A small HTTP server on loopback that gives scripted answers, mostly one a connection, and remembers what it was
 * asked. */
#ifndef KURA_TEST_STORE_HTTPD_H
#define KURA_TEST_STORE_HTTPD_H

#include <stddef.h>

/* How a connection ends; HTTP_END_KEEP: it takes the next request too. */
typedef enum HttpEnd { HTTP_END_CLOSE, HTTP_END_RESET, HTTP_END_STALL, HTTP_END_KEEP } HttpEnd;

typedef struct HttpAnswer {
    const char *status; /* "200 OK"; NULL: says nothing until the client gives up, or `raw` */
    const char *body;   /* NULL: "" */
    const char *header; /* more headers, "Name: value" with "\r\n" between them, or NULL */
    size_t len;         /* of the body; 0: it is a string */
    const char *raw;    /* instead of all of these: just this, or nothing for "" */
    HttpEnd end;
} HttpAnswer;

typedef struct Httpd Httpd;

/* Starts it in a thread; the answers are borrowed. More requests than answers get 500. */
Httpd *httpd_start(const HttpAnswer *answers, size_t n);
/* Ends the thread and frees. */
void httpd_stop(Httpd *httpd);

/* "http://127.0.0.1:PORT". Lives as long as the server, as do the requests. */
const char *httpd_url(const Httpd *httpd);
size_t httpd_count(Httpd *httpd);
/* The i-th request's line, headers and body as a text; it must be there. */
const char *httpd_request(Httpd *httpd, size_t i);

#endif
