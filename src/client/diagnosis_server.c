// SPDX-License-Identifier: Apache-2.0
// We refused the server: what is wrong with it, or here.
#include "client/diagnosis_internal.h"

#include <string.h>

bool server_not_yet_valid(struct evidence *v)
{
    char by[DURATION_TEXT];
    char begins[CLOCK_TEXT];
    const struct trust_identity *server = v->result->server;
    if (server == NULL || v->now >= server->not_before) {
        return false;
    }
    diagnosis_duration(server->not_before - v->now, by);
    clock_rfc3339(server->not_before, begins);
    if (diagnosis_own(v) != NULL && v->now < diagnosis_own(v)->not_before) {
        WHAT(v,
             "by this machine's clock it is %s, and neither the server's certificate, %s, nor ours, %s, has begun: the "
             "clock is at least %s behind",
             v->clock, diagnosis_subject(server), diagnosis_subject(diagnosis_own(v)), by);
        MEND(v, "set this machine's clock: timedatectl set-ntp true");
    } else {
        WHAT(v,
             "the server's certificate, %s, begins at %s; by this machine's clock it is %s: either that is at least %s "
             "behind, or the certificate is for later",
             diagnosis_subject(server), begins, v->clock, by);
        MEND(v, "compare this machine's clock (date -u) with another one; if it is right, wait until %s", begins);
    }
    return true;
}

bool server_expired(struct evidence *v)
{
    char ago[DURATION_TEXT];
    char ended[CLOCK_TEXT];
    const struct trust_identity *server = v->result->server;
    if (server == NULL || v->now <= server->not_after) {
        return false;
    }
    diagnosis_duration(v->now - server->not_after, ago);
    clock_rfc3339(server->not_after, ended);
    if (diagnosis_own(v) != NULL && v->now > diagnosis_own(v)->not_after) {
        WHAT(
            v,
            "by this machine's clock it is %s, and both the server's certificate, %s, and ours, %s, have ended: either "
            "both do need renewing, or the clock is at least %s ahead",
            v->clock, diagnosis_subject(server), diagnosis_subject(diagnosis_own(v)), ago);
        MEND(v, "compare this machine's clock (date -u) with another one; if it is right: mtls ca renew");
    } else {
        WHAT(v, "the server's certificate, %s, ended at %s, %s ago by this machine's clock", diagnosis_subject(server),
             ended, ago);
        MEND(v, "on the server's side: mtls ca renew %s", v->call->target->host);
    }
    return true;
}

// A host name that can stand in a command: what a certificate says is not to be trusted with a shell.
static bool is_plain_host(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len < 256 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

bool server_has_other_names(struct evidence *v)
{
    const struct trust_identity *server = v->result->server;
    const struct client_target *target = v->call->target;
    const char *dns = NULL;
    struct buf names = {0};
    for (size_t i = 0; server != NULL && i < server->name_count; i++) {
        const struct trust_name *name = &server->names[i];
        buf_printf(&names, "%s%s:%s", i > 0 ? ", " : "", trust_name_word(name->type), name->text);
        if (dns == NULL && name->type == TRUST_NAME_DNS && is_plain_host(name->text)) {
            dns = name->text;
        }
    }
    WHAT(v, "the server was asked for as %s; the names in its certificate, %s, are: %s", target->host,
         diagnosis_subject(server), names.len > 0 ? (const char *)names.data : "none");
    const char *colon = strrchr(v->result->remote, ':');
    if (dns != NULL && colon != NULL) {
        MEND(v,
             "if that is the one you mean: mtls connect https://%s:%s%s --resolve %s:%s:%.*s; else issue it a "
             "certificate with that name: mtls ca issue %s --profile server --name %s",
             dns, target->port, target->path, dns, target->port, (int)(colon - v->result->remote), v->result->remote,
             target->host, target->host);
    } else {
        MEND(v, "issue it a certificate with that name: mtls ca issue %s --profile server --name %s", target->host,
             target->host);
    }
    buf_clear(&names);
    return true;
}

bool server_of_unknown_ca(struct evidence *v)
{
    const struct trust_identity *server = v->result->server;
    if (server == NULL) {
        return false;
    }
    if (diagnosis_is_self_issued(server)) {
        WHAT(v, "the server's certificate, %s, is self-signed, and no trust anchor here", diagnosis_subject(server));
        MEND(v, "if it is the one that you expect (SHA-256 %s), trust it: --cacert FILE", server->fingerprint);
        return true;
    }
    WHAT(v, "the server's certificate, %s, was issued by %s; the path from there ends before any of our trust anchors",
         diagnosis_subject(server), server->issuer);
    MEND(v, "if the CA is yours, trust its root: --cacert FILE; if it is an intermediate one, the server must send its "
            "certificate too (fullchain.pem)");
    return true;
}

bool list_is_stale(struct evidence *v)
{
    WHAT(v, "the revocation list that we have is out of date (%s), so nobody knows whether the server is revoked",
         v->result->verdict.detail);
    MEND(v, "issue a fresh list: mtls ca crl; or, if it comes from elsewhere, load that: --crl FILE");
    return true;
}
