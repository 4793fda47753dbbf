// SPDX-License-Identifier: Apache-2.0
#include "trust/host.h"

#include "base/der.h"
#include "trust/constraint.h"
#include "trust/general_name.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum {
    LABEL_MOST = 63, // RFC 1035 section 2.3.4
    HOST_MOST = 253, // what its 255 octets leave for the text
};

bool span_is_of(struct span text, const char *set)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\0' || strchr(set, text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static struct span label_of(struct span host)
{
    const uint8_t *dot = host.len == 0 ? NULL : memchr(host.data, '.', host.len);
    return span_of(host.data, dot == NULL ? host.len : (size_t)(dot - host.data));
}

struct span host_parent(struct span host)
{
    size_t len = label_of(host).len;
    len += len < host.len ? 1 : 0;
    return span_of(host.data + len, host.len - len);
}

bool host_is_wildcard(struct span pattern)
{
    return pattern.len >= 2 && pattern.data[0] == '*' && pattern.data[1] == '.';
}

int host_name_check(struct span host, struct err *e)
{
    struct span label = {0};
    if (host.len == 0 || host.len > HOST_MOST) {
        return err_set(e, "a host name has 1 to %d characters", HOST_MOST);
    }
    if (host.data[host.len - 1] == '.') {
        return err_set(e, "a host name does not end with a dot here");
    }
    for (struct span rest = host; rest.len > 0; rest = host_parent(rest)) {
        label = label_of(rest);
        if (label.len == 0 || label.len > LABEL_MOST) {
            return err_set(e, "a label of a host name has 1 to %d characters", LABEL_MOST);
        }
        if (!span_is_of(label, LETTERS_AND_DIGITS "-") || label.data[0] == '-' || label.data[label.len - 1] == '-') {
            return err_set(e, "a label of a host name is letters, digits and inner hyphens");
        }
    }
    if (span_is_of(label, "0123456789")) { // RFC 1123 section 2.1: this tells names from addresses
        return err_set(e, "the last label of a host name is not a number");
    }
    return 0;
}

int host_pattern_check(struct span pattern, struct err *e)
{
    if (!host_is_wildcard(pattern)) {
        return host_name_check(pattern, e);
    }
    // "*.com" would be a wildcard over what is registered
    if (label_of(host_parent(pattern)).len == host_parent(pattern).len) {
        return err_set(e, "a wildcard has two labels behind it at least");
    }
    return host_name_check(host_parent(pattern), e);
}

size_t host_address(struct span text, uint8_t octets[16])
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len) != NULL) {
        return 0;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, octets) == 1 ? 4 : inet_pton(AF_INET6, copy, octets) == 1 ? 16 : 0;
}

bool host_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

bool host_is_below(struct span host, struct span domain)
{
    if (host.len <= domain.len || host.data[host.len - domain.len - 1] != '.') {
        return false;
    }
    return host_equal(span_of(host.data + host.len - domain.len, domain.len), domain);
}

// RFC 9525 section 6.3: a wildcard stands for exactly one label.
static bool pattern_matches(struct span pattern, struct span host)
{
    struct err ignored = ERR_INIT;
    if (host_pattern_check(pattern, &ignored) != 0) {
        return false;
    }
    return host_is_wildcard(pattern) ? host_equal(host_parent(pattern), host_parent(host)) : host_equal(pattern, host);
}

bool mailbox_equal(struct span a, struct span b)
{
    struct err ignored = ERR_INIT;
    struct span local_a, host_a, local_b, host_b;
    return mailbox_split(a, &local_a, &host_a, &ignored) == 0 && mailbox_split(b, &local_b, &host_b, &ignored) == 0 &&
           local_a.len == local_b.len && memcmp(local_a.data, local_b.data, local_a.len) == 0 &&
           host_equal(host_a, host_b);
}

// A URI: octet by octet, as there is no other comparison that everybody makes alike (RFC 5280 section 7.4 has its own).
static bool has_text_name(const struct certificate *c, int tag, struct span name)
{
    struct err ignored = ERR_INIT;
    struct span rest = c->names;
    struct der_item item;
    while (rest.len > 0 && der_next(&rest, &item, &ignored) == 0) {
        if (item.tag == tag && (tag == FORM_TAG_EMAIL ? mailbox_equal(item.content, name)
                                                      : item.content.len == name.len &&
                                                            memcmp(item.content.data, name.data, name.len) == 0)) {
            return true;
        }
    }
    return false;
}

bool certificate_is_named(const struct certificate *c, const char *name)
{
    if (strstr(name, "://") != NULL) {
        return has_text_name(c, FORM_TAG_URI, span_of(name, strlen(name)));
    }
    if (strchr(name, '@') != NULL) {
        return has_text_name(c, FORM_TAG_EMAIL, span_of(name, strlen(name)));
    }
    return certificate_is_host(c, name);
}

bool certificate_is_host(const struct certificate *c, const char *host)
{
    struct err ignored = ERR_INIT;
    struct span name = span_of(host, strlen(host));
    struct span rest = c->names;
    struct der_item item;
    uint8_t octets[16];
    size_t address = host_address(name, octets);
    if (name.len > 1 && host[name.len - 1] == '.') {
        name.len--; // an absolute name is the same name
    }
    if (address == 0 && host_name_check(name, &ignored) != 0) {
        return false;
    }
    while (rest.len > 0 && der_next(&rest, &item, &ignored) == 0) {
        if (address > 0 ? item.tag == FORM_TAG_IP && item.content.len == address &&
                              memcmp(item.content.data, octets, address) == 0
                        : item.tag == FORM_TAG_DNS && pattern_matches(item.content, name)) {
            return true;
        }
    }
    return false;
}
