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
        assert_false(tls_judge_again(v.tls, same, clock_now())); // whatever is said of it before it has been told
        assert_string_equal(reason_token(tls_verdict(v.tls)->reason), reason_token(reason));
        assert_null(tls_peer(v.tls));
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

// A snapshot that comes in the middle of a handshake counts, wherever that was. False: it came too late for that.
static bool revoke_early(int version, bool resumes, size_t when)
{
    struct case_of k;
    struct visited v;
    enum tls_status status = TLS_WANT_READ;
    begin(&k, version, NULL);
    if (!resumes) {
        SSL_SESSION_free(k.visit.session);
        k.visit.session = NULL;
    }
    struct tls_context *changed = server(ALICE_REVOKED, k.tickets);
    visited_begin(&v, &k.visit, k.at);
    v.most = 100; // less than any certificate
    for (size_t i = 0; i < when; i++) {
        status = visited_step(&v);
    }
    bool early = status != TLS_DONE;
    assert_int_equal(tls_judge_again(v.tls, changed, clock_now()), early);
    for (size_t i = 0; i < 50; i++) {
        status = visited_step(&v);
    }
    assert_int_equal(status, TLS_FAILED);
    assert_null(tls_peer(v.tls));
    assert_string_equal(reason_token(tls_verdict(v.tls)->reason), "cert_revoked");
    visited_read(&v);
    assert_false(v.served);
    assert_false(early && v.session != NULL && SSL_SESSION_has_ticket(v.session));
    visited_clear(&v);
    tls_context_free(changed);
    end(&k);
    return early;
}

static void test_judge_again_early(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t when = 0;
        while (revoke_early(versions[i % 2], i / 2 == 1, when)) {
            when++;
        }
        assert_true(when > (i / 2 == 1 ? 3 : 12)); // octets, a hundred at a time
    }
}

// The context of old goes on for those who were made of it, without its snapshot: also where the CAs that a server asks
// for are yet to be sent (with asan: none of it is used any more).
static void test_retired(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct visited v;
        struct tls_context *old = server(NOTHING, NULL);
        struct tls_context *next = server(NOTHING, NULL);
        const struct visit visit = {.version = versions[i], .who = "clients/alice"};
        visited_begin(&v, &visit, old);
        assert_true(tls_judge_again(v.tls, next, clock_now()));
        tls_context_retire(old);
        assert_null(tls_context_snapshot(old));
        assert_int_equal(visited_handshake(&v), TLS_DONE);
        visited_read(&v);
        assert_true(v.served);
        assert_ptr_equal(tls_snapshot(v.tls), next->snapshot);
        visited_clear(&v);
        tls_context_free(old);
        tls_context_free(next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge_again),
        cmocka_unit_test(test_judge_again_later),
        cmocka_unit_test(test_judge_again_early),
        cmocka_unit_test(test_retired),
    };
    return cmocka_run_group_tests(tests, resume_setup, pki_teardown);
}
