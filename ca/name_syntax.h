// SPDX-License-Identifier: Apache-2.0
// What a host, an e-mail address and a URI must look like to stand in a certificate: in a subjectAltName, or (with
// `constraint`) in a name constraint. Private to general_name.c. Not checked: that an A-label decodes (RFC 5891), that
// a top-level domain exists, that a wildcard covers less than one.
#ifndef MTLS_CA_NAME_SYNTAX_H
#define MTLS_CA_NAME_SYNTAX_H

#include "base/err.h"

#include <stdbool.h>

// RFC 9525 section 2 and RFC 1123 section 2.1: "localhost", "www.example.com", "*.example.com"; as a constraint
// "example.com", ".example.com".
int dns_check(const char *value, bool constraint, struct err *e);
// RFC 5280 section 4.2.1.6: "a@example.com"; as a constraint also "example.com", ".example.com".
int email_check(const char *value, bool constraint, struct err *e);
// RFC 3986, with a host where there is an authority; and the SPIFFE ID standard for "spiffe:". As a constraint it is
// the host: "example.com", ".example.com".
int uri_check(const char *value, bool constraint, struct err *e);

// An IPv4 or IPv6 address. Returns its 4 or 16 octets, 0 for anything else.
size_t ip_parse(const char *text, unsigned char octets[16]);

#endif
