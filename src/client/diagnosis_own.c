// SPDX-License-Identifier: Apache-2.0
// The server refused us: what is wrong with us. What is said is what can be seen from here; where a server gives no
// reason, it is what our own judge has against our certificate.
#include "client/diagnosis_internal.h"

#include <string.h>

static const char *who(const struct evidence *v)
{
    return v->asked->who != NULL ? v->asked->who : "NAME";
}

static bool alert_is(const struct evidence *v, const int *alerts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (v->result->alert == alerts[i]) {
            return true;
        }
    }
    return false;
}
#define ALERT_IS_OF(v, alerts) alert_is(v, alerts, sizeof(alerts) / sizeof(alerts)[0])

// What servers say when there is none, or when they are not specific.
static const int vague[] = {
    ALERT_CERTIFICATE_REQUIRED, ALERT_NO_CERTIFICATE, ALERT_HANDSHAKE_FAILURE, ALERT_BAD_CERTIFICATE,
    ALERT_CERTIFICATE_UNKNOWN,  ALERT_ACCESS_DENIED,  ALERT_DECODE_ERROR,      ALERT_UNKNOWN_CA,
};

bool we_have_no_certificate(struct evidence *v)
{
    bool required = v->result->alert == ALERT_CERTIFICATE_REQUIRED;
    if (v->own_count > 0 || !(required || (v->asked->certificate && ALERT_IS_OF(v, vague)))) {
        return false;
    }
    WHAT(v, "the server wants a certificate from us, and none is configured here");
    MEND(v, "%s", reason_info(REASON_no_certificate)->hint);
    return true;
}

bool we_have_not_begun(struct evidence *v)
{
    char by[DURATION_TEXT];
    char begins[CLOCK_TEXT];
    if (diagnosis_own(v) == NULL || v->now >= diagnosis_own(v)->not_before) {
        return false;
    }
    WHAT(v, "our certificate, %s, begins at %s; by this machine's clock it is %s, %s earlier",
         diagnosis_subject(diagnosis_own(v)), clock_rfc3339(diagnosis_own(v)->not_before, begins), v->clock,
         diagnosis_duration(diagnosis_own(v)->not_before - v->now, by));
    MEND(v, "wait until then, or issue it for now: mtls ca renew %s; or mend the clock: timedatectl set-ntp true",
         who(v));
    return true;
}

bool we_have_expired(struct evidence *v)
{
    char ago[DURATION_TEXT];
    char ended[CLOCK_TEXT];
    if (diagnosis_own(v) == NULL || v->now <= diagnosis_own(v)->not_after) {
        return false;
    }
    WHAT(v, "our certificate, %s, ended at %s, %s ago", diagnosis_subject(diagnosis_own(v)),
         clock_rfc3339(diagnosis_own(v)->not_after, ended),
         diagnosis_duration(v->now - diagnosis_own(v)->not_after, ago));
    MEND(v, "renew it: mtls ca renew %s", who(v));
    return true;
}

// By our clock it is valid.
bool clocks_differ(struct evidence *v)
{
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    if (diagnosis_own(v) == NULL || v->own_verdict.reason == REASON_cert_expired ||
        v->own_verdict.reason == REASON_cert_not_yet_valid) {
        return false;
    }
    WHAT(v,
         "the server takes our certificate, %s, for expired or not yet valid; it is valid from %s to %s, and by this "
         "machine's clock it is %s: one of the two clocks is wrong",
         diagnosis_subject(diagnosis_own(v)), clock_rfc3339(diagnosis_own(v)->not_before, from),
         clock_rfc3339(diagnosis_own(v)->not_after, to), v->clock);
    MEND(v, "compare this machine's clock (date -u) with another one, and so the server's");
    return true;
}

static bool is_accepted(const struct evidence *v, const char *name)
{
    for (size_t i = 0; i < v->asked->count; i++) {
        if (strcmp(v->asked->authorities[i], name) == 0) {
            return true;
        }
    }
    return false;
}

// The CAs that the server accepts, for a sentence.
static void name_authorities(const struct evidence *v, struct buf *to)
{
    enum { NAMED_MOST = 4 };
    for (size_t i = 0; i < v->asked->count && i < NAMED_MOST; i++) {
        buf_printf(to, "%s%.150s", i > 0 ? "; " : "", v->asked->authorities[i]);
    }
    if (v->asked->count > NAMED_MOST) {
        buf_printf(to, "; and %zu more", v->asked->count - NAMED_MOST);
    }
    buf_text(to, "");
}

// The way up is not known here either: it may be that it was to be sent.
bool we_are_alone(struct evidence *v)
{
    const struct trust_identity *leaf = diagnosis_own(v);
    if (v->own_count != 1 || leaf == NULL || diagnosis_is_self_issued(leaf) || is_accepted(v, leaf->issuer) ||
        v->own_verdict.reason != REASON_chain_incomplete || !ALERT_IS_OF(v, vague)) {
        return false;
    }
    struct buf names = {0};
    name_authorities(v, &names);
    WHAT(v,
         "we sent our certificate, %s, alone, without that of its issuer, %s, which the server does not seem to "
         "have%s%s",
         diagnosis_subject(leaf), leaf->issuer, names.len > 0 ? "; it accepts who was issued under: " : "",
         (const char *)names.data);
    MEND(v,
         "send the intermediate certificates too: cat CERTIFICATE INTERMEDIATE > fullchain.pem, --cert fullchain.pem; "
         "if there are none, present a certificate of a CA that the server trusts");
    buf_clear(&names);
    return true;
}

// RFC 8446 section 4.2.4: the names of the CAs that the server accepts. They may be those of intermediate ones.
bool we_are_of_another_ca(struct evidence *v)
{
    if (diagnosis_own(v) == NULL || v->asked->count == 0 || !ALERT_IS_OF(v, vague)) {
        return false;
    }
    for (size_t i = 0; i < v->own_count; i++) {
        if (v->own[i] == NULL || is_accepted(v, v->own[i]->issuer) || is_accepted(v, v->own[i]->subject)) {
            return false;
        }
    }
    struct buf names = {0};
    name_authorities(v, &names);
    WHAT(v, "the server accepts who was issued under: %s; our certificate, %s, was issued by %s%s",
         (const char *)names.data, diagnosis_subject(diagnosis_own(v)), diagnosis_own(v)->issuer,
         diagnosis_is_self_issued(diagnosis_own(v)) ? ", which is itself" : "");
    MEND(v, "present a certificate of one of those CAs: --as NAME, or --cert FILE --key FILE; or have the server trust "
            "this one's: mtls serve --ca FILE");
    buf_clear(&names);
    return true;
}

// Without a path to our own anchors our judge knows no more than we.
bool our_judge_refuses_us(struct evidence *v)
{
    static const int about_paths[] = {ALERT_UNKNOWN_CA, ALERT_ACCESS_DENIED, ALERT_BAD_CERTIFICATE,
                                      ALERT_CERTIFICATE_UNKNOWN};
    enum reason reason = v->own_verdict.reason;
    bool has_no_path = reason == REASON_chain_incomplete || reason == REASON_chain_untrusted;
    if (v->own_count == 0 || reason == REASON_ok || (has_no_path && !ALERT_IS_OF(v, about_paths))) {
        return false;
    }
    WHAT(v, "our own judge would refuse what we sent as well: %s: %s", reason_token(reason), v->own_verdict.detail);
    MEND(v, "%s", reason_info(reason)->hint);
    return true;
}

bool we_are_revoked(struct evidence *v)
{
    if (diagnosis_own(v) == NULL) {
        return false;
    }
    WHAT(v, "our certificate, %s, serial %s, has been revoked by %s", diagnosis_subject(diagnosis_own(v)),
         diagnosis_own(v)->serial, diagnosis_own(v)->issuer);
    MEND(v, "obtain a new certificate: mtls ca renew %s --rekey", who(v));
    return true;
}

bool we_are_not_let_in(struct evidence *v)
{
    WHAT(v, "the server knows who we are, %s, and has no rule that lets us in", diagnosis_subject(diagnosis_own(v)));
    MEND(v, "on the server's side: add a rule that allows it (access, in server.yaml)");
    return diagnosis_own(v) != NULL;
}

bool we_lack_the_key(struct evidence *v)
{
    WHAT(v, "the signature over the handshake was not made by the key of our certificate, %s",
         diagnosis_subject(diagnosis_own(v)));
    MEND(v, "use the private key that belongs to it: --cert FILE --key FILE");
    return diagnosis_own(v) != NULL;
}

bool we_speak_other_versions(struct evidence *v)
{
    if (v->call->session != NULL) { // mbedTLS offers the session's version alone
        WHAT(v, "the server does not speak the version of TLS of the session that we offered to resume");
        MEND(v, "make a new session: remove the file that --session names");
        return true;
    }
    WHAT(v, "the server does not speak the versions of TLS that we offered");
    MEND(v, "offer what there is: leave --tls, --tlsv1.3 and --tls-max out; TLS 1.1 and older are not spoken here");
    return true;
}

bool we_speak_other_suites(struct evidence *v)
{
    if (v->asked->certificate) {
        return false;
    }
    WHAT(v, "the server found nothing among the cipher suites and curves that we offered that it would use");
    MEND(v,
         "offer what there is: leave --ciphers, --tls13-ciphers and --curves out; for servers without ECDHE: --tls-max "
         "1.2 --ciphers AES128-GCM-SHA256");
    return true;
}

// --- nobody said anything ---

bool it_hung_up_on_us(struct evidence *v)
{
    if (!v->result->hung_up || !v->asked->certificate) {
        return false;
    }
    if (v->own_count == 0) {
        WHAT(v, "the server asked for a certificate, got none, and ended the connection without saying why");
        MEND(v, "%s", reason_info(REASON_no_certificate)->hint);
    } else {
        WHAT(v,
             "the server asked for a certificate, got ours, %s, and ended the connection without saying why: that may "
             "be how it refuses it%s%s",
             diagnosis_subject(diagnosis_own(v)), v->own_verdict.reason != REASON_ok ? "; our own judge would: " : "",
             v->own_verdict.detail);
        MEND(v, "look into the server's log%s%s", v->own_verdict.reason != REASON_ok ? "; " : "",
             reason_info(v->own_verdict.reason)->hint);
    }
    return true;
}

// nginx and others complete the handshake with anybody, and refuse in HTTP.
bool it_refuses_in_http(struct evidence *v)
{
    static const int statuses[] = {400, 401, 403, 495, 496};
    bool refused = false;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        refused = refused || v->result->status == statuses[i];
    }
    if (!refused || !v->asked->certificate || (v->own_count > 0 && v->own_verdict.reason == REASON_ok)) {
        return false;
    }
    if (v->own_count == 0) {
        WHAT(v, "the server answers %d; it asked for a certificate, and none is configured here", v->result->status);
        MEND(v, "%s", reason_info(REASON_no_certificate)->hint);
    } else {
        WHAT(v, "the server answers %d; it asked for a certificate, and our own judge would refuse ours: %s: %s",
             v->result->status, reason_token(v->own_verdict.reason), v->own_verdict.detail);
        MEND(v, "%s", reason_info(v->own_verdict.reason)->hint);
    }
    return true;
}
