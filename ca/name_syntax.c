// SPDX-License-Identifier: Apache-2.0
#include "ca/name_syntax.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" LOWER
#define DIGITS "0123456789"

enum {
    LABEL_MAX = 63,         // RFC 1035 section 2.3.4
    HOST_MAX = 253,         // what the 255 octets of RFC 1035 leave for the text
    LOCAL_PART_MAX = 64,    // RFC 5321 section 4.5.3.1.1
    TRUST_DOMAIN_MAX = 255, // SPIFFE ID section 2.1
    SPIFFE_ID_MAX = 2048,   // SPIFFE ID section 2.3
    PORT_MAX = 65535,
};

size_t ip_parse(const char *text, unsigned char octets[16])
{
    return inet_pton(AF_INET, text, octets) == 1 ? 4 : inet_pton(AF_INET6, text, octets) == 1 ? 16 : 0;
}

static bool is_ip(const char *text)
{
    unsigned char octets[16];
    return ip_parse(text, octets) > 0;
}

static int ascii_check(const char *value, const char *right, struct err *e)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~') { // chars with the top bit set are negative, or above
            return err_set(e, (unsigned char)*p > 0x7f ? "not ASCII: %s" : "a space or control character is in it: %s",
                           right);
        }
    }
    return 0;
}

// A label of letters, digits and inner hyphens (RFC 5890 section 2.3.1: LDH label).
static int label_check(const char *label, size_t len, struct err *e)
{
    if (len == 0) {
        return err_set(e, "a label is empty: labels are joined by single dots, with none at the ends");
    }
    if (len > LABEL_MAX) {
        return err_set(e, "label \"%.*s\" has %zu characters (at most %d)", (int)len, label, len, LABEL_MAX);
    }
    if (strspn(label, LETTERS DIGITS "-") < len || label[0] == '-' || label[len - 1] == '-') {
        return err_set(e, "label \"%.*s\" must be letters, digits and inner hyphens", (int)len, label);
    }
    return 0;
}

// A host name, without wildcard. RFC 1123 section 2.1: its last label is never a number, so that it cannot be taken for
// an address.
static int host_check(const char *host, struct err *e)
{
    const char *label = host;
    if (ascii_check(host, "give the A-labels of a host name (xn--..., RFC 5891)", e) != 0) {
        return -1;
    }
    if (strlen(host) > HOST_MAX) {
        return err_set(e, "%zu characters are too many for a host name (at most %d)", strlen(host), HOST_MAX);
    }
    for (;;) {
        size_t len = strcspn(label, ".");
        if (label_check(label, len, e) != 0) {
            return -1;
        }
        if (label[len] == '\0') {
            break;
        }
        label += len + 1;
    }
    if (label[strspn(label, DIGITS)] == '\0') {
        return err_set(e, "the last label of a host name cannot be a number");
    }
    return 0;
}

// A host, or all below it: "example.com", ".example.com".
static int domain_check(const char *value, struct err *e)
{
    if (is_ip(value)) {
        return err_set(e, "an IP address: constrain addresses with ip and a prefix such as 10.0.0.0/8");
    }
    if (strchr(value, '*') != NULL) {
        return err_set(e, "a constraint has no wildcard: .example.com is all names below example.com");
    }
    return host_check(value + (value[0] == '.' ? 1 : 0), e);
}

int dns_check(const char *value, bool constraint, struct err *e)
{
    if (constraint) {
        return domain_check(value, e);
    }
    if (is_ip(value)) {
        return err_set(e, "an IP address: give it as ip");
    }
    // RFC 9525 section 6.3: the wildcard is the whole of the left-most label
    const char *host = strncmp(value, "*.", 2) == 0 ? value + 2 : value;
    if (strchr(host, '*') != NULL) {
        return err_set(e, "a wildcard must be the whole of the first label, before others: *.example.com");
    }
    return host_check(host, e);
}

int email_check(const char *value, bool constraint, struct err *e)
{
    const char *at = strchr(value, '@');
    if (at == NULL && constraint) {
        return domain_check(value, e);
    }
    // RFC 5280 section 4.2.1.6 has ASCII only; what is more is another kind of name (SmtpUTF8Mailbox, RFC 9598)
    if (ascii_check(value, "an rfc822Name is ASCII, its host given as A-labels (xn--..., RFC 5891)", e) != 0) {
        return -1;
    }
    if (at == NULL || strchr(at + 1, '@') != NULL) {
        return err_set(e, "one @ is due, between mailbox and host: alice@example.com");
    }
    size_t len = (size_t)(at - value);
    if (len > LOCAL_PART_MAX) {
        return err_set(e, "%zu characters before the @ are too many (at most %d)", len, LOCAL_PART_MAX);
    }
    // RFC 5321 section 4.1.2: Dot-string. Its Quoted-string is not taken: nobody compares them alike.
    if (len == 0 || strspn(value, LETTERS DIGITS "!#$%&'*+-/=?^_`{|}~.") < len || value[0] == '.' || at[-1] == '.' ||
        memmem(value, len, "..", 2) != NULL) {
        return err_set(e, "before the @ letters, digits, !#$%%&'*+-/=?^_`{|}~ and single inner dots are due");
    }
    return host_check(at + 1, e);
}

// SPIFFE ID section 2: the restrictions beyond those of a URI.
static int spiffe_check(const char *value, struct err *e)
{
    static const char scheme[] = "spiffe://";
    if (strncmp(value, scheme, strlen(scheme)) != 0) {
        return err_set(e, "a SPIFFE ID starts with spiffe:// in lower case");
    }
    if (strlen(value) > SPIFFE_ID_MAX) {
        return err_set(e, "%zu characters are too many for a SPIFFE ID (at most %d)", strlen(value), SPIFFE_ID_MAX);
    }
    const char *domain = value + strlen(scheme);
    size_t len = strcspn(domain, "/");
    if (len == 0 || len > TRUST_DOMAIN_MAX || strspn(domain, LOWER DIGITS ".-_") < len) {
        return err_set(e, "the trust domain of a SPIFFE ID must be 1 to %d of a-z 0-9 . - _ (no user, no port)",
                       TRUST_DOMAIN_MAX);
    }
    for (const char *slash = domain + len; *slash == '/'; slash += len) {
        const char *segment = slash + 1;
        len = 1 + strcspn(segment, "/");
        size_t dots = strspn(segment, ".");
        if (len == 1 || (dots == len - 1 && dots <= 2)) {
            return err_set(e, "a segment in the path of a SPIFFE ID is empty, . or .. (and no / may end it)");
        }
        if (strspn(segment, LETTERS DIGITS ".-_") < len - 1) {
            return err_set(e, "the path of a SPIFFE ID must be of A-Z a-z 0-9 . - _ and / (no query, fragment or %%)");
        }
    }
    return 0;
}

static int port_check(const char *port, struct err *e)
{
    size_t len = strspn(port, DIGITS);
    if (port[len] != '\0' || len == 0 || len > 5 || strtol(port, NULL, 10) > PORT_MAX) {
        return err_set(e, "port \"%s\" must be a number up to %d", port, PORT_MAX);
    }
    return 0;
}

// RFC 3986 section 3.2: [user@]host[:port]. RFC 5280 section 4.2.1.6: the host is a domain name or an address.
static int authority_check(char *authority, struct err *e)
{
    char *at = strchr(authority, '@');
    char *host = at == NULL ? authority : at + 1;
    char *end = host + strcspn(host, ":");
    if (host[0] == '[') {
        end = host + strcspn(host, "]");
        unsigned char octets[16];
        bool closed = *end == ']';
        *end = '\0';
        if (!closed || ip_parse(host + 1, octets) != 16) {
            return err_set(e, "an IPv6 address is due between [ and ]");
        }
        end++;
    }
    if (*end != '\0' && *end != ':') {
        return err_set(e, "only a port may follow the host");
    }
    if (*end == ':') {
        if (port_check(end + 1, e) != 0) {
            return -1;
        }
        *end = '\0';
    }
    return host[0] == '[' || is_ip(host) ? 0 : host_check(host, e);
}

// RFC 3986: scheme, and then only the characters that it has, % before two hex digits, one fragment at most.
static int uri_syntax_check(const char *value, size_t scheme_len, struct err *e)
{
    static const char characters[] = LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;=%";
    if (ascii_check(value, "what is no character of a URI is written as %XX (RFC 3987 section 3.1)", e) != 0) {
        return -1;
    }
    if (value[scheme_len] != ':' || scheme_len == 0 || strchr(LETTERS, value[0]) == NULL) {
        return err_set(e, "a URI starts with a scheme, such as https: or urn:");
    }
    const char *rest = value + scheme_len + 1;
    const char *bad = rest + strspn(rest, characters);
    if (rest[0] == '\0') {
        return err_set(e, "nothing follows the scheme");
    }
    if (*bad != '\0') {
        return err_set(e, "%c must be written %%%02X", *bad, (unsigned)*bad);
    }
    for (const char *p = strchr(rest, '%'); p != NULL; p = strchr(p + 1, '%')) {
        if (strspn(p + 1, DIGITS "ABCDEFabcdef") < 2) {
            return err_set(e, "two hex digits must follow a %%");
        }
    }
    if (strchr(rest, '#') != strrchr(rest, '#')) {
        return err_set(e, "only one # may be in it");
    }
    return 0;
}

int uri_check(const char *value, bool constraint, struct err *e)
{
    if (constraint) {
        return domain_check(value, e);
    }
    size_t scheme_len = strspn(value, LETTERS DIGITS "+-.");
    if (uri_syntax_check(value, scheme_len, e) != 0) {
        return -1;
    }
    if (scheme_len == strlen("spiffe") && strncasecmp(value, "spiffe", scheme_len) == 0) {
        return spiffe_check(value, e);
    }
    const char *rest = value + scheme_len + 1;
    if (strncmp(rest, "//", 2) != 0) {
        return 0;
    }
    char *authority = mem_strndup(rest + 2, strcspn(rest + 2, "/?#"));
    int rc = authority_check(authority, e);
    free(authority);
    return rc;
}
