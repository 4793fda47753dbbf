// SPDX-License-Identifier: Apache-2.0
// The judge with every signature good (signature_check is replaced when this is linked), so that what lies behind a
// forged certificate is reached: building and validating paths. What is accepted must still end at an anchor, and its
// leaf be good for what was asked.
#include "fuzz.h"
#include "trust/constraint.h"

#include <string.h>

enum reason signature_forged(struct span algorithm, struct span signature, struct span data,
                             mbedtls_pk_context *key) __asm__("__wrap_signature_check");
enum reason signature_forged(struct span algorithm, struct span signature, struct span data, mbedtls_pk_context *key)
{
    (void)signature;
    (void)key;
    struct signature_digest digest;
    return signature_hash(algorithm, data, &digest);
}

static void require_good(const struct certificate *c, bool leaf)
{
    REQUIRE(c->bad == REASON_ok && c->readable && c->key_read && c->version == 3);
    REQUIRE(c->not_before <= FUZZ_NOW && FUZZ_NOW <= c->not_after);
    REQUIRE(leaf != c->is_ca);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_question q;
    struct trust_path path = {.count = 0};
    fuzz_question_read(&q, span_of(data, size));
    if (fuzz_question_ask(&q, &path)) {
        struct certificate *below = NULL;
        for (size_t i = 0; i < path.count; i++) {
            struct certificate *c = certificate_read(path.certificates[i]);
            require_good(c, i == 0);
            REQUIRE(i > 0 || q.purpose != TRUST_SERVER || (c->ext_key_usage & EKU_SERVER) != 0);
            REQUIRE(i > 0 || q.purpose != TRUST_CLIENT || (c->ext_key_usage & EKU_CLIENT) != 0);
            REQUIRE(i > 0 || !q.named || certificate_is_host(c, q.name));
            REQUIRE(below == NULL || (below->issuer_key.len == c->subject_key.len &&
                                      memcmp(below->issuer_key.data, c->subject_key.data, c->subject_key.len) == 0));
            certificate_free(below);
            below = c;
        }
        certificate_free(below);
    }
    trust_path_clear(&path);
    return 0;
}
