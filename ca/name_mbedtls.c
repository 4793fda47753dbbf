// SPDX-License-Identifier: Apache-2.0
#include "base/name_text.h"
#include "base/text.h"
#include "ca/name.h"

#include <mbedtls/x509.h>
#include <string.h>

// Whether mbedTLS's list, which is in reverse, has just these attributes. It writes each as an RDN of its own, and as
// lengths have one form in DER, the same attributes are the same octets.
static bool mbedtls_agrees(const mbedtls_asn1_named_data *list, const struct name_attributes *attributes)
{
    for (size_t i = attributes->count; i > 0; i--, list = list->next) {
        const struct name_attribute *attribute = &attributes->items[i - 1];
        if (list == NULL || !attribute->first || attribute->value.tag != list->val.tag ||
            !spans_equal(attribute->type, span_of(list->oid.p, list->oid.len)) ||
            !spans_equal(attribute->value.content, span_of(list->val.p, list->val.len))) {
            return false;
        }
    }
    return list == NULL;
}

// Dotted OIDs with hex values need none of mbedTLS's own tables. Whether it then makes this name is not foretold but
// tried.
bool name_for_mbedtls(struct span der, struct buf *text)
{
    struct name_attributes attributes = {0};
    struct err ignored = ERR_INIT;
    mbedtls_asn1_named_data *list = NULL;
    size_t start = text->len;
    bool same = name_attributes_read(&attributes, der, &ignored) == 0;
    for (size_t i = 0; i < attributes.count && same; i++) {
        char dotted[128];
        same = der_oid_to_text(attributes.items[i].type, dotted, sizeof dotted) == 0;
        buf_printf(text, "%s%s=#", i == 0 ? "" : ",", same ? dotted : "");
        struct span value = attributes.items[i].value.whole;
        text_hex(text, value.data, value.len, '\0');
    }
    buf_add(text, "", 0);
    same = same && mbedtls_x509_string_to_names(&list, (const char *)text->data + start) == 0 &&
           mbedtls_agrees(list, &attributes);
    if (!same) {
        text->len = start;
        text->data[start] = '\0';
    }
    mbedtls_asn1_free_named_data_list(&list);
    name_attributes_clear(&attributes);
    return same;
}
