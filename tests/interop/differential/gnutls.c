// SPDX-License-Identifier: Apache-2.0
// GnuTLS's verdict, as `certtool --verify --verify-profile medium --verify-purpose ... --verify-hostname ...` would
// give it. It does not insist on revocation lists; it believes those that it is given.
#include "differential.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

static time_t now(time_t *out)
{
    if (out != NULL) {
        *out = NOW;
    }
    return NOW;
}

static int read_certificate(struct span der, gnutls_x509_crt_t *x)
{
    gnutls_datum_t in = {(unsigned char *)(uintptr_t)der.data, (unsigned)der.len};
    *x = NULL;
    int code = gnutls_x509_crt_init(x);
    code = code == 0 ? gnutls_x509_crt_import(*x, &in, GNUTLS_X509_FMT_DER) : code;
    if (code != 0 && *x != NULL) {
        gnutls_x509_crt_deinit(*x);
        *x = NULL;
    }
    return code;
}

// The lists, for what GnuTLS takes of them; which it verifies itself.
static void add_lists(gnutls_x509_trust_list_t trust, const struct question *q)
{
    for (size_t i = 0; i < q->list_count; i++) {
        gnutls_datum_t in = {q->lists[i].der.data, (unsigned)q->lists[i].der.len};
        gnutls_x509_crl_t crl = NULL;
        if (gnutls_x509_crl_init(&crl) == 0 && gnutls_x509_crl_import(crl, &in, GNUTLS_X509_FMT_DER) == 0) {
            gnutls_x509_trust_list_add_crls(trust, &crl, 1, 0, 0); // takes it
        } else if (crl != NULL) {
            gnutls_x509_crl_deinit(crl);
        }
    }
}

static int verify(gnutls_x509_trust_list_t trust, gnutls_x509_crt_t *chain, unsigned count, const struct question *q,
                  unsigned *status)
{
    const char *purpose = q->purpose == TRUST_SERVER ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT;
    unsigned char address[4];
    gnutls_typed_vdata_st wanted[2] = {{GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)purpose, 0}};
    unsigned given = 1;
    if (q->name != NULL && inet_pton(AF_INET, q->name, address) == 1) {
        wanted[given++] = (gnutls_typed_vdata_st){GNUTLS_DT_IP_ADDRESS, address, sizeof address};
    } else if (q->name != NULL) {
        wanted[given++] = (gnutls_typed_vdata_st){GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)(uintptr_t)q->name, 0};
    }
    return gnutls_x509_trust_list_verify_crt2(trust, chain, count, wanted, given,
                                              GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM), status, NULL);
}

bool gnutls_judge(const struct world *world, const struct question *q, char words[PEER_WORDS])
{
    struct span chain[CHAIN_MOST];
    size_t count = question_chain(world, q, chain);
    gnutls_x509_crt_t read[CHAIN_MOST];
    gnutls_x509_crt_t root = NULL;
    gnutls_x509_trust_list_t trust = NULL;
    gnutls_datum_t text = {NULL, 0};
    unsigned good = 0;
    unsigned status = 0;
    int code = gnutls_x509_trust_list_init(&trust, 0);
    gnutls_global_set_time_function(now);
    if (code == 0 && read_certificate(buf_span(&world->root), &root) == 0) {
        gnutls_x509_trust_list_add_cas(trust, &root, 1, 0); // takes it
    }
    add_lists(trust, q);
    for (size_t i = 0; code == 0 && i < count; i++) { // a leaf that cannot be read ends it, others are left out
        int bad = read_certificate(chain[i], &read[good]);
        code = i == 0 ? bad : 0;
        good += bad == 0;
    }
    code = code == 0 ? verify(trust, read, good, q, &status) : code;
    snprintf(words, PEER_WORDS, "unreadable: %s", gnutls_strerror(code));
    if (code == 0 && gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0) {
        snprintf(words, PEER_WORDS, "%s", (const char *)text.data);
        gnutls_free(text.data);
    }
    for (unsigned i = 0; i < good; i++) {
        gnutls_x509_crt_deinit(read[i]);
    }
    gnutls_x509_trust_list_deinit(trust, 1);
    return code == 0 && status == 0;
}
