// SPDX-License-Identifier: Apache-2.0
// Is there a list, and is it current? Whether a certificate is on it, and whether its issuer signed it, mbedTLS says.
#include "base/clock.h"
#include "trust/internal.h"

// RFC 5280 section 6.3.3: certificate number i of the path needs a list of its issuer, which is the next one up.
void old_revocation_check(struct judgement *j, size_t i)
{
    const mbedtls_x509_crt *crt = j->path.items[i].crt;
    const mbedtls_x509_crl *newest = NULL;
    int64_t newest_update = 0;
    char issuer[96];
    char when[CLOCK_TEXT];
    if (!j->snapshot->has_crls || i + 1 >= j->path.count) {
        return;
    }
    for (const mbedtls_x509_crl *crl = &j->snapshot->crls; crl != NULL; crl = crl->next) {
        int64_t from = clock_of_x509(&crl->this_update);
        if (!x509_buf_equal(&crl->issuer_raw, &j->path.items[i + 1].crt->subject_raw)) {
            continue;
        }
        // A list without nextUpdate has a year of 0 here: RFC 5280 section 5.1.2.5 demands one.
        if (from <= j->now && j->now <= clock_of_x509(&crl->next_update) && crl->next_update.year != 0) {
            return;
        }
        if (newest == NULL || from > newest_update) {
            newest = crl;
            newest_update = from;
        }
    }
    display_subject(j->path.items[i + 1].crt, issuer);
    if (newest == NULL) {
        display_subject(crt, issuer);
        judgement_report(j, REASON_crl_missing, (int)i, "no list of the issuer of %s is loaded", issuer);
        return;
    }
    bool early = newest_update > j->now;
    judgement_report(j, REASON_crl_stale, (int)i, "the newest list of %s %s %s", issuer,
                     early ? "begins at" : "should have been replaced by",
                     clock_rfc3339(clock_of_x509(early ? &newest->this_update : &newest->next_update), when));
}
