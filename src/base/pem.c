// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"

#include <ctype.h>
#include <mbedtls/base64.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <string.h>

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
