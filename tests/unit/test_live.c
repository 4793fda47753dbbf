// SPDX-License-Identifier: Apache-2.0
// Both sides of a connection explain it, each by its own tap: message by message they tell the same.
#include "base/text.h"
#include "explain/live.h"
#include "tls_pair.h"

enum kind { ECDHE_12, RSA_12, FULL_13 };

static const int only_rsa[] = {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, 0};

static const struct {
    enum kind kind;
    const char *client, *server;
    int failed; // the step, as both tell it
    enum reason reason;
    bool resumed;
} cases[] = {
    {ECDHE_12, "clients/alice", "servers/localhost", 0, REASON_ok, false},
    {ECDHE_12, "clients/alice", "servers/localhost", 0, REASON_ok, true},
    {ECDHE_12, "clients/mallory", "servers/localhost", 6, REASON_cert_revoked, false},
    {ECDHE_12, NULL, "servers/localhost", 6, REASON_no_certificate, false},
    {ECDHE_12, "clients/alice", "flaws/server-expired", 3, REASON_cert_expired, false},
    {RSA_12, "clients/alice", "servers/rsa-encipherment", 0, REASON_ok, false}, // and is never resumed
    {RSA_12, "clients/mallory", "servers/rsa-encipherment", 6, REASON_cert_revoked, false},
    {FULL_13, "clients/alice", "servers/localhost", 0, REASON_ok, false},
    {FULL_13, "clients/alice", "servers/localhost", 0, REASON_ok, true},
    {FULL_13, "clients/mallory", "servers/localhost", 6, REASON_cert_revoked, false},
    {FULL_13, NULL, "servers/localhost", 6, REASON_no_certificate, false},
    {FULL_13, "clients/alice", "flaws/server-other-host", 3, REASON_name_mismatch, false},
};

// One connection and both explanations of it.
struct told {
    struct pair pair;
    struct explain_live *client, *server;
    struct explain_recording *recording; // of the server's; or NULL
};

// Contexts with tickets.
static struct tls_context *context_of(enum tls_role role, const char *below, size_t i)
{
    struct err e = ERR_INIT;
    const char *anchor_file = pki_path("trust.pem", "");
    const char *crl_file = pki_path("crl.pem", "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, 1}};
    const struct tls_ticket_settings lifetime = {.lifetime = 3600};
    struct tls_settings settings = {
        .role = role,
        .versions = both_versions[cases[i].kind == FULL_13],
        .snapshot = trust_snapshot_load(&files, &e),
        .tickets = role == TLS_SERVER ? tls_tickets_new(&lifetime, &e) : NULL,
        .sessions = role == TLS_CLIENT,
        .legacy_rsa = cases[i].kind == RSA_12,
    };
    if (below != NULL) {
        settings.credentials = tls_credentials_load(pki_path(below, "fullchain.pem"), pki_path(below, "key.pem"), &e);
    }
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    if (cases[i].kind == RSA_12) {
        mbedtls_ssl_conf_ciphersuites(&made->config, only_rsa);
    }
    trust_snapshot_free(settings.snapshot);
    tls_tickets_free(settings.tickets);
    return made;
}

// The session of a connection that nobody looks at.
static struct tls_session *session_of(const struct pair *contexts)
{
    struct pair pair = {.client_context = tls_context_ref(contexts->client_context),
                        .server_context = tls_context_ref(contexts->server_context)};
    enum tls_status client;
    enum tls_status server;
    char data[16];
    size_t n = 0;
    end_open(&pair.client, &pair.server, pair.client_context, "localhost");
    end_open(&pair.server, &pair.client, pair.server_context, NULL);
    pair_shake(&pair, &client, &server);
    for (int i = 0; i < 4; i++) { // tickets may come
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_WANT_READ);
    }
    struct tls_session *session = tls_session_of(pair.client.tls);
    assert_non_null(session);
    pair_close(&pair);
    return session;
}

static void open_pair(struct told *t, size_t i, bool recorded)
{
    struct pair *pair = &t->pair;
    struct err e = ERR_INIT;
    *pair = (struct pair){0};
    pair->client_context = context_of(TLS_CLIENT, cases[i].client, i);
    pair->server_context = context_of(TLS_SERVER, cases[i].server, i);
    end_open(&pair->client, &pair->server, pair->client_context, "localhost");
    end_open(&pair->server, &pair->client, pair->server_context, NULL);
    if (cases[i].resumed) {
        struct tls_session *session = session_of(pair);
        assert_int_equal(tls_connection_resume(pair->client.tls, session, &e), 0);
        tls_session_free(session);
    }
    t->client = explain_live_new(EXPLAIN_CLIENT);
    t->recording = recorded ? explain_recording_new(EXPLAIN_SERVER) : NULL;
    t->server = recorded ? NULL : explain_live_new(EXPLAIN_SERVER);
    tls_connection_tap(pair->client.tls, explain_live_tap(t->client));
    tls_connection_tap(pair->server.tls, recorded ? explain_recording_tap(t->recording) : explain_live_tap(t->server));
}

// Shakes hands, says hello, says goodbye, as far as that goes.
static void go(struct told *t)
{
    struct pair *pair = &t->pair;
    enum tls_status client;
    enum tls_status server;
    char data[16];
    size_t n = 0;
    pair_shake(pair, &client, &server);
    if (client == TLS_DONE && server == TLS_DONE) {
        assert_int_equal(tls_write(pair->client.tls, "hello", 5, &n), TLS_DONE);
        assert_int_equal(tls_read(pair->server.tls, data, sizeof data, &n), TLS_DONE);
        assert_int_equal(tls_write(pair->server.tls, "welcome", 7, &n), TLS_DONE); // in TLS 1.3: you are accepted
        for (int i = 0; i < 10 && tls_read(pair->client.tls, data, sizeof data, &n) == TLS_WANT_READ; i++) {
        } // tickets come before it
        assert_int_equal(n, 7);
        assert_int_equal(tls_close(pair->client.tls), TLS_DONE);
        assert_int_equal(tls_read(pair->server.tls, data, sizeof data, &n), TLS_CLOSED);
    } else {
        (void)tls_read(pair->client.tls, data, sizeof data, &n);
    }
    if (t->recording != NULL) {
        explain_recording_fit(t->recording);
        t->server = explain_recording_play(t->recording);
    }
    explain_live_judged(t->client, pair->client.tls);
    explain_live_judged(t->server, pair->server.tls);
}

static void told_clear(struct told *t)
{
    pair_close(&t->pair);
    explain_live_free(t->client);
    explain_live_free(t->server);
    explain_recording_free(t->recording);
}

// The next message of a side from *i on; NULL: there is none.
static const struct explain_message *next_of(const struct explain *x, enum explain_side from, size_t *i)
{
    while (*i < explain_count(x)) {
        const struct explain_message *m = explain_message(x, (*i)++);
        if (m->from == from) {
            return m;
        }
    }
    return NULL;
}

// What `from` sends: whoever refuses does not read the rest. How many messages both have seen.
static size_t assert_same(const struct explain *these, const struct explain *those, enum explain_side from, bool whole)
{
    size_t i = 0;
    size_t k = 0;
    size_t same = 0;
    for (;; same++) {
        const struct explain_message *this = next_of(these, from, &i);
        const struct explain_message *that = next_of(those, from, &k);
        if (this == NULL || that == NULL) {
            assert_true(!whole || this == that);
            return same;
        }
        assert_string_equal(explain_message_name(this), explain_message_name(that));
        assert_int_equal(this->kind, that->kind);
        assert_int_equal(this->type, that->type);
        assert_int_equal(this->len, that->len);
        assert_int_equal(this->records, that->records);
        assert_int_equal(this->protection, that->protection);
        assert_int_not_equal(this->kind, EXPLAIN_ENCRYPTED);
        assert_true(json_equal(this->fields, that->fields));
        assert_int_equal(this->bytes.len, that->bytes.len);
    }
}

static void assert_judged(const struct explain_story *story, enum explain_side by, enum reason reason)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    json_t *json = explain_json(story, false);
    const json_t *step = json_array_get(json_object_get(json, "steps"), by == EXPLAIN_CLIENT ? 2 : 5);
    const json_t *judgement = json_object_get(step, "judgement");
    char *wanted =
        mem_printf("The %s %s the %s%s%s%s", explain_side_name(by), reason == REASON_ok ? "accepts" : "refuses",
                   explain_side_name((enum explain_side) !by), reason == REASON_ok ? "." : ": ",
                   reason == REASON_ok ? "" : reason_token(reason), reason == REASON_ok ? "" : ": ");
    explain_text(story, false, to);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(json_string_value(json_object_get(judgement, "by")), explain_side_name(by));
    assert_string_equal(json_string_value(json_object_get(judgement, "reason")), reason_token(reason));
    for (char *p = text; *p != '\0'; p++) { // as it was before it was broken into lines
        size_t blank = *p == '\n' ? strspn(p, "\n ") : 0;
        if (blank > 0) {
            *p = ' ';
            memmove(p + 1, p + blank, strlen(p + blank) + 1);
        }
    }
    assert_non_null(strstr(text, wanted));
    free(wanted);
    free(text);
    json_decref(json);
}

static void check(const struct told *t, size_t i)
{
    const struct explain *client = explain_live_of(t->client);
    const struct explain *server = explain_live_of(t->server);
    struct explain_story stories[2];
    explain_story_init(&stories[EXPLAIN_CLIENT], client);
    explain_story_init(&stories[EXPLAIN_SERVER], server);
    bool accepted = cases[i].failed == 0;
    enum explain_side by = cases[i].failed == 3 ? EXPLAIN_CLIENT : EXPLAIN_SERVER;
    assert_in_range(assert_same(client, server, EXPLAIN_CLIENT, accepted), 2, 20);
    assert_in_range(assert_same(client, server, EXPLAIN_SERVER, accepted), 1, 20);
    assert_null(explain_ended(client));
    assert_null(explain_ended(server));
    assert_false(explain_facts(client)->hidden);
    assert_false(explain_facts(server)->hidden);
    assert_int_equal(explain_facts(client)->suite, explain_facts(server)->suite);
    assert_int_equal(explain_facts(client)->resumed, cases[i].resumed);
    assert_int_equal(explain_facts(server)->resumed, cases[i].resumed);
    assert_int_equal(explain_facts(client)->exchange == EXPLAIN_RSA, cases[i].kind == RSA_12);
    assert_int_equal(stories[EXPLAIN_CLIENT].failed, cases[i].failed);
    assert_int_equal(stories[EXPLAIN_SERVER].failed, cases[i].failed);
    assert_judged(&stories[by], by, cases[i].reason);
    if (cases[i].failed != 3) {
        assert_judged(&stories[EXPLAIN_CLIENT], EXPLAIN_CLIENT, REASON_ok);
    }
    if (accepted) {
        for (int step = 0; step < EXPLAIN_STEPS; step++) {
            assert_int_equal(stories[0].steps[step].count, stories[1].steps[step].count);
            assert_int_equal(stories[0].steps[step].state, stories[1].steps[step].state);
        }
        assert_string_equal((const char *)stories[0].verdict.data, "The handshake is complete.");
    }
    explain_story_clear(&stories[0]);
    explain_story_clear(&stories[1]);
}

static void test_both_sides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int recorded = 0; recorded < 2; recorded++) {
            struct told t;
            open_pair(&t, i, recorded == 1);
            go(&t);
            check(&t, i);
            told_clear(&t);
        }
    }
}

// A recording takes no more than it may, and says so.
static void test_recording_is_bounded(void **state)
{
    (void)state;
    static const uint8_t record[1005] = {RECORD_APPLICATION_DATA, 3, 3, 1000 >> 8, 1000 & 0xff};
    struct explain_recording *r = explain_recording_new(EXPLAIN_SERVER);
    const struct tls_tap *tap = explain_recording_tap(r);
    bool reset = false;
    assert_true(explain_recording_is_empty(r));
    for (int i = 0; i < 1000; i++) {
        tap->bytes(tap->arg, false, record, sizeof record);
    }
    assert_false(explain_recording_is_empty(r));
    struct explain_live *live = explain_recording_play(r);
    const struct explain *x = explain_live_of(live);
    assert_string_equal(explain_ended(x), "it is longer than the 32768 octets that are kept of one");
    assert_int_equal(explain_count(x), 1);
    assert_int_equal(explain_message(x, 0)->records, 32);
    assert_int_equal(explain_message(x, 0)->from, EXPLAIN_CLIENT);
    explain_live_free(live);
    explain_recording_free(r);

    r = explain_recording_new(EXPLAIN_CLIENT);
    tap = explain_recording_tap(r);
    tap->bytes(tap->arg, false, record, sizeof record);
    tap->ended(tap->arg, true);
    explain_recording_fit(r);
    live = explain_recording_play(r);
    assert_int_equal(explain_message(explain_live_of(live), 0)->records, 1);
    assert_true(explain_is_closed(explain_live_of(live), EXPLAIN_SERVER, &reset));
    assert_true(reset);
    assert_false(explain_is_closed(explain_live_of(live), EXPLAIN_CLIENT, &reset));
    explain_live_free(live);
    explain_recording_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_sides), cmocka_unit_test(test_recording_is_bounded)};
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
