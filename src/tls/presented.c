// SPDX-License-Identifier: Apache-2.0
// What the peer presents, octet for octet.
//
// mbedTLS reads the peer's certificates with a parser that drops what follows a certificate, and refuses whole chains
// for an extension that it does not know, critical name constraints among them. The judge must see what was sent. So
// the linker puts the function below in front of mbedtls_x509_crt_parse_der (-Wl,--wrap, see CMakeLists.txt): while a
// handshake is on, each certificate is kept as it came, and read by mbedTLS without regard to extensions that it does
// not know, which are the judge's business. Where mbedTLS is a shared library the linker cannot do that; then mbedTLS's
// parser stays in front of the judge, which makes things stricter and the reasons vaguer.
#include "base/x509.h"
#include "tls/internal.h"

#include <stdlib.h>

static _Thread_local struct tls_connection *reading;

int parse_real(mbedtls_x509_crt *chain, const unsigned char *data,
               size_t len) __asm__("__real_mbedtls_x509_crt_parse_der");
int parse_wrapped(mbedtls_x509_crt *chain, const unsigned char *data,
                  size_t len) __asm__("__wrap_mbedtls_x509_crt_parse_der");

// One more than the judge takes is kept, so that it can see that there are too many.
void presented_add(struct tls_connection *c, struct span certificate)
{
    if (c->presented_count <= TRUST_CHAIN_MOST) {
        c->presented = mem_grow(c->presented, &c->presented_cap, sizeof *c->presented, c->presented_count + 1);
        buf_add(&c->presented[c->presented_count++], certificate.data, certificate.len);
    }
}

int parse_wrapped(mbedtls_x509_crt *chain, const unsigned char *data, size_t len)
{
    struct tls_connection *c = reading;
    if (c == NULL) {
        return parse_real(chain, data, len);
    }
    presented_add(c, span_of(data, len));
    return x509_add(chain, span_of(data, len));
}

struct tls_connection *presented_connection(void)
{
    return reading;
}

int presented_handshake(struct tls_connection *c)
{
    int code = 0;
    reading = c;
    while (code == 0 && !mbedtls_ssl_is_handshake_over(&c->ssl)) {
        code = mbedtls_ssl_handshake_step(&c->ssl);
    }
    reading = NULL;
    return code;
}

int presented_tickets(struct tls_connection *c)
{
    reading = c;
    int code = mbedtls_ssl_handshake(&c->ssl);
    reading = NULL;
    return code;
}

int presented_session(struct tls_connection *c, struct span saved, mbedtls_ssl_session *session)
{
    size_t count = c->presented_count;
    struct tls_connection *before = reading;
    reading = c;
    int code = mbedtls_ssl_session_load(session, saved.data, saved.len);
    reading = before;
    presented_clear(c, count);
    return code;
}

void presented_take(struct tls_connection *c, const mbedtls_x509_crt *chain)
{
    if (c->presented_count > 0) {
        return;
    }
    for (; chain != NULL; chain = chain->next) {
        presented_add(c, span_of(chain->raw.p, chain->raw.len));
    }
}

void presented_clear(struct tls_connection *c, size_t keep)
{
    while (c->presented_count > keep) {
        buf_clear(&c->presented[--c->presented_count]);
    }
    if (keep == 0) {
        free(c->presented);
        c->presented = NULL;
        c->presented_cap = 0;
    }
}

struct span presented_leaf(const struct tls_connection *c)
{
    return c->presented_count > 0 ? buf_span(&c->presented[0]) : span_of(NULL, 0);
}
