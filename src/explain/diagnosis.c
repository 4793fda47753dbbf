// SPDX-License-Identifier: Apache-2.0
// What can be seen to be wrong in a handshake that was refused, from outside: sentences for after the verdict. They say
// what was sent and when, never more; whether it was the reason only who refused knows.
#include "base/clock.h"
#include "base/reason.h"
#include "base/text.h"
#include "explain/internal.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAMED_MOST = 4, NAME_COLUMNS = 80 };

// What the certificates of one side are judged by.
struct evidence {
    const struct explain *of;
    enum explain_side side;     // whose they are
    struct span leaf;           // the first of them, DER
    const json_t *certificates; // that it sent, the leaf first; NULL: none
    const json_t *authorities;  // that a server named as acceptable; NULL: none, or they are for the other side
    const char *asked;          // the name that the client asked for, or NULL
    const struct explain_message *refusal; // or NULL: it was closed without a word
    struct buf *to;
};

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static __attribute__((format(printf, 2, 3))) void say(struct buf *to, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    text_vformat(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_text(to, to->len > 0 ? " " : "");
    buf_text(to, text);
}

// A name, not too long for a sentence; for free().
static char *brief(const char *name)
{
    char text[NAME_COLUMNS];
    size_t len = strlen(name);
    if (len < sizeof text) {
        return mem_strdup(name);
    }
    for (len = sizeof text - 4; (name[len] & 0xc0) == 0x80; len--) { // not inside a character
    }
    return mem_printf("%.*s...", (int)len, name);
}

// "a, b and 3 more"; for free().
static char *listed(const json_t *texts)
{
    struct buf b = {0};
    size_t count = json_array_size(texts);
    for (size_t i = 0; i < count && i < NAMED_MOST; i++) {
        char *name = brief(json_string_value(json_array_get(texts, i)));
        buf_printf(&b, "%s%s", i > 0 ? ", " : "", name);
        free(name);
    }
    if (count > NAMED_MOST) {
        buf_printf(&b, " and %zu more", count - NAMED_MOST);
    }
    char *text = mem_strdup(b.len > 0 ? (const char *)b.data : "");
    buf_clear(&b);
    return text;
}

static bool is_listed(const json_t *texts, const char *wanted)
{
    size_t i = 0;
    const json_t *text = NULL;
    json_array_foreach(texts, i, text)
    {
        if (strcmp(json_string_value(text), wanted) == 0) {
            return true;
        }
    }
    return false;
}

// --- what may be seen ---

// A certificate that was out of its time. Their texts are in the order of time, as RFC 3339 has them in UTC.
static bool tell_times(const struct evidence *v)
{
    char now[CLOCK_TEXT];
    size_t i = 0;
    const json_t *c = NULL;
    bool found = false;
    if (explain_began_at(v->of) == 0) {
        return false;
    }
    clock_rfc3339(explain_began_at(v->of), now);
    json_array_foreach(v->certificates, i, c)
    {
        const char *not_before = text_in(c, "not_before");
        const char *not_after = text_in(c, "not_after");
        char *name = brief(text_in(c, "subject"));
        if (*not_after != '\0' && strcmp(not_after, now) < 0) {
            say(v->to, "The certificate %s that the %s sent had expired: it was valid until %s, and this was %s.", name,
                explain_side_name(v->side), not_after, now);
            found = true;
        } else if (*not_before != '\0' && strcmp(now, not_before) < 0) {
            say(v->to, "The certificate %s that the %s sent was not valid yet: it is from %s on, and this was %s.",
                name, explain_side_name(v->side), not_before, now);
            found = true;
        }
        free(name);
    }
    if (!found && v->refusal != NULL && v->refusal->type == ALERT_CERTIFICATE_EXPIRED) {
        say(v->to,
            "None of the certificates that the %s sent had expired at %s: it may be the clock of the %s that is wrong.",
            explain_side_name(v->side), now, explain_side_name(v->refusal->from));
    }
    return found;
}

// Is one of the issuers of what was sent, or of those below it, acceptable?
static bool is_acceptable(const struct evidence *v)
{
    size_t i = 0;
    const json_t *c = NULL;
    json_array_foreach(v->certificates, i, c)
    {
        if (is_listed(v->authorities, text_in(c, "issuer")) || is_listed(v->authorities, text_in(c, "subject"))) {
            return true;
        }
    }
    return false;
}

// The issuer of the i-th certificate is among them.
static bool has_issuer(const struct evidence *v, size_t i)
{
    const char *issuer = text_in(json_array_get(v->certificates, i), "issuer");
    size_t k = 0;
    const json_t *c = NULL;
    json_array_foreach(v->certificates, k, c)
    {
        if (strcmp(text_in(c, "subject"), issuer) == 0) {
            return true;
        }
    }
    return false;
}

// From issuer to issuer among what was sent; a circle has an end too.
static const char *top_of(const struct evidence *v)
{
    const char *name = text_in(json_array_get(v->certificates, 0), "issuer");
    for (size_t steps = json_array_size(v->certificates); steps > 0; steps--) {
        size_t i = 0;
        const json_t *c = NULL;
        json_array_foreach(v->certificates, i, c)
        {
            if (strcmp(text_in(c, "subject"), name) == 0) {
                name = text_in(c, "issuer");
                break;
            }
        }
    }
    return name;
}

static void tell_path(const struct evidence *v)
{
    const json_t *leaf = json_array_get(v->certificates, 0);
    bool is_named = json_array_size(v->authorities) > 0;
    bool refused_path = v->refusal != NULL && v->refusal->type == ALERT_UNKNOWN_CA;
    char *subject = brief(text_in(leaf, "subject"));
    char *issuer = brief(text_in(leaf, "issuer"));
    char *named = listed(v->authorities);
    const char *side = explain_side_name(v->side);
    if (strcmp(text_in(leaf, "subject"), text_in(leaf, "issuer")) == 0) {
        if (refused_path || (is_named && !is_acceptable(v))) {
            say(v->to, "The %s's certificate %s names itself as its issuer: no CA vouches for it.", side, subject);
        }
    } else if (!has_issuer(v, 0) && (is_named ? !is_acceptable(v) : refused_path)) {
        say(v->to,
            "The %s sent %s without the certificate of its issuer, %s%s%s%s: if that is an intermediate CA, it must be "
            "sent too (fullchain.pem).",
            side, subject, issuer, is_named ? ", which is not among the acceptable CAs that the server named (" : "",
            named, is_named ? ")" : "");
    } else if (is_named && !is_acceptable(v)) {
        say(v->to,
            "None of the acceptable CAs that the server named (%s) is an issuer of the %s's certificate %s, which %s "
            "issued.",
            named, side, subject, issuer);
    }
    if (!is_named && refused_path && has_issuer(v, 0)) {
        char *top = brief(top_of(v));
        say(v->to, "The certificates that the %s sent lead to %s, which the %s does not trust.", side, top,
            explain_side_name(v->refusal->from));
        free(top);
    }
    free(subject);
    free(issuer);
    free(named);
}

// RFC 9525 section 6.3: a wildcard is the first label, and stands for one.
static bool covers(const char *pattern, const char *name)
{
    const char *dot = strchr(name, '.');
    return strncmp(pattern, "*.", 2) == 0 ? dot != NULL && strcasecmp(pattern + 1, dot) == 0
                                          : strcasecmp(pattern, name) == 0;
}

static void tell_name(const struct evidence *v)
{
    const json_t *names = json_object_get(json_array_get(v->certificates, 0), "names");
    size_t i = 0;
    const json_t *name = NULL;
    if (v->asked == NULL || v->side != EXPLAIN_SERVER) {
        return;
    }
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        if (strncmp(text, "dns:", 4) == 0 && covers(text + 4, v->asked)) {
            return;
        }
    }
    char *has = listed(names);
    char *asked = brief(v->asked);
    say(v->to, "The client asked for %s; the server's certificate is for %s.", asked,
        *has != '\0' ? has : "no name (subjectAltName) at all");
    free(has);
    free(asked);
}

// What the leaf says of itself that a careful judge refuses.
static void tell_leaf(const struct evidence *v)
{
    enum { RSA_LEAST = 2048 };
    bool is_client = v->side == EXPLAIN_CLIENT;
    const char *oid = is_client ? MBEDTLS_OID_CLIENT_AUTH : MBEDTLS_OID_SERVER_AUTH;
    const char *side = explain_side_name(v->side);
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    char *name = brief(text_in(json_array_get(v->certificates, 0), "subject"));
    if (mbedtls_x509_crt_parse_der(&crt, v->leaf.data, v->leaf.len) != 0) {
        // it has what mbedTLS does not know, which need not be wrong
    } else if (crt.version != 3) {
        say(v->to, "The %s's certificate %s is of version %d, and has no extensions that say what it is for.", side,
            name, crt.version);
    } else if (mbedtls_x509_crt_get_ca_istrue(&crt) > 0) {
        say(v->to, "The certificate %s that the %s sent as its own is a CA's (CA:TRUE).", name, side);
    } else if (mbedtls_x509_crt_check_extended_key_usage(&crt, oid, strlen(oid)) != 0) {
        say(v->to, "The extendedKeyUsage of the %s's certificate %s lacks %s.", side, name,
            is_client ? "clientAuth" : "serverAuth");
    } else if (mbedtls_pk_can_do(&crt.pk, MBEDTLS_PK_RSA) && mbedtls_pk_get_bitlen(&crt.pk) < RSA_LEAST) {
        say(v->to, "The key of the %s's certificate %s is RSA of %zu bits.", side, name,
            mbedtls_pk_get_bitlen(&crt.pk));
    }
    free(name);
    mbedtls_x509_crt_free(&crt);
}

static void tell_certificates(const struct evidence *v)
{
    if (json_object_get(json_array_get(v->certificates, 0), "unreadable") != NULL) {
        say(v->to, "The %s's certificate is malformed and cannot be read.", explain_side_name(v->side));
        return;
    }
    tell_leaf(v);
    tell_times(v);
    tell_path(v);
    tell_name(v);
    if (v->refusal != NULL && v->refusal->type == ALERT_DECRYPT_ERROR) {
        char *subject = brief(text_in(json_array_get(v->certificates, 0), "subject"));
        say(v->to,
            "A signature or Finished of the %s's is wrong: its private key may not be that of its certificate %s.",
            explain_side_name(v->side), subject);
        free(subject);
    }
}

static void tell_no_certificate(const struct evidence *v, bool complete)
{
    char *named = listed(v->authorities);
    if (*named != '\0') {
        say(v->to,
            "The server named the CAs whose certificates it accepts: %s. The client had none from them, or none at "
            "all.",
            named);
    }
    if (complete) {
        say(v->to, "The server asked for a certificate and the client sent none: if it is refused for that, it is in "
                   "the words of the application (as HTTP 400 is nginx's).");
    }
    free(named);
}

// The server agreed to nothing: to which of the client's offers the alert says.
static void tell_offer(const struct explain *x, int alert, struct buf *to)
{
    const json_t *fields = explain_count(x) > 0 ? explain_message(x, 0)->fields : NULL;
    if (alert == ALERT_UNRECOGNIZED_NAME || alert == ALERT_NO_APPLICATION_PROTOCOL) {
        bool is_name = alert == ALERT_UNRECOGNIZED_NAME;
        char *asked = is_name ? brief(text_in(fields, "server_name")) : listed(json_object_get(fields, "alpn"));
        say(to, "The client asked for the %s %s.", is_name ? "name" : "application protocols",
            *asked != '\0' ? asked : "(none)");
        free(asked);
        return;
    }
    if (alert != ALERT_HANDSHAKE_FAILURE && alert != ALERT_PROTOCOL_VERSION && alert != ALERT_INSUFFICIENT_SECURITY) {
        return;
    }
    const json_t *versions = json_object_get(fields, "versions");
    char *offered = versions != NULL ? listed(versions) : mem_strdup(text_in(fields, "version"));
    char *groups = listed(json_object_get(fields, "groups"));
    if (*offered != '\0') {
        size_t suites = json_array_size(json_object_get(fields, "cipher_suites"));
        say(to, "The client offered %s, %zu cipher suite%s and %s%s: the server may do with none of them.", offered,
            suites, suites == 1 ? "" : "s", *groups != '\0' ? "the groups " : "no groups", groups);
    }
    free(offered);
    free(groups);
}

// --- the whole ---

static const struct explain_message *message_of(const struct explain *x, enum explain_side from, int type)
{
    for (size_t i = 0; i < explain_count(x); i++) {
        const struct explain_message *m = explain_message(x, i);
        if (m->from == from && m->kind == EXPLAIN_HANDSHAKE && m->type == type) {
            return m;
        }
    }
    return NULL;
}

static void read_certificates(struct evidence *v)
{
    const struct explain_message *m = message_of(v->of, v->side, MESSAGE_CERTIFICATE);
    const struct explain_message *request = message_of(v->of, EXPLAIN_SERVER, MESSAGE_CERTIFICATE_REQUEST);
    v->certificates = m != NULL ? json_object_get(m->fields, "certificates") : NULL;
    v->authorities = v->side == EXPLAIN_CLIENT && request != NULL
                         ? json_object_get(request->fields, "certificate_authorities")
                         : NULL;
    for (size_t i = 0; m != NULL && i < m->mark_count && v->leaf.len == 0; i++) {
        if (strcmp(m->marks[i].name, "certificate") == 0) {
            v->leaf = span_of(m->bytes.data + m->marks[i].at, m->marks[i].len);
            struct span rest = v->leaf;
            octets_vector(&rest, 3, &v->leaf);
        }
    }
}

static bool concerns_certificates(const struct explain_message *refusal)
{
    static const int alerts[] = {ALERT_HANDSHAKE_FAILURE,   ALERT_BAD_CERTIFICATE,     ALERT_UNSUPPORTED_CERTIFICATE,
                                 ALERT_CERTIFICATE_REVOKED, ALERT_CERTIFICATE_EXPIRED, ALERT_CERTIFICATE_UNKNOWN,
                                 ALERT_UNKNOWN_CA,          ALERT_ACCESS_DENIED,       ALERT_DECRYPT_ERROR,
                                 ALERT_CERTIFICATE_REQUIRED};
    for (size_t i = 0; refusal != NULL && i < sizeof alerts / sizeof alerts[0]; i++) {
        if (refusal->type == alerts[i]) {
            return true;
        }
    }
    return refusal == NULL;
}

void explain_diagnose(const struct explain *x, int failed, const struct explain_message *refusal, struct buf *to)
{
    const struct explain_facts *facts = explain_facts(x);
    struct evidence v = {.of = x, .refusal = refusal, .asked = facts->name, .to = to};
    bool client_unknown = facts->requested && !facts->presented && !facts->hidden;
    if (failed == 2 && refusal != NULL && refusal->from == EXPLAIN_SERVER) {
        tell_offer(x, refusal->type, to);
        return;
    }
    v.side = refusal != NULL ? (refusal->from == EXPLAIN_CLIENT ? EXPLAIN_SERVER : EXPLAIN_CLIENT)
             : failed == 3   ? EXPLAIN_SERVER
                             : EXPLAIN_CLIENT;
    const struct explain_judgement *judgement =
        explain_judgement(x, v.side == EXPLAIN_CLIENT ? EXPLAIN_SERVER : EXPLAIN_CLIENT);
    if (judgement != NULL && judgement->reason != REASON_ok) {
        return; // the reason is known
    }
    read_certificates(&v);
    if (failed == 0 || !concerns_certificates(refusal)) {
        if (failed == 0 && client_unknown && facts->finished[EXPLAIN_CLIENT]) {
            tell_no_certificate(&v, true);
        }
    } else if (json_array_size(v.certificates) > 0) {
        tell_certificates(&v);
    } else if (v.side == EXPLAIN_CLIENT && client_unknown) {
        tell_no_certificate(&v, false);
    }
}
