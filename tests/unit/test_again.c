// SPDX-License-Identifier: Apache-2.0
// Open connections whose peer is judged again.
#include "resume_fixture.h"

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
        cmocka_unit_test(test_judge_again),
        cmocka_unit_test(test_judge_again_later),
        cmocka_unit_test(test_judge_again_early),
    };
    return cmocka_run_group_tests(tests, resume_setup, pki_teardown);
}
