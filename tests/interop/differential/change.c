// SPDX-License-Identifier: Apache-2.0
// What can be changed about a good chain.
#include "base/der.h"
#include "ca/extension.h"
#include "differential.h"

#include <mbedtls/asn1.h>
#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define PICK(dice, list) ((list)[roll(dice, COUNT(list))])

static void replace(char **text, const char *with)
{
    free(*text);
    *text = mem_strdup(with);
}

static void set_list(char ***list, const char *first, const char *second)
{
    for (size_t i = 0; *list != NULL && (*list)[i] != NULL; i++) {
        free((*list)[i]);
    }
    free(*list);
    *list = NULL;
    if (first != NULL) {
        *list = mem_array(3, sizeof **list);
        (*list)[0] = mem_strdup(first);
        (*list)[1] = mem_strdup(second);
    }
}

// --- before it is made ---

typedef void change(struct question *q, struct part *part, struct dice *dice);

static void dates(struct question *q, struct part *p, struct dice *dice)
{
    static const int64_t from[] = {NOW - 40 * DAY, NOW - 1, NOW, NOW + 1, NOW + DAY};
    static const int64_t until[] = {NOW - DAY, NOW - 1, NOW, NOW + 1, NOW + 9000 * (int64_t)DAY};
    (void)q;
    p->content.not_before = PICK(dice, from);
    p->content.not_after = PICK(dice, until);
    if (p->content.not_after < p->content.not_before) {
        p->content.not_after = p->content.not_before;
    }
}

static void ext_key_usage(struct question *q, struct part *p, struct dice *dice)
{
    static const char *const oids[] = {NULL, "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0",
                                       "1.3.6.1.5.5.7.3.3"};
    (void)q;
    set_list(&p->content.ext_key_usage, PICK(dice, oids), PICK(dice, oids));
}

static void key_usage(struct question *q, struct part *p, struct dice *dice)
{
    static const unsigned bits[] = {0,
                                    MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                    MBEDTLS_X509_KU_KEY_CERT_SIGN,
                                    MBEDTLS_X509_KU_CRL_SIGN,
                                    MBEDTLS_X509_KU_KEY_ENCIPHERMENT,
                                    MBEDTLS_X509_KU_KEY_AGREEMENT,
                                    MBEDTLS_X509_KU_DIGITAL_SIGNATURE | MBEDTLS_X509_KU_KEY_CERT_SIGN,
                                    MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN};
    (void)q;
    p->content.key_usage = PICK(dice, bits);
}

static void basic_constraints(struct question *q, struct part *p, struct dice *dice)
{
    (void)q;
    p->content.is_ca = roll(dice, 2) == 0;
    p->content.path_length = p->content.is_ca ? (int)roll(dice, 4) - 1 : PATH_LENGTH_NONE;
}

static void path_length(struct question *q, struct part *p, struct dice *dice)
{
    (void)q;
    p->content.path_length = p->content.is_ca ? (int)roll(dice, 3) : PATH_LENGTH_NONE;
}

static void names(struct question *q, struct part *p, struct dice *dice)
{
    static const struct general_name candidates[] = {
        {GENERAL_NAME_DNS, "host.example.com"},
        {GENERAL_NAME_DNS, "HOST.example.COM"},
        {GENERAL_NAME_DNS, "*.example.com"},
        {GENERAL_NAME_DNS, "other.example.com"},
        {GENERAL_NAME_DNS, "*.host.example.com"},
        {GENERAL_NAME_IP, "192.0.2.1"},
        {GENERAL_NAME_IP, "2001:db8::1"},
        {GENERAL_NAME_EMAIL, "user@example.com"},
        {GENERAL_NAME_EMAIL, "user@sub.example.com"},
        {GENERAL_NAME_URI, "https://host.example.com/a"},
        {GENERAL_NAME_URI, "spiffe://example.com/a"},
        {GENERAL_NAME_DIRECTORY, "CN=leaf,O=Diff"},
    };
    (void)q;
    general_names_clear(&p->content.names);
    for (unsigned n = roll(dice, 3); n > 0; n--) {
        const struct general_name *name = &PICK(dice, candidates);
        general_names_add(&p->content.names, name->type, name->value);
    }
}

static void constraints(struct question *q, struct part *p, struct dice *dice)
{
    static const struct general_name candidates[] = {
        {GENERAL_NAME_DNS, "example.com"},      {GENERAL_NAME_DNS, "host.example.com"},
        {GENERAL_NAME_DNS, "example.org"},      {GENERAL_NAME_DNS, "EXAMPLE.com"},
        {GENERAL_NAME_IP, "192.0.2.0/24"},      {GENERAL_NAME_IP, "10.0.0.0/8"},
        {GENERAL_NAME_IP, "2001:db8::/32"},     {GENERAL_NAME_EMAIL, "example.com"},
        {GENERAL_NAME_EMAIL, ".example.com"},   {GENERAL_NAME_EMAIL, "user@example.com"},
        {GENERAL_NAME_URI, "host.example.com"}, {GENERAL_NAME_URI, ".example.com"},
        {GENERAL_NAME_DIRECTORY, "O=Diff"},     {GENERAL_NAME_DIRECTORY, "O=DIFF"},
        {GENERAL_NAME_DIRECTORY, "O=Other"},    {GENERAL_NAME_DIRECTORY, "CN=leaf,O=Diff"},
    };
    (void)q;
    for (unsigned n = 1 + roll(dice, 2); n > 0 && p->content.is_ca; n--) {
        const struct general_name *name = &PICK(dice, candidates);
        general_names_add(roll(dice, 2) == 0 ? &p->content.permitted : &p->content.excluded, name->type, name->value);
    }
    p->content.constraints_not_critical = roll(dice, 3) == 0;
}

static void subject(struct question *q, struct part *p, struct dice *dice)
{
    static const char *const subjects[] = {"",
                                           "CN=host.example.com",
                                           "CN=other.example.org,O=Diff",
                                           "CN=192.0.2.1,O=Diff",
                                           "CN=leaf,O=Other",
                                           "CN=a b,O=Diff",
                                           "emailAddress=user@example.org,CN=leaf,O=Diff",
                                           "emailAddress=user@example.com,CN=leaf,O=Diff",
                                           ROOT_NAME};
    (void)q;
    replace(&p->content.subject, PICK(dice, subjects));
}

// The issuer is named as it is not written: in another case, with other spaces, or as somebody else.
static void issuer(struct question *q, struct part *p, struct dice *dice)
{
    (void)q;
    switch (roll(dice, 3)) {
    case 0:
        for (char *c = p->issuer; *c != '\0'; c++) {
            *c = (*c >= 'a' && *c <= 'z' && c > p->issuer + 2) ? (char)(*c - 'a' + 'A') : *c;
        }
        break;
    case 1: replace(&p->issuer, ROOT_NAME); break;
    default: replace(&p->issuer, "CN=somebody else,O=Diff"); break;
    }
}

static void serial(struct question *q, struct part *p, struct dice *dice)
{
    static const uint8_t firsts[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    static const size_t lengths[] = {1, 2, 19, 20, 21, 22};
    (void)q;
    p->serial[0] = PICK(dice, firsts);
    p->serial_len = PICK(dice, lengths);
}

static void wrong_key(struct question *q, struct part *p, struct dice *dice)
{
    (void)q;
    p->signer = (int)roll(dice, KEYS);
}

static void digest(struct question *q, struct part *p, struct dice *dice)
{
    static const mbedtls_md_type_t digests[] = {MBEDTLS_MD_SHA1, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512,
                                                MBEDTLS_MD_SHA224};
    (void)q;
    p->digest = PICK(dice, digests);
}

static void policies(struct question *q, struct part *p, struct dice *dice)
{
    static const char *const oids[] = {NULL, "1.3.6.1.4.1.55555.1", "2.5.29.32.0"};
    (void)q;
    set_list(&p->content.policies, PICK(dice, oids), NULL);
}

static void order(struct question *q, struct part *p, struct dice *dice)
{
    (void)p;
    for (size_t i = 1; i + 1 < q->order_count; i++) { // the leaf stays in front
        size_t other = i + roll(dice, (unsigned)(q->order_count - i));
        int swapped = q->order[i];
        q->order[i] = q->order[other];
        q->order[other] = swapped;
    }
}

static void missing(struct question *q, struct part *p, struct dice *dice)
{
    (void)p;
    if (q->order_count > 1) {
        q->order[1 + roll(dice, (unsigned)q->order_count - 1)] = q->order[q->order_count - 1];
        q->order_count--;
    }
}

static void added(struct question *q, struct part *p, struct dice *dice)
{
    (void)p;
    if (q->order_count < CHAIN_MOST) {
        q->order[q->order_count++] = (int)roll(dice, (unsigned)q->part_count + 1) - 1;
    }
}

static void lists(struct question *q, struct part *p, struct dice *dice)
{
    struct list *list = q->list_count > 0 ? &q->lists[roll(dice, (unsigned)q->list_count)] : NULL;
    (void)p;
    if (list == NULL) {
        return;
    }
    switch (roll(dice, 7)) {
    case 0: list->next_update = NOW - 1; break;
    case 1: list->this_update = NOW + 1; break;
    case 2: list->key = (int)roll(dice, KEYS); break;
    case 3: list->issuer = (int)roll(dice, (unsigned)q->part_count); break;
    case 4: *list = q->lists[--q->list_count]; break;
    case 5:
        if (q->list_count < LISTS_MOST) { // a twin, perhaps stale
            q->lists[q->list_count] = *list;
            q->lists[q->list_count++].next_update = NOW + DAY - (int)roll(dice, 3) * DAY;
        }
        break;
    default: list->revokes = (int)roll(dice, (unsigned)q->part_count); break;
    }
}

static const struct {
    const char *name;
    change *apply;
} changes[] = {
    {"dates", dates},
    {"ext_key_usage", ext_key_usage},
    {"key_usage", key_usage},
    {"basic_constraints", basic_constraints},
    {"path_length", path_length},
    {"names", names},
    {"constraints", constraints},
    {"constraints", constraints},
    {"subject", subject},
    {"issuer", issuer},
    {"serial", serial},
    {"wrong_key", wrong_key},
    {"digest", digest},
    {"policies", policies},
    {"order", order},
    {"missing", missing},
    {"added", added},
    {"lists", lists},
    {"lists", lists},
};

void change_content(struct question *q, struct dice *dice)
{
    unsigned which = roll(dice, COUNT(changes));
    unsigned part = roll(dice, (unsigned)q->part_count);
    buf_printf(&q->what, " %s(%u)", changes[which].name, part);
    changes[which].apply(q, &q->parts[part], dice);
}

// --- after it was made ---

// An object identifier that nobody knows
static const uint8_t unknown_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb2, 0x03, 0x63};

// One extension is left out, written twice, turned critical or not, emptied, or joined by an unknown one.
static int change_extensions(struct span list, struct dice *dice, struct buf *out, struct buf *what, struct err *e)
{
    struct span rest = list;
    struct extension x;
    unsigned count = 0;
    unsigned how = roll(dice, 6);
    while (rest.len > 0) {
        if (extension_next(&rest, &x, e) != 0) {
            return -1;
        }
        count++;
    }
    unsigned which = roll(dice, count);
    for (unsigned i = 0; list.len > 0 && extension_next(&list, &x, e) == 0; i++) {
        if (i != which) {
            extension_write(out, x.oid, x.critical, x.value);
            continue;
        }
        static const char *const words[] = {"without", "twice", "critical-flipped", "emptied", "unknown", "unknown"};
        buf_printf(what, " extension-%s(%u)", words[how], which);
        if (how == 1 || how >= 4) {
            extension_write(out, x.oid, x.critical, x.value);
        }
        if (how >= 1) {
            struct span empty = span_of("\x30", 2); // an empty SEQUENCE: the terminator is its length
            extension_write(out, how >= 4 ? span_of(unknown_oid, sizeof unknown_oid) : x.oid,
                            how == 2 ? !x.critical : how == 4 || (how < 4 && x.critical), how == 3 ? empty : x.value);
        }
    }
    return 0;
}

// Times before 2050 as GeneralizedTime, or without seconds
static int change_validity(struct span validity, struct buf *out, struct err *e)
{
    struct der_item times;
    struct der_item time;
    struct buf content = {0};
    int rc = der_next(&validity, &times, e);
    while (rc == 0 && times.content.len > 0) {
        struct buf text = {0};
        rc = der_next(&times.content, &time, e);
        buf_text(&text, time.tag == MBEDTLS_ASN1_UTC_TIME ? "20" : "");
        buf_add(&text, time.content.data, time.content.len);
        der_wrap(&content, MBEDTLS_ASN1_GENERALIZED_TIME, buf_span(&text));
        buf_clear(&text);
    }
    der_wrap(out, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE, buf_span(&content));
    buf_clear(&content);
    return rc;
}

static int rebuild(const struct certificate_parts *parts, struct dice *dice, struct buf *tbs, struct buf *what,
                   struct err *e)
{
    enum { EXTENSIONS, VERSION, VALIDITY, ALGORITHM, NO_EXTENSIONS };
    static const int hows[] = {EXTENSIONS, EXTENSIONS, EXTENSIONS, EXTENSIONS,
                               VERSION,    VALIDITY,   ALGORITHM,  NO_EXTENSIONS};
    static const uint8_t other_algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
    int how = PICK(dice, hows);
    struct buf list = {0};
    struct span extensions = parts->extensions;
    struct der_item outer;
    struct der_item items;
    int rc = der_next(&extensions, &outer, e) == 0 && der_next(&outer.content, &items, e) == 0 ? 0 : -1;
    if (how != VERSION) {
        buf_add(tbs, parts->version.data, parts->version.len);
    } else {
        buf_text(what, " version");
    }
    buf_add(tbs, parts->serial.data, parts->serial.len);
    if (how == ALGORITHM) {
        buf_text(what, " inner-algorithm");
        buf_add(tbs, other_algorithm, sizeof other_algorithm);
    } else {
        buf_add(tbs, parts->algorithm.data, parts->algorithm.len);
    }
    buf_add(tbs, parts->issuer.data, parts->issuer.len);
    if (rc == 0 && how == VALIDITY) {
        buf_text(what, " generalized-time");
        rc = change_validity(parts->validity, tbs, e);
    } else {
        buf_add(tbs, parts->validity.data, parts->validity.len);
    }
    buf_add(tbs, parts->subject.data, parts->subject.len);
    buf_add(tbs, parts->key.data, parts->key.len);
    if (rc == 0 && how == EXTENSIONS) {
        rc = change_extensions(items.content, dice, &list, what, e);
        der_enclose(&list, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
        der_wrap(tbs, outer.tag, buf_span(&list));
    } else if (how == NO_EXTENSIONS) {
        buf_text(what, " no-extensions");
    } else {
        buf_add(tbs, parts->extensions.data, parts->extensions.len);
    }
    der_enclose(tbs, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    buf_clear(&list);
    return rc;
}

int change_der(struct world *world, struct question *q, struct part *part, struct dice *dice, struct err *e)
{
    struct certificate_parts parts;
    struct buf tbs = {0};
    int rc = certificate_split(buf_span(&part->der), &parts, e);
    unsigned how = roll(dice, 6);
    if (rc != 0) {
        return rc;
    }
    if (how == 0) { // one bit, anywhere, and the signature stays
        part->der.data[roll(dice, (unsigned)part->der.len)] ^= (uint8_t)(1U << roll(dice, 8));
        buf_printf(&q->what, " bit(%d)", (int)(part - q->parts));
        return 0;
    }
    if (how == 1) {
        buf_add(&tbs, parts.tbs.data, parts.tbs.len);
        tbs.data[roll(dice, (unsigned)tbs.len)] ^= (uint8_t)(1U << roll(dice, 8));
        buf_printf(&q->what, " bit-signed(%d)", (int)(part - q->parts));
    } else {
        buf_printf(&q->what, " of %d:", (int)(part - q->parts));
        rc = rebuild(&parts, dice, &tbs, &q->what, e);
    }
    if (rc == 0) {
        buf_clear(&part->der);
        rc = signed_make(buf_span(&tbs), &world->keys[part->signer], part->digest, &world->rng, &part->der, e);
    }
    buf_clear(&tbs);
    return rc;
}
