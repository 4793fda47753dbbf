// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "openssl_pki.h"
#include "trust/trust.h"

static struct trust_snapshot *load(const char *crl)
{
    struct err e = ERR_INIT;
    const char *anchor_file = pki_path("trust.pem", "");
    const char *crl_file = crl == NULL ? NULL : pki_path(crl, "");
    struct trust_files files = {.anchors = {&anchor_file, 1}, .crls = {&crl_file, crl_file == NULL ? 0 : 1}};
    struct trust_snapshot *snapshot = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    return snapshot;
}

static struct trust_verdict judge(const char *below, const char *crl, enum trust_purpose purpose, const char *name,
                                  int64_t now)
{
    struct pki_chain chain;
    struct trust_verdict verdict;
    struct trust_snapshot *snapshot = load(crl);
    pki_chain_read(&chain, below);
    bool accepted = trust_judge(snapshot, chain.spans, chain.count, purpose, name, now, &verdict);
    assert_int_equal(accepted, verdict.reason == REASON_ok);
    pki_chain_clear(&chain);
    trust_snapshot_free(snapshot);
    return verdict;
}

static const struct {
    const char *below;
    const char *crl;
    enum trust_purpose purpose;
    const char *name;
    int64_t later; // seconds from now
    const char *reason;
    int depth;
} table[] = {
    // who is good
    {"clients/alice", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/alice", NULL, TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/alice", "crl.pem", TRUST_ANY, NULL, 0, "ok", -1},
    {"clients/rsa", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/serial-20", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/empty-subject", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/hostile", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"servers/localhost", "crl.pem", TRUST_SERVER, "localhost", 0, "ok", -1},
    {"servers/localhost", "crl.pem", TRUST_SERVER, "127.0.0.1", 0, "ok", -1},
    {"servers/localhost", "crl.pem", TRUST_SERVER, "::1", 0, "ok", -1},
    {"servers/localhost", "crl.pem", TRUST_SERVER, NULL, 0, "ok", -1},
    // encoding and form
    {"flaws/client-critical", "crl.pem", TRUST_CLIENT, NULL, 0, "critical_extension", 0},
    {"flaws/server-critical", "crl.pem", TRUST_SERVER, "localhost", 0, "critical_extension", 0},
    {"flaws/client-serial-0", "crl.pem", TRUST_CLIENT, NULL, 0, "serial_number", 0},
    {"flaws/client-serial-negative", "crl.pem", TRUST_CLIENT, NULL, 0, "serial_number", 0},
    {"flaws/client-serial-long", "crl.pem", TRUST_CLIENT, NULL, 0, "serial_number", 0},
    {"flaws/client-version-1", "crl.pem", TRUST_CLIENT, NULL, 0, "version", 0},
    {"flaws/client-empty-subject", "crl.pem", TRUST_CLIENT, NULL, 0, "subject_empty", 0},
    {"flaws/client-empty-subject-not-critical", "crl.pem", TRUST_CLIENT, NULL, 0, "subject_empty", 0},
    {"flaws/client-bad-name", "crl.pem", TRUST_CLIENT, NULL, 0, "subject_alt_name", 0},
    {"flaws/client-sha1", "crl.pem", TRUST_CLIENT, NULL, 0, "algorithm_weak", 0},
    {"clients/sha384", "crl.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"flaws/client-rsa1024", "crl.pem", TRUST_CLIENT, NULL, 0, "key_too_weak", 0},
    {"flaws/server-rsa1024", "crl.pem", TRUST_SERVER, "localhost", 0, "key_too_weak", 0},
    // the path
    {"flaws/client-damaged", "crl.pem", TRUST_CLIENT, NULL, 0, "signature_bad", 0},
    {"flaws/client-stranger", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_untrusted", 2},
    {"flaws/server-stranger", "crl.pem", TRUST_SERVER, "localhost", 0, "chain_untrusted", 2},
    {"flaws/client-self-signed", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_untrusted", 0},
    {"flaws/client-imposter", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_untrusted", 1},
    {"flaws/client-imposter-alone", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_untrusted", 0},
    {"flaws/client-no-intermediate", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_incomplete", 0},
    {"flaws/server-no-intermediate", "crl.pem", TRUST_SERVER, "localhost", 0, "chain_incomplete", 0},
    {"flaws/client-no-root", "crl.pem", TRUST_CLIENT, NULL, 0, "chain_incomplete", 1},
    {"flaws/client-below-version-1", "crl.pem", TRUST_CLIENT, NULL, 0, "version", 1},
    {"flaws/client-not-a-ca", "crl.pem", TRUST_CLIENT, NULL, 0, "not_a_ca", 1},
    {"flaws/client-no-certsign", "crl.pem", TRUST_CLIENT, NULL, 0, "key_usage", 1},
    {"flaws/client-pathlen", "crl.pem", TRUST_CLIENT, NULL, 0, "path_too_long", 2},
    {"flaws/client-issuer-eku", "crl.pem", TRUST_CLIENT, NULL, 0, "ext_key_usage", 1},
    // time
    {"flaws/client-expired", "crl.pem", TRUST_CLIENT, NULL, 0, "cert_expired", 0},
    {"flaws/server-expired", "crl.pem", TRUST_SERVER, "localhost", 0, "cert_expired", 0},
    {"flaws/client-future", "crl.pem", TRUST_CLIENT, NULL, 0, "cert_not_yet_valid", 0},
    {"flaws/client-expired-ca", "crl.pem", TRUST_CLIENT, NULL, 0, "cert_expired", 1},
    {"clients/alice", NULL, TRUST_CLIENT, NULL, 364 * CLOCK_DAY, "ok", -1},
    {"clients/alice", NULL, TRUST_CLIENT, NULL, 366 * CLOCK_DAY, "cert_expired", 0},
    {"clients/alice", NULL, TRUST_CLIENT, NULL, -CLOCK_DAY, "cert_not_yet_valid", 0},
    {"flaws/client-expired", NULL, TRUST_CLIENT, NULL, -45 * CLOCK_DAY, "cert_not_yet_valid", 1},
    {"clients/alice", NULL, TRUST_CLIENT, NULL, 3651 * (int64_t)CLOCK_DAY, "cert_expired", 0},
    // revocation
    {"clients/mallory", "crl.pem", TRUST_CLIENT, NULL, 0, "cert_revoked", 0},
    {"clients/mallory", NULL, TRUST_CLIENT, NULL, 0, "ok", -1},
    {"flaws/server-revoked", "crl.pem", TRUST_SERVER, "localhost", 0, "cert_revoked", 0},
    {"clients/alice", "crl-root-only.pem", TRUST_CLIENT, NULL, 0, "crl_missing", 0},
    {"clients/alice", "crl-stale.pem", TRUST_CLIENT, NULL, 0, "crl_stale", 0},
    {"clients/mallory", "crl-stale.pem", TRUST_CLIENT, NULL, 0, "cert_revoked", 0},
    {"clients/alice", "crl-early.pem", TRUST_CLIENT, NULL, 0, "crl_stale", 0},
    {"clients/alice", "crl.pem", TRUST_CLIENT, NULL, 31 * CLOCK_DAY, "crl_stale", 0},
    {"clients/alice", "crl-stale-and-fresh.pem", TRUST_CLIENT, NULL, 0, "ok", -1},
    {"clients/alice", "crl-forged.pem", TRUST_CLIENT, NULL, 0, "crl_signature", 0},
    {"flaws/client-no-crlsign", "crl-no-crlsign.pem", TRUST_CLIENT, NULL, 0, "crl_signature", 0},
    {"flaws/client-no-crlsign", NULL, TRUST_CLIENT, NULL, 0, "ok", -1},
    // what it is for
    {"flaws/client-is-ca", "crl.pem", TRUST_CLIENT, NULL, 0, "leaf_is_ca", 0},
    {"flaws/client-no-signing", "crl.pem", TRUST_CLIENT, NULL, 0, "key_usage", 0},
    {"flaws/client-no-eku", "crl.pem", TRUST_CLIENT, NULL, 0, "ext_key_usage", 0},
    {"flaws/client-no-eku", "crl.pem", TRUST_ANY, NULL, 0, "ok", -1},
    {"flaws/client-any-eku", "crl.pem", TRUST_CLIENT, NULL, 0, "ext_key_usage", 0},
    {"flaws/server-any-eku", "crl.pem", TRUST_SERVER, "localhost", 0, "ext_key_usage", 0},
    {"flaws/client-server-eku", "crl.pem", TRUST_CLIENT, NULL, 0, "ext_key_usage", 0},
    {"flaws/client-server-eku", "crl.pem", TRUST_SERVER, NULL, 0, "ok", -1},
    {"flaws/server-client-eku", "crl.pem", TRUST_SERVER, "localhost", 0, "ext_key_usage", 0},
    {"servers/localhost", "crl.pem", TRUST_CLIENT, NULL, 0, "ext_key_usage", 0},
    {"servers/localhost", "crl.pem", TRUST_SERVER, "other.example", 0, "name_mismatch", 0},
    {"servers/localhost", "crl.pem", TRUST_SERVER, "127.0.0.2", 0, "name_mismatch", 0},
    {"flaws/server-other-host", "crl.pem", TRUST_SERVER, "localhost", 0, "name_mismatch", 0},
    {"flaws/server-other-host", "crl.pem", TRUST_SERVER, "other.example", 0, "ok", -1},
    {"flaws/server-cn-only", "crl.pem", TRUST_SERVER, "localhost", 0, "name_mismatch", 0},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct trust_verdict verdict =
            judge(table[i].below, table[i].crl, table[i].purpose, table[i].name, clock_now() + table[i].later);
        if (strcmp(reason_token(verdict.reason), table[i].reason) != 0 || verdict.depth != table[i].depth) {
            fail_msg("case %zu %s: %s at %d (%s), expected %s at %d", i, table[i].below, reason_token(verdict.reason),
                     verdict.depth, verdict.detail, table[i].reason, table[i].depth);
        }
        assert_int_equal(verdict.detail[0] == '\0', verdict.reason == REASON_ok);
    }
}

static void test_detail_names_certificate(void **state)
{
    (void)state;
    struct trust_verdict verdict = judge("flaws/server-cn-only", NULL, TRUST_SERVER, "localhost", clock_now());
    assert_string_equal(verdict.detail, "CN=localhost has no subjectAltName for localhost (nor any other; the common "
                                        "name does not count)");
    verdict = judge("clients/hostile", "crl-root-only.pem", TRUST_CLIENT, NULL, clock_now());
    assert_string_equal(verdict.detail, "CN=\\1B[31mred\\0A\\<b\\>: no list of its issuer is loaded");
}

// Without an anchor there is nobody to be accepted, whatever is sent along.
static void test_no_anchors(void **state)
{
    (void)state;
    static const char *const below[] = {"clients/alice", "flaws/client-self-signed", "flaws/client-stranger"};
    struct err e = ERR_INIT;
    const struct trust_files files = {.no_anchors = true};
    struct trust_snapshot *snapshot = trust_snapshot_load(&files, &e);
    assert_string_equal(e.text, "");
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        struct pki_chain chain;
        struct trust_verdict verdict;
        pki_chain_read(&chain, below[i]);
        assert_false(trust_judge(snapshot, chain.spans, chain.count, TRUST_CLIENT, NULL, clock_now(), &verdict));
        assert_true(verdict.reason == REASON_chain_incomplete || verdict.reason == REASON_chain_untrusted);
        pki_chain_clear(&chain);
    }
    trust_snapshot_free(snapshot);
}

// The leaf's encoding, changed in ways that openssl does not offer.
static void test_encoding(void **state)
{
    (void)state;
    struct pki_chain chain;
    struct trust_verdict verdict;
    struct trust_snapshot *snapshot = load(NULL);
    pki_chain_read(&chain, "clients/alice");
    const struct span leaf = chain.spans[0];
    struct span *spans = chain.spans;

    assert_false(trust_judge(snapshot, spans, 0, TRUST_CLIENT, NULL, clock_now(), &verdict));
    assert_int_equal(verdict.reason, REASON_no_certificate);

    struct buf longer = {0};
    buf_add(&longer, leaf.data, leaf.len);
    buf_text(&longer, "x");
    spans[0] = buf_span(&longer);
    assert_false(trust_judge(snapshot, spans, chain.count, TRUST_CLIENT, NULL, clock_now(), &verdict));
    assert_int_equal(verdict.reason, REASON_malformed);
    assert_string_equal(verdict.detail, "the certificate: 1 octets follow the certificate");
    buf_clear(&longer);

    for (size_t cut = 0; cut < leaf.len; cut++) { // every prefix of it is refused, and none is read over
        struct buf prefix = {0};
        buf_add(&prefix, leaf.data, cut);
        spans[0] = span_of(prefix.data, cut);
        assert_false(trust_judge(snapshot, spans, chain.count, TRUST_CLIENT, NULL, clock_now(), &verdict));
        buf_clear(&prefix);
    }
    spans[0] = leaf; // as it was, it is accepted
    assert_true(trust_judge(snapshot, spans, chain.count, TRUST_CLIENT, NULL, clock_now(), &verdict));

    for (size_t i = chain.count; i <= TRUST_CHAIN_MOST; i++) {
        spans[i] = leaf;
    }
    assert_false(trust_judge(snapshot, spans, TRUST_CHAIN_MOST + 1, TRUST_CLIENT, NULL, clock_now(), &verdict));
    assert_int_equal(verdict.reason, REASON_budget_exceeded);
    assert_true(trust_judge(snapshot, spans, TRUST_CHAIN_MOST, TRUST_CLIENT, NULL, clock_now(), &verdict));
    pki_chain_clear(&chain);
    trust_snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_detail_names_certificate),
        cmocka_unit_test(test_no_anchors),
        cmocka_unit_test(test_encoding),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
