// SPDX-License-Identifier: Apache-2.0
// The Certificate message (RFC 8446 section 4.4.2, RFC 5246 section 7.4.2), and names of CAs.
#include "base/clock.h"
#include "explain/internal.h"
#include "trust/trust.h"

#include <stdlib.h>

enum { CERTIFICATES_MOST = 16, NAMES_MOST = 64, AUTHORITIES_MOST = 64 };

static json_t *certificate_fields(struct span der)
{
    struct err e = ERR_INIT;
    char when[CLOCK_TEXT];
    json_t *o = json_object();
    struct trust_identity *who = trust_identity_new(der, "", false, &e);
    if (who == NULL) {
        field_text(o, "unreadable", e.text);
        field_printf(o, "size", "%zu octets", der.len);
        return o;
    }
    field_text(o, "subject", who->subject[0] != '\0' ? who->subject : "(empty)");
    field_text(o, "issuer", who->issuer);
    json_t *names = json_array();
    for (size_t i = 0; i < who->name_count && i < NAMES_MOST; i++) {
        char *text = mem_printf("%s:%s", trust_name_word(who->names[i].type), who->names[i].text);
        json_array_append_new(names, json_string(text));
        free(text);
    }
    if (json_array_size(names) > 0) {
        json_object_set(o, "names", names);
    }
    json_decref(names);
    field_text(o, "serial", who->serial);
    field_text(o, "not_before", clock_rfc3339(who->not_before, when));
    field_text(o, "not_after", clock_rfc3339(who->not_after, when));
    field_text(o, "sha256", who->fingerprint);
    field_printf(o, "size", "%zu octets", der.len);
    trust_identity_free(who);
    return o;
}

void decode_certificate(struct decoding *d, struct span body)
{
    struct span context;
    struct span list;
    struct span der;
    struct span extensions;
    bool is_13 = d->facts->version == VERSION_1_3;
    if ((is_13 && !take_vector(d, "certificate_request_context", &body, 1, &context)) ||
        !open_vector(d, "certificate_list", &body, 3, &list) || body.len > 0) {
        decode_fail(d, "its list of certificates cannot be read");
        return;
    }
    json_t *certificates = json_array();
    json_object_set_new(d->fields, "certificates", certificates);
    while (list.len > 0) {
        if (!take_vector(d, "certificate", &list, 3, &der) ||
            (is_13 && !take_vector(d, "extensions", &list, 2, &extensions))) {
            decode_fail(d, "it ends in a certificate");
            return;
        }
        if (d->certificates++ < CERTIFICATES_MOST) {
            json_array_append_new(certificates, certificate_fields(der));
        }
    }
    if (d->certificates > CERTIFICATES_MOST) {
        field_printf(d->fields, "left_out", "%zu more certificates", d->certificates - CERTIFICATES_MOST);
    }
}

void decode_authorities(struct decoding *d, struct span authorities)
{
    struct span name;
    size_t count = 0;
    json_t *list = json_array();
    json_object_set_new(d->fields, "certificate_authorities", list);
    while (authorities.len > 0) {
        if (!take_vector(d, "certificate_authority", &authorities, 2, &name)) {
            decode_fail(d, "it ends in the name of an acceptable CA");
            return;
        }
        if (count++ < AUTHORITIES_MOST) {
            char *text = trust_name_of_der(name);
            json_array_append_new(list, json_string(text));
            free(text);
        }
    }
    if (count > AUTHORITIES_MOST) {
        field_printf(d->fields, "left_out", "%zu more acceptable CAs", count - AUTHORITIES_MOST);
    }
}
