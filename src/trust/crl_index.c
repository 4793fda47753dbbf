// SPDX-License-Identifier: Apache-2.0
// The entries of a list (RFC 5280 section 5.3): 24 octets each, sorted, found by halving.
#include "base/text.h"
#include "trust/crl_internal.h"
#include "trust/name.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_BITS = 4, REASON_MASK = (1 << REASON_BITS) - 1 };

struct issuer {
    struct buf name;
    uint32_t number;
};

// What is carried from entry to entry while they are read
struct reading {
    struct crl_index *index;
    struct crl_kind kind;
    struct span issuer_value; // the last certificateIssuer extension
    uint32_t issuer;          // its number: section 5.3.3, it holds until the next one
    uint32_t reason;          // of this entry
};

// A serial number as it is compared: sign and number count, leading octets that say nothing do not.
struct serial {
    struct span octets; // big-endian; if odd, the shortest form of the INTEGER, else without any leading zero
    bool odd;           // negative, or of more than 20 octets
};

static struct serial serial_of(struct span content)
{
    struct span s = content;
    while (s.len > 1 && ((s.data[0] == 0 && s.data[1] < 0x80) || (s.data[0] == 0xff && s.data[1] >= 0x80))) {
        s = span_of(s.data + 1, s.len - 1);
    }
    struct span number = s.data[0] == 0 ? span_of(s.data + 1, s.len - 1) : s;
    bool odd = s.data[0] >= 0x80 || number.len > CRL_SERIAL;
    return (struct serial){.octets = odd ? s : number, .odd = odd};
}

static int issuer_compare(const void *a, const void *b)
{
    const struct buf *x = &((const struct issuer *)a)->name;
    const struct buf *y = &((const struct issuer *)b)->name;
    if (x->len != y->len) {
        return x->len < y->len ? -1 : 1;
    }
    return x->len == 0 ? 0 : memcmp(x->data, y->data, x->len);
}

static void issuer_free(void *p)
{
    struct issuer *issuer = p;
    buf_clear(&issuer->name);
    free(issuer);
}

// The number of an issuer's canonical name, a new one if need be (DER's lengths allow fewer than 2^28 entries). Takes
// over `name`.
static int issuer_number(struct crl_index *index, struct buf *name, uint32_t *number, struct err *e)
{
    struct issuer *mine = mem_alloc(sizeof *mine);
    *mine = (struct issuer){.name = *name, .number = index->issuer_count};
    *name = (struct buf){0};
    struct issuer **found = tsearch(mine, &index->issuers, issuer_compare);
    if (found == NULL) {
        issuer_free(mine);
        return err_set(e, "out of memory");
    }
    *number = (*found)->number;
    if (*found == mine) {
        index->issuer_count++;
    } else {
        issuer_free(mine);
    }
    return 0;
}

// certificateIssuer ::= GeneralNames, of which the directory name is the one that can be an issuer's
static int read_certificate_issuer(struct reading *r, struct span value, struct err *e)
{
    struct span names;
    struct buf name = {0};
    if (!r->kind.indirect) {
        return err_set(e, "certificateIssuer in a list that is not indirect");
    }
    if (spans_equal(value, r->issuer_value)) {
        return 0;
    }
    if (crl_whole(value, TAG_SEQUENCE, "certificateIssuer", &names, e) != 0) {
        return -1;
    }
    while (names.len > 0) {
        struct der_item item;
        if (der_next(&names, &item, e) != 0) {
            return -1;
        }
        if (item.tag == CRL_TAG_DIRECTORY) {
            int rc = name_canonical(item.content, &name, e) != 0 ? -1 : issuer_number(r->index, &name, &r->issuer, e);
            r->issuer_value = value;
            buf_clear(&name);
            return rc;
        }
    }
    return err_set(e, "certificateIssuer holds no directory name");
}

// CRLReason ::= ENUMERATED: 0 to 10 without 7 (section 5.3.1)
static int read_reason(struct reading *r, struct span value, struct err *e)
{
    struct span content;
    if (crl_whole(value, MBEDTLS_ASN1_ENUMERATED, "reasonCode", &content, e) != 0) {
        return -1;
    }
    if (content.len != 1 || content.data[0] > CRL_REASON_LAST || content.data[0] == 7) {
        return err_set(e, "reasonCode is none of those of RFC 5280 section 5.3.1");
    }
    r->reason = content.data[0];
    return r->reason == CRL_REASON_REMOVED && !r->kind.delta ? err_set(e, "removeFromCRL in a list that is no delta")
                                                             : 0;
}

// When the key was lost does not matter: a certificate is refused from the day it is on the list (section 5.3.2).
static int skip_invalidity_date(struct reading *r, struct span value, struct err *e)
{
    struct span content;
    (void)r;
    return crl_whole(value, MBEDTLS_ASN1_GENERALIZED_TIME, "invalidityDate", &content, e);
}

static const struct {
    struct span oid;
    int (*read)(struct reading *r, struct span value, struct err *e);
} known[] = {
    {CRL_OID("\x15"), read_reason},
    {CRL_OID("\x18"), skip_invalidity_date},
    {CRL_OID("\x1d"), read_certificate_issuer},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static int read_extensions(struct reading *r, struct span content, struct err *e)
{
    bool seen[KNOWN] = {false};
    struct span list;
    if (!r->kind.version_2) {
        return err_set(e, "extensions in a list of version 1");
    }
    if (crl_whole(content, TAG_SEQUENCE, "crlEntryExtensions", &list, e) != 0) {
        return -1;
    }
    while (list.len > 0) {
        struct crl_extension x;
        size_t i = 0;
        if (crl_extension_next(&list, &x, e) != 0) {
            return -1;
        }
        while (i < KNOWN && !spans_equal(known[i].oid, x.oid)) {
            i++;
        }
        if (i < KNOWN && seen[i]) {
            return err_set(e, "an extension is there twice");
        }
        if ((i < KNOWN ? known[i].read(r, x.value, e) : crl_extension_unknown(&x, e)) != 0) {
            return -1;
        }
        if (i < KNOWN) {
            seen[i] = true;
        }
    }
    return 0;
}

// revocationDate is of no consequence here, but it must be one: only its form is checked, for the sake of the million.
static int skip_date(struct span *rest, struct err *e)
{
    struct der_item item;
    if (der_next(rest, &item, e) != 0) {
        return -1;
    }
    size_t digits = item.tag == MBEDTLS_ASN1_UTC_TIME ? 12 : item.tag == MBEDTLS_ASN1_GENERALIZED_TIME ? 14 : 0;
    bool good = digits > 0 && item.content.len == digits + 1 && item.content.data[digits] == 'Z';
    for (size_t i = 0; good && i < digits; i++) {
        good = item.content.data[i] >= '0' && item.content.data[i] <= '9';
    }
    return good ? 0 : err_set(e, "revocationDate is not a time");
}

static int read_entry(struct reading *r, struct span entry, struct err *e)
{
    struct der_item number;
    r->reason = 0; // unspecified
    if (der_expect(&entry, MBEDTLS_ASN1_INTEGER, "userCertificate", &number, e) != 0 || skip_date(&entry, e) != 0) {
        return -1;
    }
    if (entry.len > 0 && read_extensions(r, entry, e) != 0) {
        return -1;
    }
    // Of several entries for one certificate the lowest is found: a removal counts only if it is the only one
    uint32_t about = r->issuer << REASON_BITS | (r->reason == CRL_REASON_REMOVED ? REASON_MASK : r->reason);
    struct crl_index *index = r->index;
    struct serial s = serial_of(number.content);
    if (s.odd) {
        struct span kept = span_of(index->octets.data + index->octets.len, s.octets.len);
        buf_add(&index->octets, s.octets.data, s.octets.len); // within what was reserved: it does not move
        index->odd[index->odd_count++] = (struct crl_odd){.serial = kept, .about = about};
        return 0;
    }
    struct crl_record *record = &index->records[index->count++];
    if (s.octets.len > 0) {
        memcpy(record->serial + CRL_SERIAL - s.octets.len, s.octets.data, s.octets.len);
    }
    record->about = about;
    return 0;
}

// Walks over the entries once without looking into them beyond their serial number, so that all memory is taken in its
// right size.
static int make_room(struct crl_index *index, struct span entries, struct err *e)
{
    size_t count = 0;
    size_t odd = 0;
    size_t octets = 0;
    while (entries.len > 0) {
        struct der_item entry;
        struct der_item number;
        if (der_expect(&entries, TAG_SEQUENCE, "entry", &entry, e) != 0 ||
            der_expect(&entry.content, MBEDTLS_ASN1_INTEGER, "userCertificate", &number, e) != 0) {
            return err_context(e, "entry %zu", count + odd + 1);
        }
        if (number.content.len == 0) {
            return err_set(e, "entry %zu: the serial number is empty", count + odd + 1);
        }
        struct serial s = serial_of(number.content);
        count += s.odd ? 0 : 1;
        odd += s.odd ? 1 : 0;
        octets += s.odd ? s.octets.len : 0;
    }
    index->records = mem_array(count, sizeof *index->records);
    index->odd = mem_array(odd, sizeof *index->odd);
    buf_reserve(&index->octets, octets);
    return 0;
}

static int about_compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

// The first octets as a number: comparing these decides nearly always, and is what sorting and searching spend their
// time on.
static uint64_t first_octets(const uint8_t serial[CRL_SERIAL])
{
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof first; i++) {
        first = first << 8 | serial[i];
    }
    return first;
}

static int record_compare(const void *a, const void *b)
{
    const struct crl_record *x = a;
    const struct crl_record *y = b;
    uint64_t first_x = first_octets(x->serial);
    uint64_t first_y = first_octets(y->serial);
    if (first_x != first_y) {
        return first_x < first_y ? -1 : 1;
    }
    int order = memcmp(x->serial, y->serial, CRL_SERIAL);
    return order != 0 ? order : about_compare(x->about, y->about);
}

static int odd_compare(const void *a, const void *b)
{
    const struct crl_odd *x = a;
    const struct crl_odd *y = b;
    if (x->serial.len != y->serial.len) {
        return x->serial.len < y->serial.len ? -1 : 1;
    }
    int order = memcmp(x->serial.data, y->serial.data, x->serial.len);
    return order != 0 ? order : about_compare(x->about, y->about);
}

int crl_index_read(struct crl_index *index, struct span entries, struct span issuer, struct crl_kind kind,
                   struct err *e)
{
    struct reading r = {.index = index, .kind = kind};
    struct buf own = {0};
    buf_add(&own, issuer.data, issuer.len);
    if (issuer_number(index, &own, &r.issuer, e) != 0 || make_room(index, entries, e) != 0) {
        return -1;
    }
    while (entries.len > 0) {
        struct der_item entry;
        if (der_next(&entries, &entry, e) != 0 || read_entry(&r, entry.content, e) != 0) {
            return err_context(e, "entry %zu", index->count + index->odd_count + 1);
        }
    }
    qsort(index->records, index->count, sizeof *index->records, record_compare);
    qsort(index->odd, index->odd_count, sizeof *index->odd, odd_compare);
    return 0;
}

// The first of `count` sorted items that is not below `wanted`, or NULL.
static const void *lower_bound(const void *items, size_t count, size_t size, const void *wanted,
                               int (*compare)(const void *, const void *))
{
    const uint8_t *low = items;
    const uint8_t *end = low + count * size;
    while (count > 0) {
        const uint8_t *middle = low + count / 2 * size;
        if (compare(middle, wanted) < 0) {
            low = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return low < end ? low : NULL;
}

static int reason_of(uint32_t found, uint32_t wanted)
{
    if (found >> REASON_BITS != wanted >> REASON_BITS) {
        return CRL_NOT_LISTED;
    }
    return (found & REASON_MASK) == REASON_MASK ? CRL_REASON_REMOVED : (int)(found & REASON_MASK);
}

int crl_index_find(const struct crl_index *index, struct span serial, struct span issuer)
{
    const struct issuer key = {.name = {.data = (uint8_t *)(uintptr_t)issuer.data, .len = issuer.len}};
    struct issuer *const *about_whom = tfind(&key, &index->issuers, issuer_compare);
    if (about_whom == NULL || serial.len == 0) {
        return CRL_NOT_LISTED;
    }
    struct serial s = serial_of(serial);
    uint32_t about = (*about_whom)->number << REASON_BITS; // of all its reasons the lowest
    if (s.odd) {
        struct crl_odd wanted = {.serial = s.octets, .about = about};
        const struct crl_odd *odd = lower_bound(index->odd, index->odd_count, sizeof wanted, &wanted, odd_compare);
        return odd != NULL && spans_equal(odd->serial, s.octets) ? reason_of(odd->about, about) : CRL_NOT_LISTED;
    }
    struct crl_record wanted = {.about = about};
    if (s.octets.len > 0) {
        memcpy(wanted.serial + CRL_SERIAL - s.octets.len, s.octets.data, s.octets.len);
    }
    const struct crl_record *record = lower_bound(index->records, index->count, sizeof wanted, &wanted, record_compare);
    return record != NULL && memcmp(record->serial, wanted.serial, CRL_SERIAL) == 0 ? reason_of(record->about, about)
                                                                                    : CRL_NOT_LISTED;
}

void crl_index_clear(struct crl_index *index)
{
    tdestroy(index->issuers, issuer_free);
    free(index->records);
    free(index->odd);
    buf_clear(&index->octets);
    *index = (struct crl_index){0};
}
