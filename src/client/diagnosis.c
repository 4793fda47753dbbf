// SPDX-License-Identifier: Apache-2.0
// A table of rules, of which the first that applies speaks.
#include "base/text.h"
#include "client/diagnosis_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void diagnosis_put(char *text, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vformat(text, size, fmt, ap);
    va_end(ap);
}

const char *diagnosis_duration(int64_t seconds, char text[DURATION_TEXT])
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{CLOCK_DAY, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
    size_t i = 0;
    while (i < 3 && seconds < units[i].seconds) {
        i++;
    }
    long long n = (long long)(seconds / units[i].seconds);
    snprintf(text, DURATION_TEXT, "%lld %s%s", n, units[i].unit, n == 1 ? "" : "s");
    return text;
}

const char *diagnosis_subject(const struct trust_identity *identity)
{
    return identity == NULL ? "(unreadable)" : identity->subject[0] != '\0' ? identity->subject : "(empty)";
}

const struct trust_identity *diagnosis_own(const struct evidence *v)
{
    return v->own_count > 0 ? v->own[0] : NULL;
}

bool diagnosis_is_self_issued(const struct trust_identity *identity)
{
    return identity != NULL && strcmp(identity->subject, identity->issuer) == 0;
}

enum { ANY = -100 };

// The first that holds; `which` is the reason where we refused, the alert where the server did.
static const struct rule {
    enum client_outcome outcome;
    int which;
    bool (*applies)(struct evidence *v);
} rules[] = {
    {CLIENT_REFUSED_BY_US, REASON_cert_not_yet_valid, server_not_yet_valid},
    {CLIENT_REFUSED_BY_US, REASON_cert_expired, server_expired},
    {CLIENT_REFUSED_BY_US, REASON_name_mismatch, server_has_other_names},
    {CLIENT_REFUSED_BY_US, REASON_chain_incomplete, server_of_unknown_ca},
    {CLIENT_REFUSED_BY_US, REASON_chain_untrusted, server_of_unknown_ca},
    {CLIENT_REFUSED_BY_US, REASON_crl_stale, list_is_stale},
    {CLIENT_REFUSED_BY_SERVER, ANY, we_have_no_certificate},
    {CLIENT_REFUSED_BY_SERVER, ALERT_PROTOCOL_VERSION, we_speak_other_versions},
    {CLIENT_REFUSED_BY_SERVER, ALERT_HANDSHAKE_FAILURE, we_speak_other_suites},
    {CLIENT_REFUSED_BY_SERVER, ALERT_INSUFFICIENT_SECURITY, we_speak_other_suites},
    {CLIENT_REFUSED_BY_SERVER, ALERT_DECRYPT_ERROR, we_lack_the_key},
    {CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_REVOKED, we_are_revoked},
    {CLIENT_REFUSED_BY_SERVER, ANY, we_have_not_begun},
    {CLIENT_REFUSED_BY_SERVER, ANY, we_have_expired},
    {CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_EXPIRED, clocks_differ},
    {CLIENT_REFUSED_BY_SERVER, ANY, we_are_alone},
    {CLIENT_REFUSED_BY_SERVER, ANY, we_are_of_another_ca},
    {CLIENT_REFUSED_BY_SERVER, ANY, our_judge_refuses_us},
    {CLIENT_REFUSED_BY_SERVER, ALERT_ACCESS_DENIED, we_are_not_let_in},
    {CLIENT_FAILED, ANY, it_hung_up_on_us},
    {CLIENT_SERVED, ANY, it_refuses_in_http},
};

// Where no rule applies: what the reason, or the alert that only one reason has, is mended by.
static const char *general_hint(const struct client_result *result)
{
    if (result->outcome == CLIENT_REFUSED_BY_US) {
        return reason_info(result->verdict.reason)->hint;
    }
    const char *hint = "";
    for (int reason = REASON_ok + 1, found = 0; result->outcome == CLIENT_REFUSED_BY_SERVER && reason < REASON_COUNT;
         reason++) {
        if ((int)reason_info((enum reason)reason)->alert == result->alert) {
            hint = ++found == 1 ? reason_info((enum reason)reason)->hint : "";
        }
    }
    return hint;
}

static void look_at_own(struct evidence *v)
{
    struct span chain[OWN_MOST] = {{0}};
    struct err unreadable = ERR_INIT;
    trust_verdict_set(&v->own_verdict, REASON_ok, -1, "%s", "");
    for (size_t i = 0; i < OWN_MOST && (chain[i] = tls_context_certificate(v->call->context, i)).len > 0; i++) {
        v->own[i] = trust_identity_new(chain[i], "", false, &unreadable);
        v->own_count++;
    }
    if (v->own_count > 0) {
        (void)trust_judge(tls_context_snapshot(v->call->context), chain, v->own_count, TRUST_CLIENT, NULL, v->now,
                          &v->own_verdict);
    }
}

void client_diagnose(const struct client_call *call, const struct client_result *result,
                     const struct client_asked *asked, int64_t now, struct client_diagnosis *diagnosis)
{
    struct evidence v = {.call = call, .result = result, .asked = asked, .now = now, .d = diagnosis};
    int which = result->outcome == CLIENT_REFUSED_BY_US ? (int)result->verdict.reason : result->alert;
    *diagnosis = (struct client_diagnosis){.what = "", .mend = ""};
    clock_rfc3339(now, v.clock);
    look_at_own(&v);
    bool found = false;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !found; i++) {
        if (rules[i].outcome == result->outcome && (rules[i].which == ANY || rules[i].which == which)) {
            found = rules[i].applies(&v);
        }
    }
    if (!found) {
        *diagnosis = (struct client_diagnosis){.what = ""};
        MEND(&v, "%s", general_hint(result));
    }
    for (size_t i = 0; i < v.own_count; i++) {
        trust_identity_free(v.own[i]);
    }
}
