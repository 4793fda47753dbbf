// SPDX-License-Identifier: Apache-2.0
#include "probe/revocation.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "ca/ca.h"
#include "probe/command.h"
#include "probe/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MINTED_LIFE = 3600 };

bool session_make(struct prober *p, const struct identity *identity, unsigned version, struct raw_session *session,
                  char *why, size_t size, struct outcome *outcome)
{
    struct raw_call call = {.identity = identity, .name = p->target.name, .version = version};
    struct raw_answer first;
    struct raw_answer again;
    *why = '\0';
    prober_wait(p);
    raw_ask(&p->target, &call, &first);
    *outcome = first.outcome;
    if (control_judge(&first.outcome) != prober_control(p, version)) {
        raw_session_clear(&first.session);
        return false;
    }
    if (first.session.session == NULL) {
        snprintf(why, size, "the target gives no sessions");
        return true;
    }
    call.offered = &first.session;
    prober_wait(p);
    raw_ask(&p->target, &call, &again);
    bool works = again.resumed && control_judge(&again.outcome) == prober_control(p, version);
    if (!works) {
        snprintf(why, size, "the target does not resume sessions (%.120s)", again.outcome.detail);
        raw_session_clear(&first.session);
        raw_session_clear(&again.session);
        return true;
    }
    // Some are for a single use.
    bool newer = again.session.session != NULL;
    *session = newer ? again.session : first.session;
    raw_session_clear(newer ? &first.session : &again.session);
    return true;
}

// --- the live connection ---

struct live {
    struct tls_context *context;
    struct dial dial;
    bool open;
};

// Connects, asks, and asks again: who is not served twice now cannot be refused the next time.
static void live_open(struct prober *p, struct revocation *r, unsigned version, struct live *live)
{
    struct err e = ERR_INIT;
    enum control_state good = prober_control(p, version);
    struct outcome *o = &r->live_outcome;
    live->context = identity_context(p->identities, &r->identity, version, &e);
    if (live->context == NULL) {
        snprintf(r->doubt, sizeof r->doubt, "%.300s", e.text);
        return;
    }
    prober_wait(p);
    live->open = true;
    if (dial_open(&live->dial, &p->target, live->context, p->target.name, o)) {
        dial_ask(&live->dial, true);
    }
    if (control_judge(o) != good) {
        snprintf(r->doubt, sizeof r->doubt, "before it was revoked it was not served either: %.200s", o->detail);
    } else if (good == CONTROL_ANSWERS && dial_drain(&live->dial)) {
        dial_ask(&live->dial, true);
    }
    if (r->doubt[0] == '\0' && control_judge(o) != good) {
        snprintf(r->no_live, sizeof r->no_live, "the target answers once, and then closes the connection");
    }
}

static void live_ask(struct revocation *r, struct live *live)
{
    if (live->open && r->doubt[0] == '\0' && r->no_live[0] == '\0' && dial_drain(&live->dial)) {
        dial_ask(&live->dial, false);
    }
}

static void live_close(struct live *live)
{
    if (live->open) {
        dial_close(&live->dial);
    }
    tls_context_free(live->context);
}

// --- the certificate: issued by the PKI, or minted ---

// A name that nothing else has.
static char *new_name(unsigned version)
{
    return mem_printf("mtls-probe-%lld-%d-%u", (long long)clock_now(), (int)getpid(), version);
}

static int open_pki(const struct prober *p, struct pki **pki, struct err *e)
{
    const struct pki_options options = {.dir = p->options->source.pki, .now = clock_now()};
    return pki_open(&options, false, pki, e);
}

static int issue(const struct prober *p, const char *name, struct identity *identity, struct err *e)
{
    struct pki *pki = NULL;
    struct ca_result result = {0};
    const struct ca_issue_options options = {.name = name,
                                             .profile = "client",
                                             .days = CA_DAYS_DEFAULT,
                                             .subject = "CN=mtls probe",
                                             .not_after = "+1h",
                                             .path_length = -1};
    int rc = open_pki(p, &pki, e);
    if (rc == 0) {
        rc = ca_issue(pki, &options, &result, e);
    }
    if (rc == 0) {
        char *chain = mem_printf("%s/fullchain.pem", result.directory);
        char *key = mem_printf("%s/key.pem", result.directory);
        rc = identity_load(chain, key, identity, e);
        free(chain);
        free(key);
    }
    ca_result_clear(&result);
    pki_close(pki);
    return rc;
}

static int revoke_in_pki(const struct prober *p, const char *name, struct err *e)
{
    struct pki *pki = NULL;
    struct ca_revocation revocation = {0};
    const struct ca_revoke_options options = {.what = name, .role = "client", .reason = "keyCompromise"};
    int rc = open_pki(p, &pki, e);
    if (rc == 0) {
        rc = ca_revoke(pki, &options, &revocation, e);
    }
    ca_revocation_clear(&revocation);
    pki_close(pki);
    return rc;
}

// --revoke-cmd gets the certificate in a file.
static int revoke_by_command(const struct prober *p, const struct identity *identity, struct err *e)
{
    char *folder = file_make_temporary("mtls-probe", e);
    if (folder == NULL) {
        return -1;
    }
    struct buf pem = {0};
    struct err missed = ERR_INIT; // a file that stays behind says nothing of the target
    char *path = mem_printf("%s/cert.pem", folder);
    pem_write(&pem, "CERTIFICATE", buf_span(&identity->chain[0]));
    int rc = file_write(path, buf_span(&pem), FILE_PUBLIC, e);
    if (rc == 0 && command_run(p->options->revoke_cmd, "MTLS_PROBE_CERT", path, e) != 0) {
        rc = err_context(e, "--revoke-cmd");
    }
    file_remove_tree(folder, &missed);
    buf_clear(&pem);
    free(path);
    free(folder);
    return rc;
}

static int tell_target(const struct prober *p, struct err *e)
{
    const struct probe_options *o = p->options;
    if (o->reload_cmd != NULL) {
        return command_run(o->reload_cmd, "MTLS_PROBE_TARGET", p->run->target, e) == 0 ? 0
                                                                                       : err_context(e, "--reload-cmd");
    }
    return o->reload == NULL ? 0 : o->reload(o->reload_arg, e); // with --revoke-cmd alone, that does both
}

static bool is_possible(const struct prober *p, struct err *e)
{
    const struct probe_options *o = p->options;
    bool own = o->source.pki != NULL;
    if (!own && (o->revoke_cmd == NULL || !identities_can_mint(p->identities))) {
        err_set(e, "it takes --ca-key and --revoke-cmd, or --pki");
    } else if (o->revoke_cmd == NULL && o->reload_cmd == NULL && o->reload == NULL) {
        err_set(e, "the target would not learn of it: --reload-cmd");
    }
    return !err_is_set(e);
}

static int obtain(struct prober *p, const char *name, struct identity *identity, struct err *e)
{
    int64_t now = clock_now();
    return !is_possible(p, e)               ? -1
           : p->options->source.pki != NULL ? issue(p, name, identity, e)
                                            : identities_mint(p->identities, now - 60, now + MINTED_LIFE, identity, e);
}

static int revoke_and_tell(struct prober *p, const char *name, const struct identity *identity, struct err *e)
{
    int rc = p->options->revoke_cmd != NULL ? revoke_by_command(p, identity, e) : revoke_in_pki(p, name, e);
    return rc != 0 ? rc : tell_target(p, e);
}

static int bring_about(struct prober *p, struct revocation *r, unsigned version, struct err *e)
{
    char *name = new_name(version);
    struct live live = {.context = NULL};
    struct outcome o;
    int rc = obtain(p, name, &r->identity, e);
    if (rc == 0 && !session_make(p, &r->identity, version, &r->session, r->no_session, sizeof r->no_session, &o)) {
        snprintf(r->doubt, sizeof r->doubt, "before it was revoked it was not served either: %.200s", o.detail);
    } else if (rc == 0) {
        live_open(p, r, version, &live);
    }
    if (rc == 0) {
        rc = revoke_and_tell(p, name, &r->identity, e);
    }
    if (rc == 0) {
        live_ask(r, &live);
    }
    live_close(&live);
    if (rc == 0) {
        prober_dial(p, &r->identity, version, &r->after);
    }
    free(name);
    return rc;
}

struct revocation *revocation_of(struct prober *p, unsigned version)
{
    struct revocation *r = &p->revocations[version == VERSION_1_2 ? 0 : 1];
    struct err e = ERR_INIT;
    pthread_mutex_lock(&p->revocation_lock);
    if (!r->tried) {
        r->tried = true;
        if (bring_about(p, r, version, &e) != 0) {
            snprintf(r->why, sizeof r->why, "%.300s", e.text);
        }
    }
    pthread_mutex_unlock(&p->revocation_lock);
    return r;
}

void revocation_clear(struct revocation *r)
{
    raw_session_clear(&r->session);
    identity_clear(&r->identity);
}
