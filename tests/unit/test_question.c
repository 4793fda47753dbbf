// SPDX-License-Identifier: Apache-2.0
// trust_judge_question: what is already known of a signature spares the arithmetic and nothing else. Signatures are
// counted, not timed: mbedTLS's calls pass through here (the linker is told so).
#include "question_fixture.h"

static size_t checks;

int verify_real(mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                const unsigned char *sig, size_t sig_len) __asm__("__real_mbedtls_pk_verify");
int verify_counted(mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                   const unsigned char *sig, size_t sig_len) __asm__("__wrap_mbedtls_pk_verify");
int verify_counted(mbedtls_pk_context *key, mbedtls_md_type_t md, const unsigned char *hash, size_t hash_len,
                   const unsigned char *sig, size_t sig_len)
{
    checks++;
    return verify_real(key, md, hash, hash_len, sig, sig_len);
}

int verify_ext_counted(mbedtls_pk_type_t type, const void *options, mbedtls_pk_context *key, mbedtls_md_type_t md,
                       const unsigned char *hash, size_t hash_len, const unsigned char *sig,
                       size_t sig_len) __asm__("__wrap_mbedtls_pk_verify_ext");
int verify_ext_counted(mbedtls_pk_type_t type, const void *options, mbedtls_pk_context *key, mbedtls_md_type_t md,
                       const unsigned char *hash, size_t hash_len, const unsigned char *sig, size_t sig_len)
{
    (void)type, (void)options, (void)key, (void)md, (void)hash, (void)hash_len, (void)sig, (void)sig_len;
    checks++; // nothing here is signed with RSA-PSS
    return -1;
}

static struct trust_snapshot *load(const char *anchor, const char *lists, struct trust_rules *rules)
{
    struct err e = ERR_INIT;
    char *paths[] = {mem_printf("%s/%s", files.dir, anchor), mem_printf("%s/%s", files.dir, lists)};
    const char *const names[] = {paths[0], paths[1]};
    const struct trust_files f = {.anchors = {&names[0], 1}, .crls = {&names[1], lists[0] != '\0'}, .rules = rules};
    struct trust_snapshot *snapshot = trust_snapshot_load(&f, &e);
    assert_string_equal(e.text, "");
    free(paths[0]);
    free(paths[1]);
    return snapshot;
}

// Asks, and says how many signatures that took.
struct answer {
    struct trust_verdict verdict;
    size_t checks;
    uint8_t fact[TRUST_FACT];
    int64_t until;
};

static struct answer ask_for(const struct trust_snapshot *snapshot, const struct trust_question *q)
{
    struct answer answer = {.until = 0};
    struct trust_path path = {.count = 0};
    checks = 0;
    bool accepted = trust_judge_question(snapshot, q, &answer.verdict, &path);
    answer.checks = checks;
    answer.until = path.until;
    memcpy(answer.fact, path.fact, TRUST_FACT);
    assert_int_equal(accepted, answer.verdict.reason == REASON_ok);
    assert_int_equal(accepted, path.count > 0);
    trust_path_clear(&path);
    return answer;
}

static struct answer ask(const struct trust_snapshot *snapshot, const uint8_t *fact, int64_t now)
{
    const struct trust_question q = {.chain = chain, .count = 2, .purpose = TRUST_CLIENT, .now = now, .fact = fact};
    return ask_for(snapshot, &q);
}

static void expect(struct answer answer, enum reason reason, size_t signatures)
{
    if (answer.verdict.reason != reason || answer.checks != signatures) {
        fail_msg("%s (%s) after %zu signatures; %s after %zu expected", reason_token(answer.verdict.reason),
                 answer.verdict.detail, answer.checks, reason_token(reason), signatures);
    }
}

// --- what it costs ---

static void warm_path_costs_no_signature(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "lists.pem", NULL);
    (void)state;
    struct answer first = ask(snapshot, NULL, NOW);
    expect(first, REASON_ok, 4); // leaf, issuing CA, two lists
    expect(ask(snapshot, NULL, NOW), REASON_ok, 1);
    struct answer again = ask(snapshot, first.fact, NOW);
    expect(again, REASON_ok, 0);
    assert_memory_equal(again.fact, first.fact, TRUST_FACT); // and so on
    assert_int_equal(again.until, first.until);
    trust_snapshot_free(snapshot);
}

// A reload with one new list of two: that list's signature is all that is checked, for whoever comes first.
static void reload_hands_memory_on(void **state)
{
    struct trust_snapshot *old = load("root.der", "lists.pem", NULL);
    struct trust_snapshot *forgetful = load("root.der", "lists.pem", NULL);
    struct trust_snapshot *same = load("root.der", "lists.pem", NULL);
    struct trust_snapshot *no_lists = load("root.der", "", NULL);
    (void)state;
    struct answer first = ask(old, NULL, NOW);
    trust_snapshot_remember(same, old);
    trust_snapshot_remember(no_lists, same);
    expect(ask(forgetful, first.fact, NOW), REASON_ok, 3);
    expect(ask(same, first.fact, NOW), REASON_ok, 0);
    expect(ask(no_lists, first.fact, NOW), REASON_ok, 0);

    struct buf pem = {0}; // the issuing CA's list is the old one's successor, and the root's is made again
    add_list(ISSUING, true, NOW - DAY, NOW + 3 * DAY, &pem);
    add_list(ROOT, false, NOW - DAY, NOW + DAY, &pem);
    run_file(&files, "newer.pem", buf_span(&pem));
    struct trust_snapshot *newer = load("root.der", "newer.pem", NULL);
    trust_snapshot_remember(newer, same);
    struct answer revoked = ask(newer, first.fact, NOW);
    assert_int_equal(revoked.verdict.reason, REASON_cert_revoked);
    assert_true(revoked.checks >= 1); // a list is believed only once its signature was checked
    buf_clear(&pem);
    trust_snapshot_free(old);
    trust_snapshot_free(forgetful);
    trust_snapshot_free(same);
    trust_snapshot_free(no_lists);
    trust_snapshot_free(newer);
}

// --- what it does not spare ---

static void everything_else_is_asked_anew(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "lists.pem", NULL);
    struct trust_snapshot *revoked = load("root.der", "revoked.pem", NULL);
    struct trust_snapshot *elsewhere = load("impostor.der", "", NULL);
    (void)state;
    const struct answer first = ask(snapshot, NULL, NOW);
    const uint8_t *kept = first.fact;
    expect(ask(snapshot, kept, NOW), REASON_ok, 0);
    assert_int_equal(ask(revoked, kept, NOW).verdict.reason, REASON_cert_revoked);
    assert_int_equal(ask(snapshot, kept, NOW + 2 * DAY + 1).verdict.reason, REASON_crl_stale);
    assert_int_equal(ask(snapshot, kept, NOW + 11 * DAY).verdict.reason, REASON_cert_expired);
    assert_int_equal(ask(snapshot, kept, NOW - 2 * DAY).verdict.reason, REASON_cert_not_yet_valid);
    struct trust_question q = {.chain = chain, .count = 2, .purpose = TRUST_SERVER, .now = NOW, .fact = kept};
    assert_int_equal(ask_for(snapshot, &q).verdict.reason, REASON_ext_key_usage);
    // the anchor now has the issuer's name and another key: the signature is checked, and is not its
    assert_int_equal(ask(elsewhere, kept, NOW).verdict.reason, REASON_chain_untrusted);
    q = (struct trust_question){.chain = chain, .count = 1, .purpose = TRUST_CLIENT, .now = NOW, .fact = kept};
    expect(ask_for(elsewhere, &q), REASON_chain_untrusted, 1);
    trust_snapshot_free(snapshot);
    trust_snapshot_free(revoked);
    trust_snapshot_free(elsewhere);
}

// The fact is of the key that was accepted, not of one of the same name that was tried before it.
static void fact_of_the_right_key(void **state)
{
    struct err e = ERR_INIT;
    struct buf name = {0};
    struct buf misled = {0}; // names the impostor's key as its issuer's
    char *usage[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    const uint8_t serial[] = {0x41};
    struct trust_snapshot *snapshot = load("root.der", "lists.pem", NULL);
    struct certificate_content content = {.subject = (char *)(uintptr_t) "CN=misled",
                                          .not_before = NOW - DAY,
                                          .not_after = NOW + DAY,
                                          .path_length = PATH_LENGTH_NONE,
                                          .key_usage = MBEDTLS_X509_KU_DIGITAL_SIGNATURE,
                                          .ext_key_usage = usage};
    struct certificate_issuer issuer = issuer_of(ISSUING, &name);
    (void)state;
    assert_works(key_id(&keys[IMPOSTOR], issuer.key_id, &e), &e);
    assert_works(certificate_make(&content, serial, sizeof serial, &keys[LEAF], &issuer, &rng, &misled, &e), &e);
    const struct span three[] = {buf_span(&misled), buf_span(&der[ISSUING]), buf_span(&der[IMPOSTOR])};
    struct trust_question q = {.chain = three, .count = 3, .purpose = TRUST_CLIENT, .now = NOW};
    struct answer first = ask_for(snapshot, &q);
    expect(first, REASON_ok, 5); // the impostor's key, the issuing CA's, its own, two lists
    q.count = 2;                 // without the impostor
    struct answer right = ask_for(snapshot, &q);
    expect(right, REASON_ok, 1);
    assert_memory_equal(first.fact, right.fact, TRUST_FACT);
    q.fact = first.fact;
    expect(ask_for(snapshot, &q), REASON_ok, 0);
    trust_snapshot_free(snapshot);
    buf_clear(&misled);
    buf_clear(&name);
}

// A fact that is not this leaf's under this key means that the signature is checked, and no more.
static void wrong_facts(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "lists.pem", NULL);
    (void)state;
    uint8_t fact[TRUST_FACT];
    struct answer first = ask(snapshot, NULL, NOW);
    for (size_t i = 0; i < TRUST_FACT; i++) {
        memcpy(fact, first.fact, TRUST_FACT);
        fact[i] ^= 1;
        expect(ask(snapshot, fact, NOW), REASON_ok, 1);
    }
    memset(fact, 0, TRUST_FACT);
    expect(ask(snapshot, fact, NOW), REASON_ok, 1);
    // The genuine fact beside a leaf of which one octet differs, wherever it is: never accepted
    struct buf forged = {0};
    buf_add(&forged, der[LEAF].data, der[LEAF].len);
    const struct span genuine = chain[0];
    chain[0] = buf_span(&forged);
    for (size_t i = 0; i < forged.len; i++) {
        forged.data[i] ^= 1;
        assert_int_not_equal(ask(snapshot, first.fact, NOW).verdict.reason, REASON_ok);
        forged.data[i] ^= 1;
    }
    forged.data[forged.len - 1] ^= 1; // nothing but the signature
    expect(ask(snapshot, first.fact, NOW), REASON_signature_bad, 1);
    chain[0] = genuine;
    expect(ask(snapshot, first.fact, NOW), REASON_ok, 0);
    buf_clear(&forged);
    trust_snapshot_free(snapshot);
}

// It speaks for the leaf and not for a CA: a path through a forged issuer is not spared that one's signature.
static void issuer_is_not_vouched_for(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "", NULL);
    struct trust_snapshot *fresh = load("root.der", "", NULL);
    (void)state;
    struct answer first = ask(snapshot, NULL, NOW);
    struct buf forged = {0};
    const struct span genuine = chain[1];
    buf_add(&forged, der[ISSUING].data, der[ISSUING].len);
    forged.data[forged.len - 1] ^= 1;
    chain[1] = buf_span(&forged);
    expect(ask(fresh, first.fact, NOW), REASON_signature_bad, 1);
    chain[1] = genuine;
    expect(ask(fresh, first.fact, NOW), REASON_ok, 1);
    buf_clear(&forged);
    trust_snapshot_free(snapshot);
    trust_snapshot_free(fresh);
}

// --- until when ---

static void until_is_the_earliest_end(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "", NULL);
    (void)state;
    struct answer answer = ask(snapshot, NULL, NOW);
    assert_int_equal(answer.until, NOW + 10 * DAY);
    expect(ask(snapshot, answer.fact, answer.until), REASON_ok, 0);
    expect(ask(snapshot, answer.fact, answer.until + 1), REASON_cert_expired, 0);
    struct buf short_lived = der[LEAF];
    der[LEAF] = (struct buf){0};
    issue(LEAF, "CN=alice,O=Example", ISSUING, NOW + 50 * DAY);
    chain[0] = buf_span(&der[LEAF]);
    assert_int_equal(ask(snapshot, NULL, NOW).until, NOW + 20 * DAY); // the issuing CA's
    buf_clear(&der[LEAF]);
    der[LEAF] = short_lived;
    chain[0] = buf_span(&der[LEAF]);
    trust_snapshot_free(snapshot);
}

// The lists end one and two days from now, the anchor after a hundred; the answer is the first second of the change.
static void next_change(void **state)
{
    struct trust_snapshot *snapshot = load("root.der", "lists.pem", NULL);
    static const int64_t moments[] = {NOW - DAY, NOW + DAY + 1, NOW + 2 * DAY + 1, NOW + 100 * DAY + 1, INT64_MAX};
    int64_t now = NOW - 2 * DAY;
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        int64_t next = trust_snapshot_next_change(snapshot, now);
        assert_int_equal(next, moments[i]);
        assert_int_equal(trust_snapshot_next_change(snapshot, next - 1), next);
        now = next;
    }
    expect(ask(snapshot, NULL, NOW + DAY), REASON_ok, 4);
    assert_int_equal(ask(snapshot, NULL, NOW + DAY + 1).verdict.reason, REASON_crl_stale);
    trust_snapshot_free(snapshot);
    snapshot = load("root.der", "", NULL);
    assert_int_equal(trust_snapshot_next_change(snapshot, NOW), NOW + 100 * DAY + 1);
    trust_snapshot_free(snapshot);
}

// --- access rules ---

static struct trust_rules *rules_for(bool allow, const char *uri)
{
    struct err e = ERR_INIT;
    const struct trust_match match = {.field = TRUST_MATCH_URI, .pattern = uri};
    const char *const paths[] = {"/only/*"};
    const struct trust_rule rule = {
        .allow = allow, .matches = &match, .match_count = 1, .paths = paths, .path_count = 1};
    struct trust_rules *rules = trust_rules_new(&rule, 1, &e);
    assert_string_equal(e.text, "");
    return rules;
}

// The judge knows fingerprints and keys when it needs them.
static void rules_about_digests(void **state)
{
    struct err e = ERR_INIT;
    struct trust_identity *who = trust_identity_new(chain[0], "TLSv1.3", false, &e);
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct trust_match match = {.field = i < 2 ? TRUST_MATCH_SHA256 : TRUST_MATCH_KEY};
        match.pattern = (i == 0 || i == 3) ? who->fingerprint : who->key_pin;
        const struct trust_rule rule = {.allow = true, .matches = &match, .match_count = 1};
        struct trust_snapshot *snapshot = load("root.der", "", trust_rules_new(&rule, 1, &e));
        expect(ask(snapshot, NULL, NOW), i == 0 || i == 2 ? REASON_ok : REASON_not_allowed, 2);
        trust_snapshot_free(snapshot);
    }
    trust_identity_free(who);
}

// Who it is belongs to the answer, the first time and when the leaf is known; and only to whoever asks.
static void identity_in_the_answer(void **state)
{
    struct err e = ERR_INIT;
    struct trust_identity *who = trust_identity_new(chain[0], "", false, &e);
    struct trust_snapshot *snapshot = load("root.der", "", NULL);
    struct trust_question q = {.chain = chain, .count = 2, .purpose = TRUST_CLIENT, .now = NOW};
    struct trust_verdict verdict;
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct trust_path path = {.count = 0};
        q.identify = i > 0;
        assert_true(trust_judge_question(snapshot, &q, &verdict, &path));
        assert_ptr_equal(path.certificates[0].data, chain[0].data); // as it was given
        assert_ptr_equal(path.certificates[1].data, chain[1].data);
        if (i == 0) {
            assert_null(path.identity);
            trust_path_clear(&path);
            trust_snapshot_free(snapshot);
            snapshot = load("root.der", "", NULL);
            continue;
        }
        assert_string_equal(path.identity->subject, who->subject);
        assert_string_equal(path.identity->issuer, who->issuer);
        assert_string_equal(path.identity->serial, who->serial);
        assert_string_equal(path.identity->fingerprint, who->fingerprint);
        assert_string_equal(path.identity->key_pin, who->key_pin);
        assert_int_equal(path.identity->name_count, 1);
        assert_string_equal(path.identity->names[0].text, "spiffe://example/alice");
        assert_true(spans_equal(path.identity->names[0].octets, who->names[0].octets));
        assert_int_equal(path.identity->attribute_count, who->attribute_count);
        assert_string_equal(path.identity->attributes[0].value, who->attributes[0].value);
        assert_true(spans_equal(path.identity->attributes[0].octets, who->attributes[0].octets));
        assert_true(path.identity->complete && path.identity->not_after == who->not_after);
        path.identity->subject[0] = '!'; // it is the asker's alone
        trust_path_clear(&path);
    }
    trust_identity_free(who);
    trust_snapshot_free(snapshot);
}

static void rules_are_asked(void **state)
{
    struct trust_snapshot *allowed = load("root.der", "lists.pem", rules_for(true, "spiffe://example/*"));
    struct trust_snapshot *others = load("root.der", "lists.pem", rules_for(true, "spiffe://example/bob"));
    struct trust_snapshot *denied = load("root.der", "lists.pem", rules_for(false, "spiffe://example/*"));
    (void)state;
    struct answer first = ask(allowed, NULL, NOW);
    expect(first, REASON_ok, 4);
    expect(ask(allowed, first.fact, NOW), REASON_ok, 0);
    expect(ask(others, first.fact, NOW), REASON_not_allowed, 3);
    expect(ask(others, first.fact, NOW), REASON_not_allowed, 1); // who is refused is not remembered; lists are
    struct answer refused = ask(denied, NULL, NOW);
    expect(refused, REASON_not_allowed, 4);
    assert_int_equal(refused.verdict.depth, 0);
    assert_string_equal(refused.verdict.detail, "no rule allows CN=alice,O=Example anything");
    // rules are for clients
    struct trust_question q = {.chain = chain, .count = 2, .purpose = TRUST_ANY, .now = NOW};
    assert_int_equal(ask_for(others, &q).verdict.reason, REASON_ok);
    trust_snapshot_free(allowed);
    trust_snapshot_free(others);
    trust_snapshot_free(denied);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_path_costs_no_signature),  cmocka_unit_test(reload_hands_memory_on),
        cmocka_unit_test(everything_else_is_asked_anew), cmocka_unit_test(wrong_facts),
        cmocka_unit_test(fact_of_the_right_key),         cmocka_unit_test(issuer_is_not_vouched_for),
        cmocka_unit_test(until_is_the_earliest_end),     cmocka_unit_test(next_change),
        cmocka_unit_test(identity_in_the_answer),        cmocka_unit_test(rules_are_asked),
        cmocka_unit_test(rules_about_digests),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
