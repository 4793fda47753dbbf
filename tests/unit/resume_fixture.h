// SPDX-License-Identifier: Apache-2.0
// Servers with tickets, and OpenSSL's client that comes back to them. Link with --wrap=clock_now.
#ifndef MTLS_TESTS_RESUME_FIXTURE_H
#define MTLS_TESTS_RESUME_FIXTURE_H

#include "base/clock.h"
#include "openssl_visit.h"
#include "run.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
enum { LIFETIME = 7 * CLOCK_DAY };

// The server's clock, but not mbedTLS's nor OpenSSL's. It stands still, so that lifetimes can be compared however slow
// the machine is.
static int64_t later;
static int64_t began;
int64_t clock_real(void) __asm__("__real_clock_now");
int64_t clock_wrapped(void) __asm__("__wrap_clock_now");
int64_t clock_wrapped(void)
{
    if (began == 0) {
        began = clock_real();
    }
    return began + later;
}

static inline int resume_setup(void **state)
{
    (void)state;
    if (!temporary_make(pki_dir)) {
        return -1;
    }
    char *command = mem_printf(
        "bash -c 'set -e; . %s/tests/e2e/openssl_pki.bash; d=%s; pki_begin $d\n"
        "pki_ca root /CN=Root -; pki_ca issuing /CN=Issuing root; pki_ca stranger /CN=Stranger -\n"
        "openssl genrsa -out $d/rsa.key 2048 2> /dev/null\n"
        "pki_leaf servers/localhost /CN=localhost issuing \"$SERVER_EXT\n$LOCALHOST\"\n"
        "pki_leaf servers/rsa /CN=localhost issuing "
        "\"${SERVER_EXT/digitalSignature/digitalSignature,keyEncipherment}\n$LOCALHOST\" now 365 $d/rsa.key\n"
        "for who in alice bob mallory; do pki_leaf clients/$who /CN=$who issuing \"$CLIENT_EXT\"; done\n"
        "pki_leaf clients/brief /CN=brief issuing \"$CLIENT_EXT\" now 1\n"
        "names=$(for i in {100..399}; do printf %%s \",DNS:a-long-name-of-which-there-are-many-$i.example\"; done)\n"
        "pki_leaf clients/large /CN=large issuing \"$CLIENT_EXT\nsubjectAltName=${names#,}\"\n"
        "pki_revoke clients/mallory issuing\n"
        "for ca in root issuing; do pki_crl $ca; done > $d/crl.pem\n"
        "pki_revoke clients/alice issuing\n"
        "for ca in root issuing; do pki_crl $ca; done > $d/crl-alice.pem'",
        MTLS_SOURCE_DIR, pki_dir);
    int rc = system(command);
    free(command);
    return rc;
}

// --- servers ---

enum change { NOTHING, ALICE_REVOKED, ONLY_BOB, OTHER_ANCHOR };

static inline struct trust_snapshot *snapshot(enum change change)
{
    struct err e = ERR_INIT;
    const struct trust_match is_bob = {.field = TRUST_MATCH_SUBJECT, .attribute = "CN", .pattern = "bob"};
    const struct trust_rule rule = {.allow = true, .matches = &is_bob, .match_count = 1};
    const char *anchor = pki_path(change == OTHER_ANCHOR ? "authorities/stranger" : "authorities/root", "cert.pem");
    const char *crl = pki_path(change == ALICE_REVOKED ? "crl-alice.pem" : "crl.pem", "");
    struct trust_files files = {.anchors = {&anchor, 1}, .crls = {&crl, 1}};
    if (change == ONLY_BOB) {
        files.rules = trust_rules_new(&rule, 1, &e);
        assert_string_equal(e.text, "");
    }
    struct trust_snapshot *made = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    return made;
}

static inline struct tls_context *server_of(const char *who, enum tls_versions speaks, enum change change,
                                            struct tls_tickets *tickets)
{
    struct err e = ERR_INIT;
    struct tls_settings settings = {
        .role = TLS_SERVER,
        .versions = speaks,
        .credentials = tls_credentials_load(pki_path(who, "fullchain.pem"), pki_path(who, "key.pem"), &e),
        .snapshot = snapshot(change),
        .tickets = tickets,
        .legacy_rsa = speaks == TLS_1_2_ONLY,
    };
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

static inline struct tls_context *server(enum change change, struct tls_tickets *tickets)
{
    return server_of("servers/localhost", TLS_1_2_AND_1_3, change, tickets);
}

static inline struct tls_tickets *tickets_of(const char *file, int64_t lifetime)
{
    struct err e = ERR_INIT;
    const struct tls_ticket_settings settings = {.key_file = file, .lifetime = lifetime};
    struct tls_tickets *made = tls_tickets_new(&settings, &e);
    assert_string_equal(e.text, "");
    return made;
}

static inline void rotate(const char *file)
{
    struct err e = ERR_INIT;
    int64_t from = clock_now();
    assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
}

// --- visits ---

// A full handshake that must work, and the session it leaves.
static inline SSL_SESSION *first_session(const struct visit *visit, struct tls_context *at)
{
    struct visited v;
    struct visit first = *visit;
    first.session = NULL;
    visited_begin(&v, &first, at);
    assert_int_equal(visited_handshake(&v), TLS_DONE);
    visited_read(&v);
    assert_true(v.served);
    assert_false(tls_resumed(v.tls));
    assert_false(tls_peer(v.tls)->resumed);
    SSL_SESSION *session = v.session;
    assert_non_null(session);
    assert_true(SSL_SESSION_up_ref(session));
    visited_clear(&v);
    return session;
}

enum answer { RESUMED, FULL, REFUSED };

// One visit, and all that must be true of its answer. `subject`: who is served; `reason`: why it is refused.
static inline void expect(const struct visit *visit, struct tls_context *at, enum answer answer, const char *subject,
                          enum reason reason)
{
    struct visited v;
    visited_begin(&v, visit, at);
    enum tls_status status = visited_handshake(&v);
    visited_read(&v);
    assert_string_equal(reason_token(tls_verdict(v.tls)->reason), reason_token(reason));
    if (answer == REFUSED) {
        assert_int_equal(status, TLS_FAILED);
        assert_null(tls_peer(v.tls));
        assert_false(v.served);
        assert_false(tls_resumed(v.tls));
        assert_int_equal(v.sessions, 0);
        assert_int_equal(tls_ended_by(v.tls), TLS_END_US);
        assert_int_equal(v.alert, tls_alert_sent(v.tls));
    } else {
        assert_int_equal(status, TLS_DONE);
        assert_true(v.served);
        assert_string_equal(tls_peer(v.tls)->subject, subject);
        assert_int_equal(tls_resumed(v.tls), answer == RESUMED);
        assert_int_equal(tls_peer(v.tls)->resumed, answer == RESUMED);
        assert_int_equal(SSL_session_reused(v.ssl), answer == RESUMED);
        assert_string_equal(tls_version(v.tls), visit->version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
        assert_int_equal(tls_accepted_until(v.tls), tls_peer(v.tls)->not_after); // its CAs live longer
        // TLS 1.3: two tickets, then one; TLS 1.2: one, then none.
        assert_int_equal(v.sessions, (answer == FULL ? 1 : 0) + (visit->version == TLS1_3_VERSION ? 1 : 0));
    }
    visited_clear(&v);
}

static const enum reason none = REASON_ok;

// Somebody with alice's session comes: as alice, as bob, and as nobody.
static inline void expect_resumed(struct visit visit, struct tls_context *at)
{
    static const char *const who[] = {"clients/alice", "clients/bob", NULL};
    for (size_t i = 0; i < 3; i++) {
        visit.who = who[i];
        expect(&visit, at, RESUMED, "CN=alice", none);
    }
}

// The session counts for nothing: the certificate does.
static inline void expect_full(struct visit visit, struct tls_context *at, enum reason alice, enum reason bob)
{
    visit.who = "clients/alice";
    expect(&visit, at, alice == none ? FULL : REFUSED, "CN=alice", alice);
    visit.who = "clients/bob";
    expect(&visit, at, bob == none ? FULL : REFUSED, "CN=bob", bob);
    visit.who = NULL;
    expect(&visit, at, REFUSED, NULL, REASON_no_certificate);
}

struct case_of {
    struct visit visit; // alice's, with her session
    struct tls_tickets *tickets;
    struct tls_context *at;
};

static inline void begin(struct case_of *k, int version, const char *file)
{
    k->tickets = tickets_of(file, LIFETIME);
    k->at = server(NOTHING, k->tickets);
    k->visit = (struct visit){.version = version, .who = "clients/alice", .name = "localhost"};
    k->visit.session = first_session(&k->visit, k->at);
}

static inline void end(struct case_of *k)
{
    SSL_SESSION_free(k->visit.session);
    tls_context_free(k->at);
    tls_tickets_free(k->tickets);
}

#endif
