// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "ca/certificate.h"
#include "ca/csr.h"
#include "ca/show_parts.h"

#include <string.h>

// [0] { INTEGER }; absent is version 1 (RFC 5280 section 4.1.2.1)
static json_t *version_of(struct span element)
{
    struct err e = ERR_INIT;
    struct der_item outer, number;
    if (element.len == 0) {
        return json_integer(1);
    }
    if (der_next(&element, &outer, &e) != 0 ||
        der_expect(&outer.content, MBEDTLS_ASN1_INTEGER, "version", &number, &e) != 0) {
        return show_malformed(&e);
    }
    if (number.content.len == 1 && number.content.data[0] < 0x7f) {
        return json_integer(number.content.data[0] + 1); // v3 is 2
    }
    return show_integer(number.content);
}

static void put_validity(json_t *object, struct span validity, int64_t now)
{
    struct err e = ERR_INIT;
    struct der_item item;
    int64_t not_before = 0;
    int64_t not_after = 0;
    if (der_expect(&validity, TAG_SEQUENCE, "validity", &item, &e) != 0) {
        show_put(object, "validity", show_malformed(&e));
        return;
    }
    bool first = show_time_read(&item.content, "notBefore", &not_before, &e) == 0;
    show_put(object, "not_before", first ? show_time(not_before) : show_malformed(&e));
    bool second = show_time_read(&item.content, "notAfter", &not_after, &e) == 0;
    show_put(object, "not_after", second ? show_time(not_after) : show_malformed(&e));
    if (first && second) {
        // Section 4.1.2.5: both ends are inclusive
        show_put(object, "validity",
                 json_string(now < not_before  ? "not valid yet"
                             : now > not_after ? "expired"
                                               : "valid"));
        show_put(object, "days_left", json_integer((not_after - now) / CLOCK_DAY));
    }
}

// [3] { SEQUENCE OF Extension }
static json_t *extensions_of(struct span element)
{
    struct err e = ERR_INIT;
    struct der_item outer, list;
    if (element.len == 0) {
        return NULL;
    }
    if (der_next(&element, &outer, &e) != 0 || der_expect(&outer.content, TAG_SEQUENCE, "extensions", &list, &e) != 0) {
        return show_malformed(&e);
    }
    return show_extensions(list.content);
}

static void put_parts(json_t *object, const struct certificate_parts *parts, int64_t now)
{
    show_put(object, "version", version_of(parts->version));
    show_put_serial(object, parts->serial);
    show_put(object, "issuer", show_name(parts->issuer));
    show_put(object, "subject", show_name(parts->subject));
    put_validity(object, parts->validity, now);
    show_put(object, "key", show_public_key_info(parts->key));
    show_put(object, "signature_algorithm", show_algorithm(parts->outer_algorithm));
    if (parts->algorithm.len != parts->outer_algorithm.len ||
        memcmp(parts->algorithm.data, parts->outer_algorithm.data, parts->algorithm.len) != 0) {
        show_put(object, "inner_signature_algorithm", show_algorithm(parts->algorithm)); // section 4.1.1.2: must agree
    }
    show_put(object, "extensions", extensions_of(parts->extensions));
}

json_t *show_certificate(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    struct der_item whole;
    struct span rest = der;
    json_t *object = json_object();
    show_put(object, "kind", json_string("certificate"));
    if (certificate_split(der, &parts, &e) != 0 || der_next(&rest, &whole, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
        show_put_fingerprint(object, der);
        return object;
    }
    put_parts(object, &parts, options->now);
    show_put_fingerprint(object, der);
    if (rest.len > 0) {
        show_put(object, "trailing_octets", json_integer((json_int_t)rest.len));
    }
    return object;
}

// "taken" is what `mtls ca sign` would say to it.
json_t *show_request(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    struct csr csr;
    struct csr_parts parts;
    struct span extensions;
    json_t *object = json_object();
    (void)options;
    show_put(object, "kind", json_string("certification request"));
    if (csr_split(der, &parts, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
        return object;
    }
    show_put(object, "subject", show_name(parts.subject));
    show_put(object, "key", show_public_key_info(parts.key));
    show_put(object, "signature_algorithm", show_algorithm(parts.algorithm));
    if (csr_extensions(&parts, &extensions, &e) != 0) {
        show_put(object, "extensions", show_malformed(&e));
    } else if (extensions.len > 0) {
        show_put(object, "extensions", show_extensions(extensions));
    }
    bool taken = csr_read(der, &csr, &e) == 0;
    csr_clear(&csr);
    show_put(object, "acceptable", json_boolean(taken));
    if (!taken) {
        show_put(object, "refused_because", show_escaped(span_of(e.text, strlen(e.text))));
    }
    return object;
}
