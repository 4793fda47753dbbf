// SPDX-License-Identifier: Apache-2.0
// Sessions that OpenSSL's client resumes: who is served then, and as whom. And who is judged again.
#include "base/clock.h"
#include "openssl_client.h"
#include "run.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
enum { LIFETIME = 7 * CLOCK_DAY };

// The server's clock, but not mbedTLS's nor OpenSSL's.
static int64_t later;
int64_t __real_clock_now(void);
int64_t __wrap_clock_now(void);
int64_t __wrap_clock_now(void)
{
    return __real_clock_now() + later;
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(pki_dir) == NULL) {
        return -1;
    }
    char *command = mem_printf(
        "bash -c 'set -e; . %s/tests/e2e/openssl_pki.bash; d=%s; pki_begin $d\n"
        "pki_ca root /CN=Root -; pki_ca issuing /CN=Issuing root; pki_ca stranger /CN=Stranger -\n"
        "openssl genrsa -out $d/rsa.key 2048 2> /dev/null\n"
        "pki_leaf servers/localhost /CN=localhost issuing \"$SERVER_EXT\n$LOCALHOST\"\n"
        "pki_leaf servers/rsa /CN=localhost issuing \"$SERVER_EXT\n$LOCALHOST\" now 365 $d/rsa.key\n"
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

static struct trust_snapshot *snapshot(enum change change)
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

static struct tls_context *server_of(const char *who, enum tls_versions speaks, enum change change,
                                     struct tls_tickets *tickets)
{
    struct err e = ERR_INIT;
    struct tls_settings settings = {
        .role = TLS_SERVER,
        .versions = speaks,
        .credentials = tls_credentials_load(pki_path(who, "fullchain.pem"), pki_path(who, "key.pem"), &e),
        .snapshot = snapshot(change),
        .tickets = tickets,
    };
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

static struct tls_context *server(enum change change, struct tls_tickets *tickets)
{
    return server_of("servers/localhost", TLS_1_2_AND_1_3, change, tickets);
}

static struct tls_tickets *tickets_of(const char *file, int64_t lifetime)
{
    struct err e = ERR_INIT;
    const struct tls_ticket_settings settings = {.key_file = file, .lifetime = lifetime};
    struct tls_tickets *made = tls_tickets_new(&settings, &e);
    assert_string_equal(e.text, "");
    return made;
}

static void rotate(const char *file)
{
    struct err e = ERR_INIT;
    int64_t from = clock_now();
    assert_works(tls_ticket_keys_rotate(file, &from, from, &e), &e);
}

// --- visits ---

// A full handshake that must work, and the session it leaves.
static SSL_SESSION *first_session(const struct visit *visit, struct tls_context *at)
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
static void expect(const struct visit *visit, struct tls_context *at, enum answer answer, const char *subject,
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
static void expect_resumed(struct visit visit, struct tls_context *at)
{
    static const char *const who[] = {"clients/alice", "clients/bob", NULL};
    for (size_t i = 0; i < 3; i++) {
        visit.who = who[i];
        expect(&visit, at, RESUMED, "CN=alice", none);
    }
}

// The session counts for nothing: the certificate does.
static void expect_full(struct visit visit, struct tls_context *at, enum reason alice, enum reason bob)
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

static void begin(struct case_of *k, int version, const char *file)
{
    k->tickets = tickets_of(file, LIFETIME);
    k->at = server(NOTHING, k->tickets);
    k->visit = (struct visit){.version = version, .who = "clients/alice", .name = "localhost"};
    k->visit.session = first_session(&k->visit, k->at);
}

static void end(struct case_of *k)
{
    SSL_SESSION_free(k->visit.session);
    tls_context_free(k->at);
    tls_tickets_free(k->tickets);
}

// --- the matrix ---

static void test_snapshots(void **state)
{
    (void)state;
    static const struct {
        enum change change;
        bool resumed;
        enum reason alice, bob; // in the full handshake
    } rows[] = {
        {NOTHING, true, REASON_ok, REASON_ok},
        {ALICE_REVOKED, false, REASON_cert_revoked, REASON_ok},
        {ONLY_BOB, false, REASON_not_allowed, REASON_ok},
        {OTHER_ANCHOR, false, REASON_chain_incomplete, REASON_chain_incomplete},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct case_of k;
        begin(&k, versions[i % 2], NULL);
        struct tls_context *changed = server(rows[i / 2].change, k.tickets);
        if (rows[i / 2].resumed) {
            expect_resumed(k.visit, changed);
        } else {
            expect_full(k.visit, changed, rows[i / 2].alice, rows[i / 2].bob);
        }
        tls_context_free(changed);
        end(&k);
    }
}

// The certificate lives for a day, the ticket could for seven.
static void test_expired(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        struct visit brief = k.visit;
        brief.who = "clients/brief";
        brief.session = first_session(&brief, k.at);
        assert_true(SSL_SESSION_get_ticket_lifetime_hint(brief.session) <= CLOCK_DAY);
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(k.visit.session), LIFETIME);
        expect(&brief, k.at, RESUMED, "CN=brief", none);
        later = 2 * CLOCK_DAY;
        expect(&brief, k.at, REFUSED, NULL, REASON_cert_expired);
        expect_resumed(k.visit, k.at);
        later = LIFETIME;
        expect_full(k.visit, k.at, none, none);
        SSL_SESSION_free(brief.session);
        SSL_SESSION_free(k.visit.session);
        later = 60;
        k.visit.session = first_session(&k.visit, k.at);
        expect_resumed(k.visit, k.at);
        later = 0; // it is of the future now
        expect_full(k.visit, k.at, none, none);
        end(&k);
    }
}

// However often it is renewed, a session does not outlive the lifetime after the full handshake.
static void test_renewed(void **state)
{
    (void)state;
    struct case_of k;
    struct visited v;
    begin(&k, TLS1_3_VERSION, NULL);
    later = LIFETIME - 100;
    visited_begin(&v, &k.visit, k.at);
    assert_int_equal(visited_handshake(&v), TLS_DONE);
    visited_read(&v);
    assert_true(tls_resumed(v.tls));
    assert_in_range(SSL_SESSION_get_ticket_lifetime_hint(v.session), 1, 100);
    struct visit again = k.visit;
    again.session = v.session;
    expect_resumed(again, k.at);
    later = LIFETIME;
    expect_full(again, k.at, none, none);
    later = 0;
    visited_clear(&v);
    end(&k);
}

static void test_replicas(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        char *file = mem_printf("%s/replicas-%zu.keys", pki_dir, i);
        char *other_file = mem_printf("%s/other-%zu.keys", pki_dir, i);
        rotate(file);
        rotate(other_file);
        begin(&k, versions[i], file);
        struct tls_tickets *replica = tickets_of(file, LIFETIME);
        struct tls_tickets *stranger = tickets_of(other_file, LIFETIME);
        struct tls_tickets *alone = tickets_of(NULL, LIFETIME);
        struct tls_context *at_replica = server(NOTHING, replica);
        struct tls_context *at_revoked = server(ALICE_REVOKED, replica);
        struct tls_context *at_stranger = server(NOTHING, stranger);
        struct tls_context *at_alone = server(NOTHING, alone);
        expect_resumed(k.visit, at_replica);
        expect_full(k.visit, at_revoked, REASON_cert_revoked, none);
        expect_full(k.visit, at_stranger, none, none);
        expect_full(k.visit, at_alone, none, none);
        // A new key: what is sealed with the old one still opens, and what is new opens where the file was read again.
        rotate(file);
        assert_works(tls_tickets_reload(k.tickets, &e), &e);
        expect_resumed(k.visit, k.at);
        struct visit fresh = k.visit;
        fresh.session = first_session(&k.visit, k.at);
        expect_full(fresh, at_replica, none, none);
        assert_works(tls_tickets_reload(replica, &e), &e);
        expect_resumed(fresh, at_replica);
        expect_resumed(k.visit, at_replica);
        SSL_SESSION_free(fresh.session);
        tls_context_free(at_replica);
        tls_context_free(at_revoked);
        tls_context_free(at_stranger);
        tls_context_free(at_alone);
        tls_tickets_free(replica);
        tls_tickets_free(stranger);
        tls_tickets_free(alone);
        end(&k);
        free(file);
        free(other_file);
    }
}

// A bit changed in each part of the ticket.
static void test_tampered(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        const unsigned char *ticket;
        size_t len;
        begin(&k, versions[i], NULL);
        SSL_SESSION_get0_ticket(k.visit.session, &ticket, &len);
        const size_t at[] = {0, 1, TICKET_KEY_NAME, 1 + TICKET_KEY_NAME, TICKET_HEADER, len / 2, len - 1};
        for (size_t p = 0; p < sizeof at / sizeof at[0]; p++) {
            unsigned char *octet = (unsigned char *)(uintptr_t)ticket + at[p];
            *octet ^= 1;
            expect_full(k.visit, k.at, none, none);
            *octet ^= 1;
        }
        expect_resumed(k.visit, k.at);
        end(&k);
    }
}

static void test_server_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        k.visit.name = "other.example";
        expect_full(k.visit, k.at, none, none);
        k.visit.name = "localhost";
        expect_resumed(k.visit, k.at);
        end(&k);
    }
}

// What the seal protects is looked at too: each of these is well sealed, and not for this visit.
static void test_resealed(void **state)
{
    (void)state;
    enum { UNCHANGED, VERSION, FUTURE, LEAF, SESSION, COUNT };
    for (size_t i = 0; i < 2 * COUNT; i++) {
        struct err e = ERR_INIT;
        struct case_of k;
        struct rng rng;
        struct ticket_ring ring = {.count = 0};
        struct buf plain = {0};
        struct buf again = {0};
        struct buf sealed = {0};
        struct ticket ticket;
        const unsigned char *octets;
        size_t len;
        char *file = mem_printf("%s/reseal.keys", pki_dir);
        rotate(file);
        begin(&k, versions[i % 2], file);
        assert_works(ticket_ring_read(&ring, file, &e), &e);
        assert_works(rng_init(&rng, &e), &e);
        SSL_SESSION_get0_ticket(k.visit.session, &octets, &len);
        const struct ticket_key *key = ticket_ring_sealing(&ring, clock_now());
        assert_true(ticket_open(key, span_of(octets, len), &plain));
        assert_true(ticket_decode(buf_span(&plain), &ticket));
        uint8_t *leaf = plain.data + (ticket.chain[0].data - plain.data);
        uint8_t *session = plain.data + (ticket.session.data - plain.data);
        switch (i / 2) {
        case VERSION: ticket.version ^= 0x0303 ^ 0x0304; break;
        case FUTURE: ticket.authenticated += 3600; break;
        case LEAF: leaf[ticket.chain[0].len - 1] ^= 1; break; // the fact no longer fits
        case SESSION: session[0] ^= 0xff; break;
        default: break;
        }
        assert_int_equal(ticket_encode(&ticket, &again), 0);
        assert_works(ticket_seal(key, &rng, buf_span(&again), &sealed, &e), &e);
        assert_int_equal(sealed.len, len);
        memcpy((unsigned char *)(uintptr_t)octets, sealed.data, len);
        if (i / 2 == UNCHANGED) {
            expect_resumed(k.visit, k.at);
        } else {
            expect_full(k.visit, k.at, none, none);
        }
        buf_clear(&plain);
        buf_clear(&again);
        buf_clear(&sealed);
        ticket_ring_clear(&ring);
        rng_clear(&rng);
        free(file);
        end(&k);
    }
}

// --- who gets no ticket ---

static void expect_no_session(const struct visit *visit, struct tls_context *at, bool served)
{
    struct visited v;
    visited_begin(&v, visit, at);
    assert_int_equal(visited_handshake(&v), served ? TLS_DONE : TLS_FAILED);
    visited_read(&v);
    assert_int_equal(v.served, served);
    if (v.session != NULL && visit->version == TLS1_3_VERSION) {
        assert_true(served); // only a ticket to be thrown away at once
        assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(v.session), 0);
    } else if (v.session != NULL) {
        assert_false(SSL_SESSION_has_ticket(v.session));
    }
    visited_clear(&v);
}

static void test_no_ticket(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_tickets *tickets = tickets_of(NULL, LIFETIME);
        struct tls_tickets *lifeless = tickets_of(NULL, 0);
        struct tls_context *at = server(NOTHING, tickets);
        struct tls_context *without = server(NOTHING, NULL);
        struct tls_context *never = server(NOTHING, lifeless);
        struct visit visit = {.version = versions[i], .who = "clients/mallory", .name = "localhost"};
        expect(&visit, at, REFUSED, NULL, REASON_cert_revoked);
        visit.who = "clients/large"; // a chain that no ClientHello can bring back
        expect_no_session(&visit, at, true);
        visit.who = "clients/alice";
        expect_no_session(&visit, without, true);
        expect_no_session(&visit, never, true);
        // Its session counts for nothing where there are no tickets.
        visit.session = first_session(&visit, at);
        expect_no_session(&visit, without, true);
        expect_no_session(&visit, never, true);
        visit.who = NULL;
        expect(&visit, without, REFUSED, NULL, REASON_no_certificate);
        SSL_SESSION_free(visit.session);
        tls_context_free(at);
        tls_context_free(without);
        tls_context_free(never);
        tls_tickets_free(tickets);
        tls_tickets_free(lifeless);
    }
}

// A suite of TLS 1.2 belongs to the kind of the server's key: with another kind nothing can be resumed.
static void test_other_server_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct case_of k;
        begin(&k, versions[i], NULL);
        struct tls_context *changed = server_of("servers/rsa", TLS_1_2_AND_1_3, NOTHING, k.tickets);
        if (versions[i] == TLS1_3_VERSION) {
            expect_resumed(k.visit, changed);
        } else {
            expect_full(k.visit, changed, none, none);
        }
        tls_context_free(changed);
        end(&k);
    }
}

// RFC 7627: TLS 1.2 without extended master secret can be spoken, but not resumed.
static void test_extended_master_secret(void **state)
{
    (void)state;
    struct case_of k;
    begin(&k, TLS1_2_VERSION, NULL);
    struct visit without = k.visit;
    without.options = SSL_OP_NO_EXTENDED_MASTER_SECRET;
    without.session = NULL;
    expect_no_session(&without, k.at, true);
    end(&k);
}

// The key share of the first ClientHello is of no use here, so there are two of them, with a ticket in each.
static void test_hello_retry(void **state)
{
    (void)state;
    struct case_of k;
    begin(&k, TLS1_3_VERSION, NULL);
    k.visit.groups = "X448:P-256";
    expect_resumed(k.visit, k.at);
    struct tls_context *changed = server(ALICE_REVOKED, k.tickets);
    expect_full(k.visit, changed, REASON_cert_revoked, none);
    tls_context_free(changed);
    end(&k);
}

// What mbedTLS says it did is one thing; what its ServerHello says counts.
static void test_conclusions(void **state)
{
    (void)state;
    static const struct {
        struct hello hello;
        bool accepted; // is there a ticket that was?
        const char *name;
        bool decided;
        const char *against; // NULL: resumed, or full
    } rows[] = {
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "localhost", true, NULL},
        {{.known = true, .extended_master_secret = true}, true, "localhost", false, NULL},
        {{.known = true}, false, "localhost", false, NULL},
        {{.resumed = true, .extended_master_secret = true}, true, "localhost", true, "not understood"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, false, "localhost", true, "not accepted"},
        {{.known = true, .resumed = true}, true, "localhost", true, "extended_master_secret"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "other", true, "server name"},
        {{.known = true, .resumed = true, .extended_master_secret = true}, true, "", true, "server name"},
    };
    struct tls_tickets *tickets = tickets_of(NULL, LIFETIME);
    struct tls_context *at = server_of("servers/localhost", TLS_1_2_ONLY, NOTHING, tickets);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        struct tls_connection *c = tls_connection_new(at, (struct tls_io){.arg = NULL}, NULL, &e);
        c->hello->hello = rows[i].hello;
        buf_text(&c->server_name, rows[i].name);
        if (rows[i].accepted) {
            c->resumption = mem_alloc(sizeof *c->resumption);
            c->resumption->ticket.name = span_of("localhost", 9);
            c->resumption->ticket.chain[0] = span_of("leaf", 4);
            c->resumption->ticket.count = 1;
        }
        assert_int_equal(resume_conclude(c), rows[i].decided);
        bool resumed = rows[i].decided && rows[i].against == NULL;
        assert_int_equal(c->resumed, resumed);
        assert_int_equal(c->verdict.reason == REASON_ok, resumed);
        assert_int_equal(c->presented_count, resumed);
        if (rows[i].against != NULL) {
            assert_non_null(strstr(c->verdict.detail, rows[i].against));
        }
        assert_null(c->hello);
        assert_null(c->resumption);
        tls_connection_free(c);
    }
    tls_context_free(at);
    tls_tickets_free(tickets);
}

// --- open connections ---

static void test_judge_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) { // after a full and after a resumed handshake
        struct case_of k;
        struct visited v;
        char data[16];
        size_t n;
        begin(&k, versions[i % 2], NULL);
        if (i / 2 == 0) {
            SSL_SESSION_free(k.visit.session);
            k.visit.session = NULL;
        }
        struct tls_context *same = server(NOTHING, k.tickets);
        struct tls_context *changed = server(i / 2 == 0 ? ALICE_REVOKED : ONLY_BOB, k.tickets);
        enum reason reason = i / 2 == 0 ? REASON_cert_revoked : REASON_not_allowed;
        visited_begin(&v, &k.visit, k.at);
        assert_int_equal(visited_handshake(&v), TLS_DONE);
        visited_read(&v);
        assert_true(v.served);
        assert_int_equal(tls_resumed(v.tls), i / 2);
        assert_ptr_equal(tls_snapshot(v.tls), k.at->snapshot);
        assert_true(tls_judge_again(v.tls, same, clock_now()));
        assert_ptr_equal(tls_snapshot(v.tls), same->snapshot);
        assert_int_equal(tls_refuse(v.tls), TLS_FAILED); // nothing to refuse
        assert_string_equal(tls_peer(v.tls)->subject, "CN=alice");
        visited_read(&v);
        assert_true(v.served);
        assert_false(tls_judge_again(v.tls, changed, clock_now()));
        assert_ptr_equal(tls_snapshot(v.tls), changed->snapshot);
        assert_null(tls_peer(v.tls));
        assert_int_equal(tls_read(v.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_write(v.tls, "x", 1, &n), TLS_FAILED);
        assert_string_equal(reason_token(tls_verdict(v.tls)->reason), reason_token(reason));
        assert_int_equal(tls_ended_by(v.tls), TLS_END_US);
        while (tls_refuse(v.tls) == TLS_WANT_WRITE) {
        }
        assert_int_not_equal(SSL_read_ex(v.ssl, data, sizeof data, &n), 1);
        assert_int_equal(v.alert, reason_info(reason)->alert);
        assert_false(tls_judge_again(v.tls, same, clock_now())); // and never comes back
        assert_null(tls_peer(v.tls));
        visited_clear(&v);
        tls_context_free(same);
        tls_context_free(changed);
        end(&k);
    }
}

// Expired while it was connected.
static void test_judge_again_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct visited v;
        struct tls_context *at = server(NOTHING, NULL);
        const struct visit visit = {.version = versions[i], .who = "clients/brief"};
        visited_begin(&v, &visit, at);
        assert_int_equal(visited_handshake(&v), TLS_DONE);
        assert_true(tls_judge_again(v.tls, at, tls_accepted_until(v.tls)));
        assert_false(tls_judge_again(v.tls, at, tls_accepted_until(v.tls) + 1));
        assert_int_equal(tls_verdict(v.tls)->reason, REASON_cert_expired);
        visited_clear(&v);
        tls_context_free(at);
    }
}

// A snapshot that comes in the middle of a handshake counts, wherever that was.
static void test_judge_again_early(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * 2 * 8; i++) {
        struct case_of k;
        struct visited v;
        enum tls_status status = TLS_WANT_READ;
        bool in_handshake = false;
        begin(&k, versions[i % 2], NULL);
        if (i / 2 % 2 == 0) {
            SSL_SESSION_free(k.visit.session);
            k.visit.session = NULL;
        }
        struct tls_context *changed = server(ALICE_REVOKED, k.tickets);
        visited_begin(&v, &k.visit, k.at);
        for (size_t step = 0; step < 50; step++) {
            SSL_do_handshake(v.ssl);
            if (step == i / 4 && status == TLS_DONE) {
                assert_false(tls_judge_again(v.tls, changed, clock_now()));
            } else if (step == i / 4) {
                in_handshake = tls_judge_again(v.tls, changed, clock_now());
                assert_true(in_handshake || v.tls->state == CONNECTION_REFUSING);
            }
            status = tls_handshake(v.tls);
        }
        assert_int_equal(status, TLS_FAILED);
        assert_null(tls_peer(v.tls));
        assert_string_equal(reason_token(tls_verdict(v.tls)->reason), "cert_revoked");
        assert_false(in_handshake && v.session != NULL && SSL_SESSION_has_ticket(v.session));
        visited_clear(&v);
        tls_context_free(changed);
        end(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshots),         cmocka_unit_test(test_expired),
        cmocka_unit_test(test_renewed),           cmocka_unit_test(test_replicas),
        cmocka_unit_test(test_tampered),          cmocka_unit_test(test_server_name),
        cmocka_unit_test(test_resealed),          cmocka_unit_test(test_no_ticket),
        cmocka_unit_test(test_other_server_key),  cmocka_unit_test(test_extended_master_secret),
        cmocka_unit_test(test_hello_retry),       cmocka_unit_test(test_conclusions),
        cmocka_unit_test(test_judge_again),       cmocka_unit_test(test_judge_again_later),
        cmocka_unit_test(test_judge_again_early),
    };
    return cmocka_run_group_tests(tests, setup, pki_teardown);
}
