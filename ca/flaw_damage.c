// SPDX-License-Identifier: Apache-2.0
// What happens to a certificate after it was signed.
#include "ca/flaw_internal.h"

#include <mbedtls/asn1.h>
#include <string.h>

int damage_signature(struct buf *certificate, struct err *e)
{
    (void)e;
    certificate->data[certificate->len - 1] ^= 1; // still a well-formed ECDSA-Sig-Value
    return 0;
}

int damage_serial(struct buf *certificate, struct err *e)
{
    struct certificate_parts parts;
    if (certificate_split(buf_span(certificate), &parts, e) != 0) {
        return -1;
    }
    size_t last = (size_t)(parts.serial.data - certificate->data) + parts.serial.len - 1;
    certificate->data[last] ^= 1;
    return 0;
}

int damage_append(struct buf *certificate, struct err *e)
{
    static const char garbage[] = "garbage";
    (void)e;
    buf_add(certificate, garbage, strlen(garbage));
    return 0;
}

// The outermost length, which no signature covers, gets a leading zero (X.690 section 10.1 forbids it).
int damage_length(struct buf *certificate, struct err *e)
{
    struct buf changed = {0};
    const uint8_t *old = certificate->data;
    if (old[1] != (0x80 | 2)) {
        return err_set(e, "a certificate whose length does not take two octets");
    }
    const uint8_t header[] = {old[0], 0x80 | 3, 0, old[2], old[3]};
    buf_add(&changed, header, sizeof header);
    buf_add(&changed, old + 4, certificate->len - 4);
    buf_clear(certificate);
    *certificate = changed;
    return 0;
}
