// SPDX-License-Identifier: Apache-2.0
// The name of a server, RFC 9525: only subjectAltName counts, never the common name.
#include "trust/internal.h"

#include <arpa/inet.h>
#include <strings.h>

enum { SAN_DNS = 2, SAN_IP = 7, SAN_CHOICE = 0x1f };

// RFC 9525 section 6.3: a wildcard stands for exactly one label, and only as the whole left-most one. There must be at
// least two labels behind it, so that "*.com" is nobody's.
static bool dns_matches(const mbedtls_x509_buf *san, const char *name, size_t len)
{
    const char *pattern = (const char *)san->p;
    size_t pattern_len = san->len;
    if (pattern_len > 2 && pattern[0] == '*' && pattern[1] == '.') {
        const char *dot = memchr(name, '.', len);
        if (dot == NULL || dot == name || memchr(pattern + 2, '.', pattern_len - 2) == NULL) {
            return false;
        }
        pattern++;
        pattern_len--;
        len -= (size_t)(dot - name);
        name = dot;
    }
    return len > 0 && pattern_len == len && memchr(pattern, '*', pattern_len) == NULL &&
           memchr(pattern, '\0', pattern_len) == NULL && strncasecmp(pattern, name, len) == 0;
}

bool hostname_matches(const mbedtls_x509_crt *leaf, const char *name)
{
    unsigned char address[16];
    size_t address_len = inet_pton(AF_INET, name, address) == 1 ? 4 : inet_pton(AF_INET6, name, address) == 1 ? 16 : 0;
    size_t len = strlen(name);
    if (len > 1 && name[len - 1] == '.') {
        len--; // an absolute name is the same name
    }
    if (!mbedtls_x509_crt_has_ext_type(leaf, MBEDTLS_X509_EXT_SUBJECT_ALT_NAME)) {
        return false;
    }
    for (const mbedtls_x509_sequence *s = &leaf->subject_alt_names; s != NULL; s = s->next) {
        int choice = s->buf.tag & SAN_CHOICE;
        if (address_len > 0 && choice == SAN_IP && s->buf.len == address_len &&
            memcmp(s->buf.p, address, address_len) == 0) {
            return true;
        }
        if (address_len == 0 && choice == SAN_DNS && dns_matches(&s->buf, name, len)) {
            return true;
        }
    }
    return false;
}
