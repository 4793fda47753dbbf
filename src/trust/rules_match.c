// SPDX-License-Identifier: Apache-2.0
// One pattern of an access rule, read and held against an identity. Names are compared as the certificate has them;
// what is malformed equals nothing. A pattern that could never match is an error when it is read: in a rule that denies
// it would let somebody in.
#include "base/attribute.h"
#include "base/name_text.h"
#include "base/text.h"
#include "trust/general_name.h"
#include "trust/host.h"
#include "trust/internal.h"
#include "trust/rules.h"

#include <stdlib.h>

enum { SHA256_LENGTH = 32, SPIFFE_MOST = 2048 };

static struct span span_of_text(const char *text)
{
    return span_of(text, strlen(text));
}

static struct span skip(struct span text, size_t n)
{
    return span_of(text.data + n, text.len - n);
}

static bool span_starts(struct span text, const char *prefix)
{
    return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

static bool span_is(struct span text, const char *other)
{
    return spans_equal(text, span_of_text(other));
}

static void keep(struct matcher *m, struct span octets)
{
    buf_add(&m->octets, octets.data, octets.len);
}

// Takes a prefix that means "any" off the pattern.
static struct span keep_any(struct matcher *m, const char *pattern, const char *star)
{
    m->any = text_starts(pattern, star);
    struct span rest = span_of_text(pattern + (m->any ? strlen(star) : 0));
    keep(m, rest);
    return rest;
}

// --- DNS ---

static int dns_read(struct matcher *m, const char *pattern, struct err *e)
{
    return host_name_check(keep_any(m, pattern, "*."), e);
}

static bool dns_holds(const struct matcher *m, struct span name)
{
    struct err ignored = ERR_INIT;
    return host_pattern_check(name, &ignored) == 0 &&
           (m->any ? host_is_below(name, buf_span(&m->octets)) : host_equal(name, buf_span(&m->octets)));
}

// --- IP ---

static bool bit(const uint8_t *octets, unsigned n)
{
    return (octets[n / 8] & (0x80U >> n % 8)) != 0;
}

static int ip_read(struct matcher *m, const char *pattern, struct err *e)
{
    const char *slash = strchr(pattern, '/');
    uint8_t octets[16];
    size_t len = host_address(span_of(pattern, slash == NULL ? strlen(pattern) : (size_t)(slash - pattern)), octets);
    if (len == 0) {
        return err_set(e, "it is no IP address");
    }
    m->bits = (unsigned)len * 8;
    if (slash != NULL) {
        char *end = NULL;
        long bits = strtol(slash + 1, &end, 10);
        if (!span_is_of(span_of_text(slash + 1), "0123456789") || end == slash + 1 || bits > (long)m->bits) {
            return err_set(e, "behind the slash is a number of bits from 0 to %u", m->bits);
        }
        m->bits = (unsigned)bits;
    }
    for (unsigned n = m->bits; n < len * 8; n++) {
        if (bit(octets, n)) {
            return err_set(e, "bits of the address are set behind the first %u, which are to count", m->bits);
        }
    }
    keep(m, span_of(octets, len));
    return 0;
}

static bool ip_holds(const struct matcher *m, struct span name)
{
    if (name.len != m->octets.len) {
        return false;
    }
    for (unsigned n = 0; n < m->bits; n++) {
        if (bit(name.data, n) != bit(m->octets.data, n)) {
            return false;
        }
    }
    return true;
}

// --- e-mail: case counts before the @ only ---

static int email_read(struct matcher *m, const char *pattern, struct err *e)
{
    struct span local;
    struct span host;
    struct span rest = keep_any(m, pattern, "*@");
    return m->any ? host_name_check(rest, e) : mailbox_split(rest, &local, &host, e);
}

static bool email_holds(const struct matcher *m, struct span name)
{
    struct err ignored = ERR_INIT;
    struct span local;
    struct span host;
    return m->any ? mailbox_split(name, &local, &host, &ignored) == 0 && host_equal(host, buf_span(&m->octets))
                  : mailbox_equal(name, buf_span(&m->octets));
}

// --- URI: octet by octet; SPIFFE IDs segment by segment ---

static const char spiffe[] = "spiffe://";

// Takes the next segment off the front, up to and without the slash behind it.
static struct span segment_take(struct span *rest)
{
    const uint8_t *slash = rest->len == 0 ? NULL : memchr(rest->data, '/', rest->len);
    struct span segment = span_of(rest->data, slash == NULL ? rest->len : (size_t)(slash - rest->data));
    *rest = skip(*rest, segment.len);
    return segment;
}

// SPIFFE ID sections 2.1 to 2.3: lower-case trust domain, no empty or dot segments, no slash at the end; nothing is
// encoded, and there is no port, query or fragment. `stars`: segments of a pattern may be stars.
static int spiffe_check(struct span id, bool stars, struct err *e)
{
    struct span rest = skip(id, strlen(spiffe));
    struct span domain = segment_take(&rest);
    if (id.len > SPIFFE_MOST || domain.len == 0 || !span_is_of(domain, "abcdefghijklmnopqrstuvwxyz0123456789.-_")) {
        return err_set(e, "the trust domain of a SPIFFE ID is lower-case letters, digits, dots, hyphens, underscores");
    }
    while (rest.len > 0) {
        rest = skip(rest, 1);
        struct span segment = segment_take(&rest);
        if (stars && (span_is(segment, "*") || (span_is(segment, "**") && rest.len == 0))) {
            continue;
        }
        if (segment.len == 0 || span_is(segment, ".") || span_is(segment, "..")) {
            return err_set(e, "a segment of a SPIFFE ID is empty or only dots");
        }
        if (!span_is_of(segment, LETTERS_AND_DIGITS ".-_")) {
            return err_set(e, "a segment of a SPIFFE ID is letters, digits, dots, hyphens, underscores%s",
                           stars ? "; or only *, or ** if it is the last" : "");
        }
    }
    return 0;
}

static bool spiffe_holds(struct span pattern, struct span id)
{
    struct err ignored = ERR_INIT;
    if (!span_starts(id, spiffe) || spiffe_check(id, false, &ignored) != 0) {
        return false;
    }
    pattern = skip(pattern, strlen(spiffe));
    id = skip(id, strlen(spiffe));
    bool same = spans_equal(segment_take(&pattern), segment_take(&id));
    while (same && pattern.len > 0 && id.len > 0) {
        pattern = skip(pattern, 1);
        id = skip(id, 1);
        struct span wanted = segment_take(&pattern);
        struct span segment = segment_take(&id);
        if (span_is(wanted, "**")) {
            return true;
        }
        same = span_is(wanted, "*") || spans_equal(wanted, segment);
    }
    return same && pattern.len == 0 && id.len == 0;
}

static int uri_read(struct matcher *m, const char *pattern, struct err *e)
{
    struct span host;
    struct span uri = keep_any(m, pattern, "");
    m->any = span_starts(uri, spiffe);
    if (m->any) {
        return spiffe_check(uri, true, e);
    }
    if (strchr(pattern, '*') != NULL) {
        return err_set(e, "a * has a meaning in %s only", spiffe);
    }
    return uri_split(uri, &host, e);
}

static bool uri_holds(const struct matcher *m, struct span name)
{
    return m->any ? spiffe_holds(buf_span(&m->octets), name) : spans_equal(name, buf_span(&m->octets));
}

// --- subject and issuer ---

// The type as an identity calls it, for its name or its dotted identifier. NULL: words in `e`.
static char *type_read(const char *name, struct err *e)
{
    const struct attribute *known = attribute_by_name(name);
    struct buf oid = {0};
    struct buf text = {0};
    struct err ignored = ERR_INIT;
    char *type = NULL;
    if (known != NULL && strcmp(known->names[0], name) == 0) {
        type = mem_strdup(name);
    } else if (der_oid_from_text(name, &oid, &ignored) == 0) {
        name_type_to_text(buf_span(&oid), &text);
        type = mem_strdup((const char *)text.data);
    } else {
        err_set(e, "\"%.40s\" is no attribute: write CN, O, OU, ..., or a dotted identifier", name);
    }
    buf_clear(&oid);
    buf_clear(&text);
    return type;
}

// What is written is to be what is seen.
static int characters_check(const char *pattern, struct err *e)
{
    struct span rest = span_of_text(pattern);
    while (rest.len > 0) {
        uint32_t code = 0;
        size_t n = text_utf8(rest.data, rest.len, &code);
        if (n == 0 || text_is_invisible(code)) {
            return err_set(e, "it is not UTF-8, or has a character that cannot be seen");
        }
        rest = skip(rest, n);
    }
    return pattern[0] != '\0' ? 0 : err_set(e, "it is empty");
}

// How many characters an escaped one has, as name_to_text writes it; 0: it would not write this.
static size_t escape_length(const char *p)
{
    if (strspn(p + 1, "0123456789ABCDEF") >= 2) {
        bool seen = p[1] >= '2' && p[1] <= '7' && strncmp(p + 1, "7F", 2) != 0;
        return seen ? 0 : 3;
    }
    return p[1] != '\0' && strchr(",+\"\\<>;# ", p[1]) != NULL ? 2 : 0;
}

// Takes a value off the front. Those that name_to_text cuts, or writes as hexadecimal, may look like others; they can
// be told apart by other fields.
static int value_check(const char **rest, struct err *e)
{
    const char *value = *rest;
    const char *p = value;
    if (*p == '#') {
        return err_set(e, "a value in hexadecimal is not compared: name the attribute");
    }
    while (*p != '\0' && *p != ',' && *p != '+') {
        bool outer_space = *p == ' ' && (p == value || p[1] == '\0' || p[1] == ',' || p[1] == '+');
        if (strchr("\"<>;", *p) != NULL || outer_space) {
            return err_set(e, "a backslash is due before '%c'", *p);
        }
        size_t n = *p == '\\' ? escape_length(p) : 1;
        if (n == 0) {
            return err_set(
                e, "a backslash stands before one of ,+\"\\<>;# or a space, or two hexadecimal digits of an octet "
                   "that cannot be seen");
        }
        p += n;
    }
    if (p - value >= NAME_DER_MAX || (p - value >= 3 && strncmp(p - 3, "...", 3) == 0)) {
        return err_set(e, "a value so long, or ending in ..., may be shown cut: name the attribute");
    }
    *rest = p;
    return 0;
}

// Takes "TYPE=value" of a name's text (RFC 4514, as name_to_text writes it) off the front.
static int pair_check(const char **rest, struct err *e)
{
    size_t len = strcspn(*rest, "=,+");
    if ((*rest)[len] != '=') {
        return err_set(e, "it is not written like CN=alice,O=Example");
    }
    char *name = mem_strndup(*rest, len);
    char *type = type_read(name, e);
    int rc = type == NULL ? -1 : 0;
    if (rc == 0 && strcmp(type, name) != 0) {
        rc = err_set(e, "\"%.40s\" is written %s here", name, type);
    } else if (rc == 0 && attribute_by_name(type) == NULL) {
        rc = err_set(e, "a value of %.40s is shown in hexadecimal, which is not compared: name the attribute", type);
    }
    free(name);
    free(type);
    *rest += len + 1;
    return rc == 0 ? value_check(rest, e) : -1;
}

static int name_read(struct matcher *m, const char *pattern, struct err *e)
{
    const char *rest = pattern;
    keep(m, span_of_text(pattern));
    int rc = characters_check(pattern, e) == 0 ? pair_check(&rest, e) : -1;
    while (rc == 0 && *rest != '\0') {
        rest++; // the separator
        rc = pair_check(&rest, e);
    }
    return rc;
}

static int subject_read(struct matcher *m, const char *pattern, struct err *e)
{
    if (m->attribute == NULL) {
        return name_read(m, pattern, e);
    }
    char *type = type_read(m->attribute, e);
    if (type == NULL) {
        return -1;
    }
    free(m->attribute);
    m->attribute = type;
    keep(m, span_of_text(pattern));
    if (strchr(pattern, '\\') != NULL) {
        return err_set(e, "a value is written as it is, without backslashes");
    }
    return characters_check(pattern, e);
}

static bool subject_holds(const struct matcher *m, const struct trust_identity *identity)
{
    if (m->attribute == NULL) {
        return span_is(buf_span(&m->octets), identity->subject);
    }
    for (size_t i = 0; i < identity->attribute_count; i++) {
        const struct trust_attribute *a = &identity->attributes[i];
        if (strcmp(a->type, m->attribute) == 0 && spans_equal(a->octets, buf_span(&m->octets))) {
            return true;
        }
    }
    return false;
}

static bool issuer_holds(const struct matcher *m, const struct trust_identity *identity)
{
    return span_is(buf_span(&m->octets), identity->issuer);
}

// --- numbers ---

static int hex_read(struct matcher *m, const char *pattern, size_t length, struct err *e)
{
    struct buf octets = {0};
    bool good = text_unhex(pattern, &octets) && (length == 0 ? octets.len > 0 : octets.len == length);
    text_hex(&m->octets, octets.data, octets.len, '\0');
    buf_clear(&octets);
    if (!good && length > 0) {
        return err_set(e, "it is not %zu hexadecimal digits", 2 * length);
    }
    return good ? 0 : err_set(e, "it is not hexadecimal, two digits an octet");
}

// Leading zeros are a matter of encoding: some tools show them and some do not.
static const char *significant(const char *hex)
{
    while (strncmp(hex, "00", 2) == 0) {
        hex += 2;
    }
    return hex;
}

static int serial_read(struct matcher *m, const char *pattern, struct err *e)
{
    return hex_read(m, pattern, 0, e);
}

static bool serial_holds(const struct matcher *m, const struct trust_identity *identity)
{
    return strcmp(significant((const char *)m->octets.data), significant(identity->serial)) == 0;
}

static int digest_read(struct matcher *m, const char *pattern, struct err *e)
{
    return hex_read(m, pattern, SHA256_LENGTH, e);
}

static bool sha256_holds(const struct matcher *m, const struct trust_identity *identity)
{
    return span_is(buf_span(&m->octets), identity->fingerprint);
}

static bool key_holds(const struct matcher *m, const struct trust_identity *identity)
{
    return span_is(buf_span(&m->octets), identity->key_pin);
}

// --- all of them ---

static const struct field {
    const char *word;
    int (*read)(struct matcher *m, const char *pattern, struct err *e);
    bool (*holds)(const struct matcher *m, const struct trust_identity *identity); // or:
    bool (*holds_name)(const struct matcher *m, struct span name);                 // one of these:
    enum trust_name_type type;
} fields[] = {
    [TRUST_MATCH_DNS] = {"dns", dns_read, NULL, dns_holds, TRUST_NAME_DNS},
    [TRUST_MATCH_IP] = {"ip", ip_read, NULL, ip_holds, TRUST_NAME_IP},
    [TRUST_MATCH_EMAIL] = {"email", email_read, NULL, email_holds, TRUST_NAME_EMAIL},
    [TRUST_MATCH_URI] = {"uri", uri_read, NULL, uri_holds, TRUST_NAME_URI},
    [TRUST_MATCH_SUBJECT] = {"subject", subject_read, subject_holds, NULL, TRUST_NAME_OTHER},
    [TRUST_MATCH_ISSUER] = {"issuer", name_read, issuer_holds, NULL, TRUST_NAME_OTHER},
    [TRUST_MATCH_SERIAL] = {"serial", serial_read, serial_holds, NULL, TRUST_NAME_OTHER},
    [TRUST_MATCH_SHA256] = {"sha256", digest_read, sha256_holds, NULL, TRUST_NAME_OTHER},
    [TRUST_MATCH_KEY] = {"key", digest_read, key_holds, NULL, TRUST_NAME_OTHER},
};

const char *match_field_word(enum trust_match_field field)
{
    return fields[field].word;
}

int matcher_init(struct matcher *m, const struct trust_match *match, struct err *e)
{
    *m = (struct matcher){.field = match->field, .attribute = mem_strdup(match->attribute)};
    buf_add(&m->octets, "", 0);
    return fields[m->field].read(m, match->pattern, e);
}

void matcher_clear(struct matcher *m)
{
    free(m->attribute);
    buf_clear(&m->octets);
    m->attribute = NULL;
}

bool matcher_holds(const struct matcher *m, const struct trust_identity *identity)
{
    const struct field *field = &fields[m->field];
    if (field->holds != NULL) {
        return field->holds(m, identity);
    }
    for (size_t i = 0; i < identity->name_count; i++) {
        if (identity->names[i].type == field->type && field->holds_name(m, identity->names[i].octets)) {
            return true;
        }
    }
    return false;
}
