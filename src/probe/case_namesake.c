// SPDX-License-Identifier: Apache-2.0
// A certificate that says what the good one says, word for word, for a key of ours and by a signature of ours. Whoever
// remembers by name or by number whom he has verified takes one for the other.
#include "base/der.h"
#include "ca/certificate.h"
#include "probe/internal.h"

#include <mbedtls/pk.h>

enum { PUBLIC_KEY_MOST = 256 };

// RFC 5280 section 4.1: the TBSCertificate, with its algorithm and its key exchanged.
static int say_the_same(const struct certificate_parts *good, const mbedtls_pk_context *key, struct buf *tbs,
                        struct err *e)
{
    uint8_t public_key[PUBLIC_KEY_MOST];
    int len = mbedtls_pk_write_pubkey_der(key, public_key, sizeof public_key); // to the end of it
    if (len < 0) {
        return err_mbedtls(e, len, "writing the key");
    }
    buf_add(tbs, good->version.data, good->version.len);
    buf_add(tbs, good->serial.data, good->serial.len);
    if (signature_algorithm(key, key_digest(key), tbs, e) != 0) {
        return -1;
    }
    buf_add(tbs, good->issuer.data, good->issuer.len);
    buf_add(tbs, good->validity.data, good->validity.len);
    buf_add(tbs, good->subject.data, good->subject.len);
    buf_add(tbs, public_key + sizeof public_key - len, (size_t)len);
    buf_add(tbs, good->extensions.data, good->extensions.len);
    der_enclose(tbs, TAG_SEQUENCE);
    return 0;
}

static int sign(struct span good, struct rng *rng, mbedtls_pk_context *key, struct identity *namesake, struct err *e)
{
    struct certificate_parts parts;
    struct buf tbs = {0};
    int rc = certificate_split(good, &parts, e);
    if (rc == 0) {
        rc = say_the_same(&parts, key, &tbs, e);
    }
    if (rc == 0) {
        rc = signed_make(buf_span(&tbs), key, key_digest(key), rng, &namesake->chain[0], e);
    }
    buf_clear(&tbs);
    return rc;
}

// The issuers are the good one's, as its signature would have it.
static int namesake_make(const struct identity *good, struct identity *namesake, struct err *e)
{
    struct rng rng;
    mbedtls_pk_context key;
    identity_copy(namesake, good);
    buf_clear(&namesake->chain[0]);
    buf_clear(&namesake->key);
    mbedtls_pk_init(&key);
    int rc = rng_init(&rng, e);
    if (rc == 0 && (key_generate(KEY_ec_p256, &rng, &key, e) != 0 || key_write_pkcs8(&key, &namesake->key, e) != 0)) {
        rc = -1;
    }
    if (rc == 0) {
        rc = sign(buf_span(&good->chain[0]), &rng, &key, namesake, e);
    }
    mbedtls_pk_free(&key);
    rng_clear(&rng);
    return rc;
}

void case_namesake(struct prober *p, unsigned version, struct outcome *outcome)
{
    const struct identity *good = identities_good(p->identities);
    struct identity namesake;
    struct err e = ERR_INIT;
    if (namesake_make(good, &namesake, &e) != 0) {
        *outcome = (struct outcome){.alert = TLS_ALERT_NONE};
        outcome_set(outcome, PROBE_NOT_RUN, "%.200s", e.text);
    } else {
        prober_dial(p, good, version, outcome); // now the target knows it, if that is a thing it does
        if (control_judge(outcome) == prober_control(p, version)) {
            prober_dial(p, &namesake, version, outcome);
        } else {
            outcome_enclose(outcome, "before it, the good one gets: ", "");
            outcome->seen = PROBE_NOT_RUN;
            outcome->doubtful = true;
        }
    }
    identity_clear(&namesake);
}
