// SPDX-License-Identifier: Apache-2.0
// What can be changed about a chain before it is made.
#include "differential.h"

#include <inttypes.h>
#include <mbedtls/md.h>
#include <mbedtls/x509.h>
#include <stdlib.h>
#include <string.h>

// What was drawn is said after the change's name, so that a row of the table can name it.
#define SAY(q, ...) buf_printf(&(q)->what, __VA_ARGS__)

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

typedef void change(struct question *q, struct part *part, struct dice *dice);

static void dates(struct question *q, struct part *p, struct dice *dice)
{
    static const int64_t from[] = {NOW - 40 * DAY, NOW - 1, NOW, NOW + 1, NOW + DAY};
    static const int64_t until[] = {NOW - DAY, NOW - 1, NOW, NOW + 1, NOW + 9000 * (int64_t)DAY};
    p->content.not_before = PICK(dice, from);
    p->content.not_after = PICK(dice, until);
    if (p->content.not_after < p->content.not_before) {
        p->content.not_after = p->content.not_before;
    }
    SAY(q, "=%+" PRId64 "%+" PRId64, p->content.not_before - NOW, p->content.not_after - NOW);
}

static void ext_key_usage(struct question *q, struct part *p, struct dice *dice)
{
    static const char *const oids[] = {NULL, "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0",
                                       "1.3.6.1.5.5.7.3.3"};
    const char *first = PICK(dice, oids);
    const char *second = PICK(dice, oids);
    set_list(&p->content.ext_key_usage, first, second);
    SAY(q, "=%s,%s", first != NULL ? first : "none", first != NULL && second != NULL ? second : "none");
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
    p->content.key_usage = PICK(dice, bits);
    SAY(q, "=%02x", p->content.key_usage);
}

static void basic_constraints(struct question *q, struct part *p, struct dice *dice)
{
    p->content.is_ca = roll(dice, 2) == 0;
    p->content.path_length = p->content.is_ca ? (int)roll(dice, 4) - 1 : PATH_LENGTH_NONE;
    SAY(q, "=%s", p->content.is_ca ? "CA" : "none");
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
    general_names_clear(&p->content.names);
    for (unsigned n = roll(dice, 3); n > 0; n--) {
        const struct general_name *name = &PICK(dice, candidates);
        general_names_add(&p->content.names, name->type, name->value);
        SAY(q, " %s", name->value);
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
    for (unsigned n = 1 + roll(dice, 2); n > 0 && p->content.is_ca; n--) {
        const struct general_name *name = &PICK(dice, candidates);
        bool permit = roll(dice, 2) == 0;
        general_names_add(permit ? &p->content.permitted : &p->content.excluded, name->type, name->value);
        SAY(q, " %c%d:%s", permit ? '+' : '-', (int)name->type, name->value);
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
    replace(&p->content.subject, PICK(dice, subjects));
    SAY(q, "=%s", p->content.subject);
}

// The issuer is named as it is not written: in another case, with other spaces, or as somebody else.
static void issuer(struct question *q, struct part *p, struct dice *dice)
{
    switch (roll(dice, 3)) {
    case 0:
        SAY(q, "=upper case");
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
    p->serial[0] = PICK(dice, firsts);
    p->serial_len = PICK(dice, lengths);
    SAY(q, "=%02x*%zu", p->serial[0], p->serial_len);
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
    p->digest = PICK(dice, digests);
    SAY(q, "=%s", mbedtls_md_get_name(mbedtls_md_info_from_type(p->digest)));
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
    case 0:
        list->next_update = NOW - 1;
        SAY(q, "=stale");
        break;
    case 1:
        list->this_update = NOW + 1;
        SAY(q, "=early");
        break;
    case 2:
        list->key = (int)roll(dice, KEYS);
        SAY(q, "=key");
        break;
    case 3:
        list->issuer = (int)roll(dice, (unsigned)q->part_count);
        SAY(q, "=issuer");
        break;
    case 4:
        *list = q->lists[--q->list_count];
        SAY(q, "=gone");
        break;
    case 5:
        if (q->list_count < LISTS_MOST) { // a twin, perhaps stale
            q->lists[q->list_count] = *list;
            q->lists[q->list_count].next_update = NOW + DAY - (int)roll(dice, 3) * DAY;
            SAY(q, "=twin%+" PRId64, q->lists[q->list_count++].next_update - NOW);
        }
        break;
    default:
        list->revokes = (int)roll(dice, (unsigned)q->part_count);
        SAY(q, "=revokes%d", list->revokes);
        break;
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
