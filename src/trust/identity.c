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

static char *text_of_name(struct span name)
{
    struct buf b = {0};
    display_name(&b, name);
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

static void fill_names(struct trust_identity *identity, struct span names)
{
    struct err ignored = ERR_INIT;
    struct der_item name;
    if (names.len == 0) {
        return;
    }
    identity->names = mem_array(NAMES_MOST, sizeof *identity->names);
    while (identity->name_count < NAMES_MOST && names.len > 0 && der_next(&names, &name, &ignored) == 0) {
        display_general_name(&identity->names[identity->name_count++], &name);
    }
}

struct trust_identity *trust_identity_new(struct span leaf, const char *tls_version, bool resumed, struct err *e)
{
    struct trust_identity *identity = NULL;
    unsigned char digest[SHA256_LENGTH];
    struct certificate *c = certificate_read(leaf);
    if (!c->readable) {
        err_set(e, "reading the peer's certificate: %s", c->why);
        goto out;
    }
    int code = mbedtls_sha256(leaf.data, leaf.len, digest, 0);
    if (code != 0) {
        err_mbedtls(e, code, "reading the peer's certificate");
        goto out;
    }
    identity = mem_alloc(sizeof *identity);
    identity->subject = text_of_name(c->subject);
    identity->issuer = text_of_name(c->issuer);
    identity->serial = hex_of(c->serial.data, c->serial.len);
    identity->fingerprint = hex_of(digest, sizeof digest);
    fill_names(identity, c->names);
    identity->not_before = c->not_before;
    identity->not_after = c->not_after;
    identity->tls_version = tls_version;
    identity->resumed = resumed;
out:
    certificate_free(c);
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
