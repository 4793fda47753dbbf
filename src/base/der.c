// SPDX-License-Identifier: Apache-2.0
#include "base/der.h"

#include "base/clock.h"
#include "base/text.h"

#include <ctype.h>
#include <mbedtls/asn1.h>
#include <mbedtls/base64.h>
#include <mbedtls/oid.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_util.h>
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

void pem_write(struct buf *out, const char *label, struct span der)
{
    enum { LINE = 64, BYTES = LINE / 4 * 3 };
    buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += BYTES) {
        unsigned char line[LINE + 1];
        size_t n = 0;
        size_t bytes = der.len - at < BYTES ? der.len - at : BYTES;
        mbedtls_base64_encode(line, sizeof line, &n, der.data + at, bytes);
        buf_add(out, line, n);
        buf_text(out, "\n");
        mbedtls_platform_zeroize(line, sizeof line); // it may have been a private key
    }
    buf_printf(out, "-----END %s-----\n", label);
}

static const char dashes[] = "-----";

// Decodes what is between the BEGIN and END lines. mbedTLS's base64 skips line ends; the header lines of RFC 1421,
// which an encrypted key of the older kind has, end with an empty line and are skipped here.
static int pem_decode(struct pem_block *block, const char *body, const char *end, struct err *e)
{
    static const char header[] = "Proc-Type: 4,ENCRYPTED";
    size_t n = 0;
    while (body < end && isspace((unsigned char)*body)) {
        body++;
    }
    if ((size_t)(end - body) > strlen(header) && memcmp(body, header, strlen(header)) == 0) {
        const char *lf = memmem(body, (size_t)(end - body), "\n\n", 2);
        const char *crlf = memmem(body, (size_t)(end - body), "\n\r\n", 3);
        block->encrypted = true;
        body = lf != NULL ? lf + 2 : crlf != NULL ? crlf + 3 : end;
    }
    buf_reserve(&block->der, (size_t)(end - body));
    int rc =
        mbedtls_base64_decode(block->der.data, block->der.cap, &n, (const unsigned char *)body, (size_t)(end - body));
    if (rc != 0) {
        buf_clear(&block->der);
        return err_set(e, "PEM block %s is not base64", block->label);
    }
    block->der.len = n;
    return 0;
}

// The label between "-----BEGIN " and "-----": printable ASCII (RFC 7468 section 3). Returns its length, 0 if damaged.
static size_t label_read(struct span at, char label[PEM_LABEL])
{
    size_t len = 0;
    while (len < at.len && len + 1 < PEM_LABEL && at.data[len] >= ' ' && at.data[len] <= '~' && at.data[len] != '-') {
        label[len] = (char)at.data[len];
        len++;
    }
    label[len] = '\0';
    return at.len - len >= strlen(dashes) && memcmp(at.data + len, dashes, strlen(dashes)) == 0 ? len : 0;
}

int pem_next(struct span *rest, struct pem_block *block, struct err *e)
{
    static const char begin[] = "-----BEGIN ";
    char closing[PEM_LABEL + 16];
    const char *limit = (const char *)rest->data + rest->len;
    *block = (struct pem_block){0};
    const char *found = rest->len == 0 ? NULL : memmem(rest->data, rest->len, begin, strlen(begin));
    if (found == NULL) {
        *rest = span_of(limit, 0);
        return 0;
    }
    const char *label = found + strlen(begin);
    *rest = span_of(label, (size_t)(limit - label));
    size_t label_len = label_read(*rest, block->label);
    if (label_len == 0) {
        return err_set(e, "PEM: a BEGIN line is damaged");
    }
    const char *body = label + label_len + strlen(dashes);
    *rest = span_of(body, (size_t)(limit - body));
    // No dashes stand in base64, so the next ones are the END line's
    const char *end = memmem(rest->data, rest->len, dashes, strlen(dashes));
    size_t closing_len = (size_t)snprintf(closing, sizeof closing, "-----END %s-----", block->label);
    if (end == NULL || (size_t)(limit - end) < closing_len || memcmp(end, closing, closing_len) != 0) {
        return err_set(e, "PEM block %s has no END line", block->label);
    }
    *rest = span_of(end + closing_len, (size_t)(limit - end) - closing_len);
    return pem_decode(block, body, end, e) == 0 ? 1 : -1;
}

int pem_read(struct span text, pem_each *each, void *arg, struct err *e)
{
    struct pem_block block;
    int rc;
    while ((rc = pem_next(&text, &block, e)) > 0) {
        rc = each(arg, block.label, buf_span(&block.der), e);
        buf_clear(&block.der);
        if (rc != 0) {
            return -1;
        }
    }
    return rc;
}
