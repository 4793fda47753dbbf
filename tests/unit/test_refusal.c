// SPDX-License-Identifier: Apache-2.0
// What a client of TLS 1.3 can send wrongly after the server's Finished, and that it can read what the server says to
// that: under the application key, the only one that it still has.
#include "tls_pair.h"

enum { TYPE_CERTIFICATE = 11, TYPE_CERTIFICATE_VERIFY = 15, TYPE_FINISHED = 20, HANDSHAKE_HEADER = 4 };

static void damage_last(uint8_t *message, size_t len)
{
    message[len - 1] ^= 1;
}

// The first certificate of the list follows its context (1), the list's length (3) and its own (3).
static void certificate_of_noise(uint8_t *message, size_t len)
{
    assert_true(len > HANDSHAKE_HEADER + 7 + 200);
    memset(message + HANDSHAKE_HEADER + 7, 0x5a, 200);
}

static void list_too_long(uint8_t *message, size_t len)
{
    (void)len;
    message[HANDSHAKE_HEADER + 3]++;
}

static void other_message(uint8_t *message, size_t len)
{
    (void)len;
    message[0] = 24; // a KeyUpdate
}

static void nothing(uint8_t *message, size_t len)
{
    (void)message;
    (void)len;
}

// Changes one message of the client's flight, on its way, under the client's own key.
static void change(struct pair *pair, uint8_t type, void (*how)(uint8_t *message, size_t len), bool seal)
{
    const struct traffic_secret *secret = &pair->client.tls->outgoing.handshake;
    uint8_t *record = pair->server.in.data;
    uint8_t *end = record + pair->server.in.len;
    uint64_t sequence = 0;
    int changed = 0;
    for (size_t len; record < end; record += RECORD_HEADER + len) {
        const struct record_cipher *cipher = NULL;
        uint8_t plain[8192];
        size_t plain_len = 0;
        len = (size_t)record[3] << 8 | record[4];
        assert_true(len < sizeof plain);
        if (record[0] != RECORD_APPLICATION_DATA) {
            continue;
        }
        assert_int_equal(record_open(record, record + RECORD_HEADER, len, secret, sequence, &cipher, plain, &plain_len),
                         RECORD_HANDSHAKE);
        if (plain[0] == type) {
            uint8_t sealed[8192];
            how(plain, plain_len);
            size_t last = len - RECORD_TAG - 1; // the record keeps its length, with mbedTLS's padding after the type
            memset(plain + plain_len, 0, last + 1 - plain_len);
            plain[plain_len] = RECORD_HANDSHAKE;
            assert_int_equal(record_seal(cipher, secret, sequence, plain[last], plain, last, sealed), 0);
            memcpy(record, sealed, RECORD_HEADER + len);
            record[RECORD_HEADER] ^= seal ? 0 : 1;
            changed++;
        }
        sequence++;
    }
    assert_int_equal(changed, 1);
}

static const struct {
    uint8_t type;
    void (*how)(uint8_t *message, size_t len);
    bool seal; // else the record is damaged
    enum tls_ending ending;
    const char *reason;
    int alert;
} cases[] = {
    {TYPE_FINISHED, nothing, true, TLS_END_NONE, "ok", TLS_ALERT_NONE},
    {TYPE_FINISHED, damage_last, true, TLS_END_US, "proof_of_possession", ALERT_DECRYPT_ERROR},
    {TYPE_CERTIFICATE_VERIFY, damage_last, true, TLS_END_US, "proof_of_possession", ALERT_DECRYPT_ERROR},
    {TYPE_CERTIFICATE, certificate_of_noise, true, TLS_END_US, "malformed", ALERT_BAD_CERTIFICATE},
    {TYPE_CERTIFICATE, list_too_long, true, TLS_END_FAILURE, "handshake", ALERT_DECODE_ERROR},
    {TYPE_CERTIFICATE, other_message, true, TLS_END_FAILURE, "handshake", ALERT_UNEXPECTED_MESSAGE},
    {TYPE_CERTIFICATE_VERIFY, other_message, true, TLS_END_FAILURE, "handshake", ALERT_UNEXPECTED_MESSAGE},
    {TYPE_CERTIFICATE, nothing, false, TLS_END_FAILURE, "handshake", ALERT_BAD_RECORD_MAC},
};

static void assert_case(size_t i, bool slow)
{
    struct pair pair;
    char data[16];
    size_t n = 0;
    pair_open(&pair, "clients/alice", "servers/localhost", "localhost", TLS_1_3_ONLY);
    assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
    assert_int_equal(tls_handshake(pair.server.tls), TLS_WANT_READ);
    assert_int_equal(tls_handshake(pair.client.tls), TLS_DONE);
    change(&pair, cases[i].type, cases[i].how, cases[i].seal);
    pair.server.slow = slow;
    enum tls_status status = TLS_WANT_WRITE;
    for (int steps = 0; status == TLS_WANT_WRITE && steps < 1000; steps++) {
        status = tls_handshake(pair.server.tls);
    }
    assert_int_equal(status, cases[i].ending == TLS_END_NONE ? TLS_DONE : TLS_FAILED);
    assert_int_equal(tls_ended_by(pair.server.tls), cases[i].ending);
    assert_string_equal(reason_token(tls_verdict(pair.server.tls)->reason), cases[i].reason);
    assert_int_equal(tls_alert_sent(pair.server.tls), cases[i].alert);
    assert_int_equal(tls_peer(pair.server.tls) != NULL, cases[i].ending == TLS_END_NONE);
    // Our client would try the old key too.
    pair.client.tls->incoming.handshake.len = 0;
    assert_int_equal(pair.client.in.len, cases[i].alert == TLS_ALERT_NONE ? 0 : ALERT_SEALED);
    assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n),
                     cases[i].alert == TLS_ALERT_NONE ? TLS_WANT_READ : TLS_FAILED);
    assert_int_equal(tls_alert_received(pair.client.tls), cases[i].alert);
    pair_close(&pair);
}

static void test_changed_flight(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        assert_case(i / 2, i % 2 == 1);
    }
}

// A refusal byte by byte, in both versions: of a certificate, and of none.
static void test_slow_socket(void **state)
{
    (void)state;
    static const char *const clients[] = {"flaws/client-expired", NULL};
    static const int alerts[2][2] = {{ALERT_CERTIFICATE_EXPIRED, ALERT_CERTIFICATE_EXPIRED},
                                     {ALERT_HANDSHAKE_FAILURE, ALERT_CERTIFICATE_REQUIRED}};
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        char data[16];
        size_t n = 0;
        pair_open(&pair, clients[i / 2], "servers/localhost", "localhost", both_versions[i % 2]);
        pair.server.slow = true;
        enum tls_status client = TLS_WANT_READ;
        enum tls_status server = TLS_WANT_READ;
        for (int steps = 0; steps < 10000 && server != TLS_FAILED; steps++) {
            server = tls_handshake(pair.server.tls);
            client = tls_handshake(pair.client.tls);
        }
        assert_int_equal(server, TLS_FAILED);
        assert_int_equal(client, both_versions[i % 2] == TLS_1_3_ONLY ? TLS_DONE : TLS_FAILED);
        pair.client.tls->incoming.handshake.len = 0;
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_alert_received(pair.client.tls), alerts[i / 2][i % 2]);
        assert_int_equal(tls_alert_sent(pair.server.tls), alerts[i / 2][i % 2]);
        pair_close(&pair);
    }
}

// Whatever the judge's reason, in both versions its alert is what the client reads: not_allowed is access_denied.
static void test_every_reason(void **state)
{
    (void)state;
    assert_int_equal(reason_info(REASON_not_allowed)->alert, ALERT_ACCESS_DENIED);
    for (size_t i = 0; i < (size_t)2 * REASON_COUNT; i++) {
        enum reason reason = (enum reason)(i / 2);
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        char data[16];
        size_t n = 0;
        if (reason == REASON_ok || reason == REASON_no_certificate || reason == REASON_handshake) {
            continue; // not the judge's
        }
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        pair.server.tls->judged = true;
        trust_verdict_set(&pair.server.tls->verdict, reason, 0, "the test says so");
        pair_shake(&pair, &client, &server);
        assert_int_equal(server, TLS_FAILED);
        assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_US);
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_alert_received(pair.client.tls), reason_info(reason)->alert);
        pair_close(&pair);
    }
}

// What a server of TLS 1.3 refuses before its Finished goes out as mbedTLS sends it: the client has that key.
static void test_before_finished(void **state)
{
    (void)state;
    struct pair pair;
    enum tls_status client;
    enum tls_status server;
    static const char *alpn_client[] = {"one", NULL};
    static const char *alpn_server[] = {"other", NULL};
    pair_open(&pair, "clients/alice", "servers/localhost", "localhost", TLS_1_3_ONLY);
    assert_int_equal(mbedtls_ssl_conf_alpn_protocols(&pair.client_context->config, alpn_client), 0);
    assert_int_equal(mbedtls_ssl_conf_alpn_protocols(&pair.server_context->config, alpn_server), 0);
    pair_shake(&pair, &client, &server);
    assert_int_equal(server, TLS_FAILED);
    assert_int_equal(client, TLS_FAILED);
    assert_int_equal(tls_ended_by(pair.server.tls), TLS_END_FAILURE);
    assert_int_equal(tls_alert_received(pair.client.tls), ALERT_NO_APPLICATION_PROTOCOL);
    assert_int_equal(pair.server.tls->refusal.withheld, TLS_ALERT_NONE);
    pair_close(&pair);
}

// What was being written comes first, whole; then the alert. However slowly the client takes it.
static void test_behind_what_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct pair pair;
        enum tls_status client;
        enum tls_status server;
        char data[16];
        size_t n = 0;
        pair_open(&pair, "clients/alice", "servers/localhost", "localhost", both_versions[i % 2]);
        pair_shake(&pair, &client, &server);
        pair.server.slow = true;
        assert_int_equal(tls_write(pair.server.tls, "hello", 5, &n), TLS_WANT_WRITE);
        pair.server.slow = i / 2 == 1;
        pair.server.full = false;
        assert_false(tls_judge_again(pair.server.tls, pair.server_context, INT64_C(4102444800)));
        server = TLS_WANT_WRITE;
        for (int steps = 0; server == TLS_WANT_WRITE && steps < 1000; steps++) {
            server = tls_refuse(pair.server.tls);
        }
        assert_int_equal(server, TLS_FAILED);
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_DONE);
        assert_int_equal(n, 5);
        assert_int_equal(tls_read(pair.client.tls, data, sizeof data, &n), TLS_FAILED);
        assert_int_equal(tls_alert_received(pair.client.tls),
                         both_versions[i % 2] == TLS_1_3_ONLY ? ALERT_CERTIFICATE_EXPIRED : TLS_ALERT_UNREADABLE);
        pair_close(&pair);
    }
}

// Only a whole fatal alert is withheld: in TLS 1.2 as it is, in TLS 1.3 under the handshake key and after the Finished.
static void test_withhold_12(void **state)
{
    (void)state;
    static const struct {
        uint8_t record[8];
        size_t len;
        bool withheld;
    } records[] = {
        {{RECORD_ALERT, 3, 3, 0, 2, 2, 40}, 7, true},
        {{RECORD_ALERT, 3, 3, 0, 2, 1, 100}, 7, false},    // a warning
        {{RECORD_HANDSHAKE, 3, 3, 0, 2, 2, 40}, 7, false}, // no alert
        {{RECORD_ALERT, 3, 3, 0, 9, 2, 40}, 7, false},     // the end of something longer
        {{RECORD_ALERT, 3, 3, 0, 3, 2, 40, 0}, 8, false},  // too long for one that is not encrypted
        {{RECORD_ALERT, 3, 3, 0, 1, 2}, 6, false},         // too short
        {{RECORD_ALERT}, 1, false},
    };
    struct pair pair;
    pair_open(&pair, "clients/alice", "servers/localhost", "localhost", TLS_1_2_ONLY);
    assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
    assert_int_equal(tls_handshake(pair.server.tls), TLS_WANT_READ);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        uint8_t *exact = mem_alloc(records[i].len); // where a sanitizer sees what is read beyond it
        memcpy(exact, records[i].record, records[i].len);
        pair.server.tls->refusal.withheld = TLS_ALERT_NONE;
        assert_int_equal(refusal_withhold(pair.server.tls, exact, records[i].len), records[i].withheld);
        assert_int_equal(pair.server.tls->refusal.withheld, records[i].withheld ? 40 : TLS_ALERT_NONE);
        free(exact);
    }
    pair_close(&pair);
}

static void test_withhold_13(void **state)
{
    (void)state;
    struct pair pair;
    uint8_t plain[8192];
    uint8_t record[ALERT_SEALED];
    size_t len = 0;
    const struct record_cipher *cipher = NULL;
    const uint8_t alert[ALERT_LENGTH] = {MBEDTLS_SSL_ALERT_LEVEL_FATAL, 40};
    pair_open(&pair, "clients/alice", "servers/localhost", "localhost", TLS_1_3_ONLY);
    assert_int_equal(tls_handshake(pair.client.tls), TLS_WANT_READ);
    assert_int_equal(tls_handshake(pair.server.tls), TLS_WANT_READ);
    struct tls_connection *c = pair.server.tls;
    const struct traffic_secret *secret = &c->outgoing.handshake;
    for (const uint8_t *p = pair.client.in.data; cipher == NULL; p += RECORD_HEADER + ((size_t)p[3] << 8 | p[4])) {
        if (p[0] == RECORD_APPLICATION_DATA) { // the first one of the flight, which tells the suite
            (void)record_open(p, p + RECORD_HEADER, (size_t)p[3] << 8 | p[4], secret, 0, &cipher, plain, &len);
            assert_non_null(cipher);
        }
    }
    assert_int_equal(record_seal(cipher, secret, c->outgoing.encrypted, RECORD_HANDSHAKE, alert, 2, record), 0);
    assert_false(refusal_withhold(c, record, sizeof record));
    assert_null(c->refusal.cipher);
    assert_int_equal(record_seal(cipher, secret, c->outgoing.encrypted, RECORD_ALERT, alert, 2, record), 0);
    assert_true(c->outgoing.handshake_over);
    c->outgoing.handshake_over = false;
    assert_false(refusal_withhold(c, record, sizeof record));
    c->outgoing.handshake_over = true;
    assert_false(refusal_withhold(c, record, sizeof record - 1));
    assert_int_equal(c->refusal.withheld, TLS_ALERT_NONE);
    assert_true(refusal_withhold(c, record, sizeof record));
    assert_int_equal(c->refusal.withheld, 40);
    assert_ptr_equal(c->refusal.cipher, cipher);
    assert_true(refusal_withhold(c, alert, sizeof alert)); // and whatever comes after it
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changed_flight),
        cmocka_unit_test(test_slow_socket),
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_before_finished),
        cmocka_unit_test(test_behind_what_was_written),
        cmocka_unit_test(test_withhold_12),
        cmocka_unit_test(test_withhold_13),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
