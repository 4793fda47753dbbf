// SPDX-License-Identifier: Apache-2.0
// Certificate policies (RFC 5280 section 6.1, with the policy graph of RFC 9618, which cannot grow exponentially).
#ifndef MTLS_TRUST_POLICY_H
#define MTLS_TRUST_POLICY_H

#include "trust/certificate.h"

// What the user demands; all off by default: any policy will do, and none is needed.
struct policy_demand {
    const struct span *acceptable; // content octets of OIDs; the user-initial-policy-set
    size_t count;                  // 0: any-policy
    bool explicit_policy;          // initial-explicit-policy
    bool inhibit_mapping;          // initial-policy-mapping-inhibit
    bool inhibit_any;              // initial-any-policy-inhibit
};

// Checks the syntax of the content of certificatePolicies (no policy twice, at least one) when a certificate is read.
// *qualifiers_known: every qualifier in it is one of RFC 5280's.
int policy_syntax(struct span policies, bool *qualifiers_known, struct err *e);
int policy_mapping_syntax(struct span mappings, struct err *e); // anyPolicy may not be mapped from or to

// Runs policy processing over a path: path[0] is the leaf, path[count - 1] the certificate that the anchor issued (the
// anchor itself is not in it). REASON_ok or REASON_policy with words in `why` and the depth at fault in *depth;
// REASON_budget_exceeded for absurd amounts.
enum reason policy_check(const struct certificate *const *path, size_t count, const struct policy_demand *demand,
                         int *depth, char why[CERTIFICATE_WHY]);

#endif
