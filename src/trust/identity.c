// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/text.h"
#include "trust/internal.h"

#include <mbedtls/sha256.h>
#include <stdlib.h>

enum { NAMES_MOST = 100, SHA256_LENGTH = 32 };

const char *trust_name_word(enum trust_name_type type)
{
    static const char *const words[] = {
        [TRUST_NAME_DNS] = "dns", [TRUST_NAME_IP] = "ip",       [TRUST_NAME_EMAIL] = "email",
        [TRUST_NAME_URI] = "uri", [TRUST_NAME_OTHER] = "other",
    };
    return words[type];
}

static char *text_of_name(const mbedtls_x509_buf *raw)
{
    struct buf b = {0};
    display_name(&b, span_of(raw->p, raw->len));
    char *text = mem_strdup((const char *)b.data);
    buf_clear(&b);
    return text;
}

static char *hex_of(const void *data, size_t len)
{
    struct buf b = {0};
    text_hex(&b, data, len, '\0');
    char *text = mem_strdup((const char *)b.data);
    buf_clear(&b);
    return text;
}

static void fill_names(struct trust_identity *identity, const mbedtls_x509_crt *crt)
{
    if (!mbedtls_x509_crt_has_ext_type(crt, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
        return;
    }
    identity->names = mem_array(NAMES_MOST, sizeof *identity->names);
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s != NULL; s = s->next) {
        if (identity->name_count < NAMES_MOST) {
            display_general_name(&identity->names[identity->name_count++], &s->buf);
        }
    }
}

struct trust_identity *trust_identity_new(struct span leaf, const char *tls_version, bool resumed, struct err *e)
{
    struct trust_identity *identity = NULL;
    unsigned char digest[SHA256_LENGTH];
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    int code = mbedtls_x509_crt_parse_der(&crt, leaf.data, leaf.len);
    if (code == 0) {
        code = mbedtls_sha256(leaf.data, leaf.len, digest, 0);
    }
    if (code != 0) {
        err_mbedtls(e, code, "reading the peer's certificate");
        goto out;
    }
    identity = mem_alloc(sizeof *identity);
    identity->subject = text_of_name(&crt.subject_raw);
    identity->issuer = text_of_name(&crt.issuer_raw);
    identity->serial = hex_of(crt.serial.p, crt.serial.len);
    identity->fingerprint = hex_of(digest, sizeof digest);
    fill_names(identity, &crt);
    identity->not_before = clock_of_x509(&crt.valid_from);
    identity->not_after = clock_of_x509(&crt.valid_to);
    identity->tls_version = tls_version;
    identity->resumed = resumed;
out:
    mbedtls_x509_crt_free(&crt);
    return identity;
}

void trust_identity_free(struct trust_identity *identity)
{
    if (identity == NULL) {
        return;
    }
    for (size_t i = 0; i < identity->name_count; i++) {
        free(identity->names[i].text);
    }
    free(identity->names);
    free(identity->subject);
    free(identity->issuer);
    free(identity->serial);
    free(identity->fingerprint);
    free(identity);
}
