// SPDX-License-Identifier: Apache-2.0
// Name constraints (RFC 5280 sections 4.2.1.10 and 6.1.3 (b), (c)).
#ifndef MTLS_TRUST_CONSTRAINT_H
#define MTLS_TRUST_CONSTRAINT_H

#include "trust/certificate.h"

// Checks the syntax of the content of a GeneralSubtrees when a CA certificate is read: at least one subtree, base a
// well-formed name of its type (a DNS constraint has no wildcard, no leading dot; an IP constraint is 8 or 32 octets
// with a contiguous mask; an e-mail constraint is a mailbox, a host or .domain; a URI constraint a host or .domain),
// minimum 0 and no maximum. -1: malformed, words in `e`.
int constraint_syntax(struct span subtrees, struct err *e);

// Are the names of `c` within the constraints of the CA certificate `ca`? Names are the subject (as a directory name,
// unless it is empty), every subjectAltName, an emailAddress in the subject where there is no rfc822Name (section
// 4.2.1.10), and, where there is no dNSName, a commonName that looks like a host name or an IP address and so might be
// used as one. A name of a type that is constrained and that cannot be understood is outside. *budget is lowered by
// each comparison: by 1 (some 30 ns), of directory names by 1 and the octets of the base (some 100 ns each). REASON_ok;
// REASON_name_constraint, with words in `why`; REASON_budget_exceeded when it is used up.
enum reason constraint_check(const struct certificate *c, const struct certificate *ca, size_t *budget,
                             char why[CERTIFICATE_WHY]);

// subjectAltName's own syntax, when a certificate is read: see trust.h for the rules. -1: words in `e`.
int general_names_syntax(struct span names, struct err *e);

// Does the leaf's subjectAltName hold this host name or IP address (RFC 9525)? No commonName is ever looked at.
bool certificate_is_host(const struct certificate *c, const char *host);
// The same, and a URI (it has "://") or a mailbox (it has "@") is looked for among those.
bool certificate_is_named(const struct certificate *c, const char *name);

#endif
