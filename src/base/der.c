// SPDX-License-Identifier: Apache-2.0
#include "base/der.h"

#include "base/clock.h"
#include "base/text.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <stdio.h>
#include <string.h>

int der_next(struct span *rest, struct der_item *item, struct err *e)
{
    const uint8_t *p = rest->data;
    if (rest->len < 2 || (p[0] & 0x1f) == 0x1f) {
        return err_set(e, "DER: an element is cut short or has a tag of more than one octet");
    }
    size_t header = 2;
    size_t len = p[1];
    if (len >= 0x80) {
        size_t octets = len & 0x7f;
        // X.690 section 10.1: definite, and in the fewest octets
        if (octets == 0 || octets > 4 || rest->len < 2 + octets || p[2] == 0) {
            return err_set(e, "DER: a length is indefinite, too long or cut short");
        }
        len = 0;
        for (size_t i = 0; i < octets; i++) {
            len = len << 8 | p[2 + i];
        }
        header += octets;
        if (len < 0x80) {
            return err_set(e, "DER: a length is not in its shortest form");
        }
    }
    if (len > rest->len - header) {
        return err_set(e, "DER: an element is longer than what holds it");
    }
    item->tag = p[0];
    item->content = span_of(p + header, len);
    item->whole = span_of(p, header + len);
    *rest = span_of(p + header + len, rest->len - header - len);
    return 0;
}

int der_expect(struct span *rest, int tag, const char *what, struct der_item *item, struct err *e)
{
    if (der_next(rest, item, e) != 0) {
        return err_context(e, "%s", what);
    }
    if (item->tag != tag) {
        return err_set(e, "%s: DER tag 0x%02x where 0x%02x is due", what, (unsigned)item->tag, (unsigned)tag);
    }
    return 0;
}

void der_wrap(struct buf *out, int tag, struct span content)
{
    uint8_t header[6];
    size_t n = 0;
    header[n++] = (uint8_t)tag;
    if (content.len < 0x80) {
        header[n++] = (uint8_t)content.len;
    } else {
        size_t octets = content.len > 0xffffff ? 4 : content.len > 0xffff ? 3 : content.len > 0xff ? 2 : 1;
        header[n++] = (uint8_t)(0x80 | octets);
        while (octets-- > 0) {
            header[n++] = (uint8_t)(content.len >> (8 * octets));
        }
    }
    buf_add(out, header, n);
    buf_add(out, content.data, content.len);
}

// Takes a number of so many digits off the front. -1: they are none.
static int number_take(const uint8_t **p, size_t digits)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = (*p)[i] - '0';
        if (digit < 0 || digit > 9) {
            return -1;
        }
        number = 10 * number + digit;
    }
    *p += digits;
    return number;
}

int der_time(struct span *rest, int64_t *when, struct err *e)
{
    struct der_item item = {0};
    if (der_next(rest, &item, e) != 0) {
        return -1;
    }
    bool utc = item.tag == MBEDTLS_ASN1_UTC_TIME;
    size_t year_digits = utc ? 2 : 4;
    if ((!utc && item.tag != MBEDTLS_ASN1_GENERALIZED_TIME) || item.content.len != year_digits + 11 ||
        item.content.data[year_digits + 10] != 'Z') {
        return err_set(e, "a time is neither UTCTime nor GeneralizedTime in its RFC 5280 form");
    }
    const uint8_t *p = item.content.data;
    int year = number_take(&p, year_digits);
    int fields[5] = {0};
    bool good = year >= 0;
    for (size_t i = 0; good && i < 5; i++) {
        fields[i] = number_take(&p, 2);
        good = fields[i] >= 0;
    }
    year += !utc ? 0 : year >= 50 ? 1900 : 2000; // RFC 5280 section 4.1.2.5.1
    const struct tm tm = {.tm_year = year - 1900,
                          .tm_mon = fields[0] - 1,
                          .tm_mday = fields[1],
                          .tm_hour = fields[2],
                          .tm_min = fields[3],
                          .tm_sec = fields[4]};
    if (!good || !clock_of_calendar(&tm, when)) {
        struct buf shown = {0};
        err_set(e, "\"%s\" is not a time of the calendar in Zulu time",
                text_escape(&shown, item.content.data, item.content.len, 80));
        buf_clear(&shown);
        return -1;
    }
    return 0;
}

void der_enclose(struct buf *b, int tag)
{
    struct buf outer = {0};
    der_wrap(&outer, tag, buf_span(b));
    buf_clear(b);
    *b = outer;
}

bool der_oid_is_well_formed(struct span oid)
{
    bool starts = true;
    for (size_t i = 0; i < oid.len; i++) {
        if (starts && oid.data[i] == 0x80) {
            return false;
        }
        starts = oid.data[i] < 0x80;
    }
    return oid.len > 0 && starts;
}

int der_oid_from_text(const char *dotted, struct buf *out, struct err *e)
{
    mbedtls_asn1_buf oid = {0};
    if (mbedtls_oid_from_numeric_string(&oid, dotted, strlen(dotted)) != 0) {
        return err_set(e, "\"%s\" is not an object identifier such as 1.3.6.1.5.5.7.3.2", dotted);
    }
    buf_add(out, oid.p, oid.len);
    mbedtls_free(oid.p);
    return 0;
}

int der_oid_to_text(struct span oid, char *text, size_t size)
{
    mbedtls_asn1_buf in = {.tag = MBEDTLS_ASN1_OID, .len = oid.len, .p = (unsigned char *)(uintptr_t)oid.data};
    return mbedtls_oid_get_numeric_string(text, size, &in) < 0 ? -1 : 0;
}
