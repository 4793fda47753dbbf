// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/text.h"
#include "ca/extension.h"
#include "ca/oid.h"
#include "ca/show_parts.h"

#include <stdlib.h>
#include <string.h>

// The extensions of an entry as fields of it (reason, invalidity date), for a list is read line by line.
static void put_entry_extensions(json_t *entry, struct span rest)
{
    static const struct {
        const char *words;
        const char *key;
    } keys[] = {{"reasonCode", "reason"}, {"invalidityDate", "invalidity_date"}, {"certificateIssuer", "issuer"}};
    struct err e = ERR_INIT;
    while (rest.len > 0) {
        char words[OID_TEXT];
        struct extension extension;
        if (extension_next(&rest, &extension, &e) != 0) {
            show_put(entry, "extensions", show_malformed(&e));
            return;
        }
        const char *key = oid_words(extension.oid, words);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            key = strcmp(keys[i].words, key) == 0 ? keys[i].key : key;
        }
        json_t *value = show_extension_value(extension.oid, extension.value);
        show_put(entry, key, value != NULL ? value : show_hex(extension.value));
    }
}

// { userCertificate, revocationDate, crlEntryExtensions OPTIONAL }
static json_t *show_entry(struct span content)
{
    struct err e = ERR_INIT;
    struct der_item item;
    int64_t when = 0;
    json_t *entry = json_object();
    if (der_next(&content, &item, &e) != 0) {
        show_put(entry, "serial", show_malformed(&e));
        return entry;
    }
    show_put_serial(entry, item.whole);
    if (show_time_read(&content, "revocationDate", &when, &e) != 0) {
        show_put(entry, "revoked_at", show_malformed(&e));
        return entry;
    }
    show_put(entry, "revoked_at", show_time(when));
    if (content.len == 0) {
        return entry;
    }
    if (der_expect(&content, TAG_SEQUENCE, "crlEntryExtensions", &item, &e) != 0) {
        show_put(entry, "extensions", show_malformed(&e));
    } else {
        put_entry_extensions(entry, item.content);
    }
    return entry;
}

static void put_entries(json_t *object, struct span rest, size_t most)
{
    struct err e = ERR_INIT;
    json_t *entries = json_array();
    size_t count = 0;
    while (rest.len > 0) {
        struct der_item item;
        if (der_expect(&rest, TAG_SEQUENCE, "entry", &item, &e) != 0) {
            json_array_append_new(entries, show_malformed(&e));
            break;
        }
        if (count++ < most) {
            json_array_append_new(entries, show_entry(item.content));
        }
    }
    show_put(object, "count", json_integer((json_int_t)count));
    show_put(object, "entries", entries);
    if (count > most) {
        show_put(object, "entries_not_shown", json_integer((json_int_t)(count - most)));
    }
}

static int put_times(json_t *object, struct span *rest, int64_t now, struct err *e)
{
    int64_t this_update = 0;
    int64_t next_update = 0;
    if (show_time_read(rest, "thisUpdate", &this_update, e) != 0) {
        return -1;
    }
    show_put(object, "this_update", show_time(this_update));
    if (rest->len == 0 || (rest->data[0] != MBEDTLS_ASN1_UTC_TIME && rest->data[0] != MBEDTLS_ASN1_GENERALIZED_TIME)) {
        return 0; // optional in X.509; RFC 5280 section 5.1.2.5 requires it
    }
    if (show_time_read(rest, "nextUpdate", &next_update, e) != 0) {
        return -1;
    }
    show_put(object, "next_update", show_time(next_update));
    show_put(object, "currency",
             json_string(now < this_update   ? "not valid yet"
                         : now > next_update ? "stale"
                                             : "current"));
    show_put(object, "days_left", json_integer((next_update - now) / CLOCK_DAY));
    return 0;
}

// TBSCertList (RFC 5280 section 5.1): each part is put as soon as it is read, so that what is before damage is seen.
static int put_list(json_t *object, struct span rest, const struct show_options *options, struct err *e)
{
    struct der_item item;
    struct der_item list;
    if (rest.len > 0 && rest.data[0] == MBEDTLS_ASN1_INTEGER) {
        if (der_next(&rest, &item, e) != 0) {
            return -1;
        }
        bool known = item.content.len == 1 && item.content.data[0] < 0x7f;
        show_put(object, "version", known ? json_integer(item.content.data[0] + 1) : show_integer(item.content));
    } else {
        show_put(object, "version", json_integer(1));
    }
    if (der_next(&rest, &item, e) != 0) {
        return err_context(e, "signature");
    }
    show_put(object, "signature_algorithm", show_algorithm(item.whole));
    if (der_next(&rest, &item, e) != 0) {
        return err_context(e, "issuer");
    }
    show_put(object, "issuer", show_name(item.whole));
    if (put_times(object, &rest, options->now, e) != 0) {
        return -1;
    }
    struct span entries = span_of(NULL, 0);
    if (rest.len > 0 && rest.data[0] == TAG_SEQUENCE) {
        if (der_next(&rest, &item, e) != 0) {
            return err_context(e, "revokedCertificates");
        }
        entries = item.content;
    }
    if (rest.len > 0) {
        if (der_expect(&rest, SHOW_CONTEXT_CONSTRUCTED | 0, "crlExtensions", &item, e) != 0 ||
            der_expect(&item.content, TAG_SEQUENCE, "crlExtensions", &list, e) != 0) {
            return -1;
        }
        show_put(object, "extensions", show_extensions(list.content));
    }
    put_entries(object, entries, options->entries_max);
    return 0;
}

json_t *show_crl(struct span der, const struct show_options *options)
{
    struct err e = ERR_INIT;
    struct der_item whole;
    struct der_item tbs;
    struct span rest = der;
    json_t *object = json_object();
    show_put(object, "kind", json_string("revocation list"));
    if (der_expect(&rest, TAG_SEQUENCE, "CertificateList", &whole, &e) != 0 ||
        der_expect(&whole.content, TAG_SEQUENCE, "TBSCertList", &tbs, &e) != 0 ||
        put_list(object, tbs.content, options, &e) != 0) {
        show_put(object, "content", show_malformed(&e));
    }
    show_put_fingerprint(object, der);
    if (rest.len > 0) {
        show_put(object, "trailing_octets", json_integer((json_int_t)rest.len));
    }
    return object;
}
