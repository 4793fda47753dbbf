// SPDX-License-Identifier: Apache-2.0
// Revocation lists, PEM or DER, read and asked. A certificate may be found good only by lists that its CA has signed.
#include "base/der.h"
#include "base/file.h"
#include "base/pem.h"
#include "fuzz.h"
#include "trust/revocation.h"

#include <string.h>

enum { SUBJECTS_MOST = 64 };
static struct certificate *subjects[SUBJECTS_MOST]; // the CAs first
static size_t authorities, count;

static int add(void *arg, const char *label, struct span der, struct err *e)
{
    (void)arg;
    (void)label;
    (void)e;
    if (count < SUBJECTS_MOST) {
        subjects[count++] = certificate_read(der);
    }
    return 0;
}

static void read_subjects(void)
{
    static const char *const files[] = {"trust.pem", "authorities.pem", "leaves.pem"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct err e = ERR_INIT;
        struct buf text = {0};
        authorities = count;
        REQUIRE(file_read(fuzz_pki(files[i]), FILE_LIMIT, &text, &e) == 0);
        REQUIRE(pem_read(buf_span(&text), add, NULL, &e) == 0);
        buf_clear(&text);
    }
    REQUIRE(count > authorities);
}

// Does the input hold a list that was really signed?
static int note_signed(void *arg, const char *label, struct span der, struct err *e)
{
    bool *found = arg;
    struct der_item outer;
    struct der_item tbs;
    (void)label;
    if (der_next(&der, &outer, e) == 0 && der_next(&outer.content, &tbs, e) == 0 && fuzz_was_signed(tbs.whole)) {
        *found = true;
    }
    return 0;
}

static bool holds_signed(struct span input)
{
    struct err e = ERR_INIT;
    bool found = false;
    note_signed(&found, "", input, &e);
    pem_read(input, note_signed, &found, &e);
    return found;
}

static void ask(const struct crl_store *store, struct span input)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < authorities; k++) {
            char why[CERTIFICATE_WHY] = "";
            struct revocation_question q = {.subject = subjects[i], .issuer = subjects[k], .now = FUZZ_NOW};
            if (subjects[i]->issuer_key.len != subjects[k]->subject_key.len ||
                memcmp(subjects[i]->issuer_key.data, subjects[k]->subject_key.data, subjects[k]->subject_key.len) !=
                    0) {
                continue;
            }
            enum reason reason = revocation_check(store, &q, why);
            REQUIRE((reason == REASON_ok) == (why[0] == '\0'));
            fuzz_require_printable(why, false);
            REQUIRE((reason != REASON_ok && reason != REASON_cert_revoked) || holds_signed(input));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct crl_store *store = NULL;
    if (count == 0) {
        read_subjects();
    }
    if (crl_store_read(&store, "fuzz.crl", span_of(data, size), &e) == 0) {
        REQUIRE(crl_store_count(store) > 0);
        ask(store, span_of(data, size));
    } else {
        REQUIRE(e.text[0] != '\0');
        fuzz_require_printable(e.text, false);
    }
    crl_store_free(store);
    return 0;
}
