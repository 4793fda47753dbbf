// SPDX-License-Identifier: Apache-2.0
// Names in certificates as text that is safe to print.
#include "base/name_text.h"
#include "base/text.h"
#include "trust/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_LIMIT = 256, GENERAL_NAME_LIMIT = 1024 };

static void display_hex(struct buf *b, struct span data)
{
    buf_text(b, "#");
    text_hex(b, data.data, data.len < VALUE_LIMIT ? data.len : VALUE_LIMIT, '\0');
}

void display_attribute_value(struct buf *b, const struct der_item *value)
{
    struct buf characters = {0};
    if (name_value_text(value, &characters)) {
        text_escape(b, characters.data, characters.len, VALUE_LIMIT);
    } else {
        display_hex(b, value->content);
    }
    buf_clear(&characters);
}

void display_name(struct buf *b, struct span name_der)
{
    struct err ignored = ERR_INIT;
    if (name_to_text(name_der, b, &ignored) != 0) {
        display_hex(b, name_der);
    }
}

const char *certificate_label(const struct certificate *c, char text[96])
{
    enum { KEPT = 90 };
    struct buf b = {0};
    if (c->subject.data != NULL && c->subject_key.len > 0) {
        display_name(&b, c->subject);
    } else if (c->serial.data != NULL) {
        buf_text(&b, "the certificate with serial number ");
        text_hex(&b, c->serial.data, c->serial.len < 20 ? c->serial.len : 20, '\0');
    } else {
        buf_text(&b, "the certificate");
    }
    size_t n = b.len < KEPT ? b.len : KEPT;
    while (n < b.len && (b.data[n] & 0xc0) == 0x80) {
        n--; // not inside a UTF-8 character
    }
    snprintf(text, 96, "%.*s%s", (int)n, (const char *)b.data, n < b.len ? "..." : "");
    buf_clear(&b);
    return text;
}

// GeneralName (RFC 5280 section 4.2.1.6)
void display_general_name(struct trust_name *out, const struct der_item *name)
{
    static const enum trust_name_type types[] = {
        TRUST_NAME_OTHER, TRUST_NAME_EMAIL, TRUST_NAME_DNS, TRUST_NAME_OTHER,
        TRUST_NAME_OTHER, TRUST_NAME_OTHER, TRUST_NAME_URI, TRUST_NAME_IP,
    };
    size_t choice = (size_t)name->tag & 0x1f;
    struct buf b = {0};
    char address[INET6_ADDRSTRLEN];
    out->type = choice < sizeof types / sizeof types[0] ? types[choice] : TRUST_NAME_OTHER;
    switch (out->type) {
    case TRUST_NAME_IP:
        if ((name->content.len == 4 || name->content.len == 16) &&
            inet_ntop(name->content.len == 4 ? AF_INET : AF_INET6, name->content.data, address, sizeof address) !=
                NULL) {
            buf_text(&b, address);
        } else {
            display_hex(&b, name->content);
        }
        break;
    case TRUST_NAME_OTHER:
        buf_printf(&b, "[%zu]", choice);
        display_hex(&b, name->content);
        break;
    default: text_escape(&b, name->content.data, name->content.len, GENERAL_NAME_LIMIT); break;
    }
    out->text = mem_strdup((const char *)b.data);
    buf_clear(&b);
}
