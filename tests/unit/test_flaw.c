// SPDX-License-Identifier: Apache-2.0
#include "base/pem.h"
#include "flaw_difference.h"
#include "flaw_fixture.h"

// For each flaw: in what it differs from its control, and what openssl 3.0, asked to check all that it can, says. NULL:
// it accepts; these are the flaws that only other judges see.
#define DEPTH(n, words) "at " #n " depth lookup: " words
static const struct {
    const char *difference;
    const char *openssl;
} expected[FLAW_COUNT] = {
    [FLAW_no_certificate] = {"leaf absent", NULL},
    [FLAW_self_signed] = {"leaf issuer name, leaf 2.5.29.35, chain length", DEPTH(0, "self-signed certificate")},
    [FLAW_foreign_root_same_name] = {"root added", DEPTH(1, "self-signed certificate in certificate chain")},
    [FLAW_unknown_issuer] = {"issuer issuer name, issuer 2.5.29.35",
                             DEPTH(1, "self-signed certificate in certificate chain")},
    [FLAW_missing_intermediate] = {"chain length", DEPTH(0, "unable to get local issuer certificate")},
    [FLAW_issuer_name_mismatch] = {"leaf issuer name", DEPTH(0, "unable to get local issuer certificate")},
    [FLAW_wrong_key] = {"handshake key", NULL}, // there is no handshake here
    [FLAW_rsa_1024] = {"leaf key type", DEPTH(0, "EE certificate key too weak")},
    [FLAW_weak_curve] = {"leaf key type", DEPTH(0, "EE certificate key too weak")},
    [FLAW_issuer_weak_curve] = {"issuer key type", DEPTH(1, "CA certificate key too weak")},
    [FLAW_expired] = {"leaf validity", DEPTH(0, "certificate has expired")},
    [FLAW_not_yet_valid] = {"leaf validity", DEPTH(0, "certificate is not yet valid")},
    [FLAW_validity_reversed] = {"leaf validity", DEPTH(0, "certificate has expired")},
    [FLAW_validity_no_seconds] = {"leaf validity", DEPTH(0, "format error in certificate's notBefore field")},
    [FLAW_issuer_expired] = {"issuer validity", DEPTH(1, "certificate has expired")},
    [FLAW_issuer_not_yet_valid] = {"issuer validity", DEPTH(1, "certificate is not yet valid")},
    [FLAW_revoked] = {"leaf revoked", DEPTH(0, "certificate revoked")},
    [FLAW_issuer_revoked] = {"issuer revoked", DEPTH(1, "certificate revoked")},
    [FLAW_crl_stale] = {"issuer list's times", DEPTH(0, "CRL has expired")},
    [FLAW_crl_missing] = {"issuer list", DEPTH(0, "unable to get certificate CRL")},
    [FLAW_crl_wrong_key] = {"issuer list's signature", DEPTH(0, "CRL signature failure")},
    [FLAW_crl_issuer_no_crl_sign] = {"issuer 2.5.29.15", DEPTH(0, "key usage does not include CRL signing")},
    [FLAW_issuer_crl_stale] = {"parent list's times", DEPTH(1, "CRL has expired")},
    [FLAW_issuer_crl_missing] = {"parent list", DEPTH(1, "unable to get certificate CRL")},
    [FLAW_server_eku] = {"leaf 2.5.29.37", DEPTH(0, "unsuitable certificate purpose")},
    [FLAW_client_eku] = {"leaf 2.5.29.37", DEPTH(0, "unsuitable certificate purpose")},
    [FLAW_issuer_eku] = {"issuer 2.5.29.37", DEPTH(1, "unsuitable certificate purpose")},
    [FLAW_no_eku] = {"leaf 2.5.29.37", NULL},
    [FLAW_any_eku] = {"leaf 2.5.29.37", DEPTH(0, "unsuitable certificate purpose")},
    [FLAW_no_digital_signature] = {"leaf 2.5.29.15", NULL}, // it might be for another key exchange
    [FLAW_issuer_not_ca] = {"issuer 2.5.29.19", DEPTH(1, "invalid CA certificate")},
    [FLAW_issuer_no_basic_constraints] = {"issuer 2.5.29.19", DEPTH(1, "invalid CA certificate")},
    [FLAW_issuer_version_1] = {"issuer version, issuer 2.5.29.19, issuer 2.5.29.15, issuer 2.5.29.14, "
                               "issuer 2.5.29.35",
                               DEPTH(1, "invalid CA certificate")},
    [FLAW_issuer_no_key_cert_sign] = {"issuer 2.5.29.15", DEPTH(1, "invalid CA certificate")},
    [FLAW_path_length_exceeded] = {"parent 2.5.29.19", DEPTH(2, "path length constraint exceeded")},
    [FLAW_policy_required] = {"leaf 2.5.29.32", DEPTH(0, "no explicit policy")},
    [FLAW_ca_as_leaf] = {"leaf 2.5.29.19, leaf 2.5.29.15", NULL},
    [FLAW_ca_true_leaf] = {"leaf 2.5.29.19", NULL},
#define CONSTRAINTS(type, where)                                                                                       \
    [FLAW_name_constraint_##type##_permitted] = {where, DEPTH(0, "permitted subtree violation")},                      \
    [FLAW_name_constraint_##type##_permitted_not_critical] = {where, DEPTH(0, "permitted subtree violation")},         \
    [FLAW_name_constraint_##type##_excluded] = {where, DEPTH(0, "excluded subtree violation")},                        \
    [FLAW_name_constraint_##type##_excluded_not_critical] = {where, DEPTH(0, "excluded subtree violation")}
    CONSTRAINTS(dns, "leaf 2.5.29.17"),
    CONSTRAINTS(ip, "leaf 2.5.29.17"),
    CONSTRAINTS(email, "leaf 2.5.29.17"),
    CONSTRAINTS(uri, "leaf 2.5.29.17"),
    CONSTRAINTS(directory, "leaf subject"),
    [FLAW_name_constraint_inherited] = {"leaf 2.5.29.17", DEPTH(0, "permitted subtree violation")},
    [FLAW_critical_extension] = {"leaf 1.3.6.1.4.1.32473.1", DEPTH(0, "unhandled critical extension")},
    [FLAW_issuer_critical_extension] = {"issuer 1.3.6.1.4.1.32473.1", DEPTH(1, "unhandled critical extension")},
    // it takes a certificate with an extension twice for nobody's child
    [FLAW_duplicate_extension] = {"leaf 2.5.29.17", DEPTH(0, "unable to get local issuer certificate")},
    [FLAW_version_1] = {"leaf version, leaf 2.5.29.19, leaf 2.5.29.15, leaf 2.5.29.37, leaf 2.5.29.14, "
                        "leaf 2.5.29.35, leaf 2.5.29.17",
                        NULL},
    [FLAW_version_1_extensions] = {"leaf version", DEPTH(0, "Using cert extension requires at least X509v3")},
    [FLAW_serial_zero] = {"leaf serial", NULL},
    [FLAW_serial_negative] = {"leaf serial", NULL},
    [FLAW_serial_too_long] = {"leaf serial", NULL},
    [FLAW_wrong_host_name] = {"leaf 2.5.29.17", DEPTH(0, "hostname mismatch")},
    [FLAW_name_only_in_cn] = {"leaf 2.5.29.17", NULL}, // it still looks there
    [FLAW_wildcard_partial] = {"leaf 2.5.29.17", DEPTH(0, "hostname mismatch")},
    [FLAW_wildcard_parent] = {"leaf 2.5.29.17", DEPTH(0, "hostname mismatch")},
    [FLAW_ip_as_dns_name] = {"leaf 2.5.29.17", DEPTH(0, "IP address mismatch")},
    [FLAW_empty_subject_no_san] = {"leaf 2.5.29.17", DEPTH(0, "Subject name empty")},
    [FLAW_empty_subject_san_not_critical] = {"leaf 2.5.29.17",
                                             DEPTH(0, "Subject empty and Subject Alt Name extension not critical")},
    [FLAW_nul_in_name] = {"leaf 2.5.29.17", NULL},
    [FLAW_empty_san] = {"leaf 2.5.29.17", DEPTH(0, "Empty Subject Alternative Name extension")},
    [FLAW_san_not_ascii] = {"leaf 2.5.29.17", NULL},
    [FLAW_san_ip_length] = {"leaf 2.5.29.17", NULL},
    [FLAW_sha1_signature] = {"leaf inner algorithm, leaf outer algorithm",
                             DEPTH(0, "CA signature digest algorithm too weak")},
    [FLAW_md5_signature] = {"leaf inner algorithm, leaf outer algorithm",
                            DEPTH(0, "CA signature digest algorithm too weak")},
    [FLAW_issuer_sha1_signature] = {"issuer inner algorithm, issuer outer algorithm",
                                    DEPTH(1, "CA signature digest algorithm too weak")},
    [FLAW_signature_damaged] = {"leaf as sent", DEPTH(0, "certificate signature failure")},
    [FLAW_issuer_signature_damaged] = {"issuer as sent", DEPTH(1, "certificate signature failure")},
    [FLAW_tampered] = {"leaf as sent", DEPTH(0, "certificate signature failure")},
    [FLAW_algorithm_mismatch] = {"leaf inner algorithm",
                                 DEPTH(0, "cert info signature and signature algorithm mismatch")},
    [FLAW_trailing_garbage] = {"leaf as sent", NULL},
    [FLAW_length_not_minimal] = {"leaf as sent", NULL},
};

// What it sees of servers only, where it looks for the host's name.
static const char *const expected_of_servers[FLAW_COUNT] = {
    [FLAW_version_1] = DEPTH(0, "hostname mismatch"),
    [FLAW_nul_in_name] = DEPTH(0, "hostname mismatch"),
};

static void put_pem(struct run *r, const char *name, const char *label, const struct buf *const *ders, size_t count)
{
    struct buf text = {0};
    buf_add(&text, "", 0);
    for (size_t i = 0; i < count; i++) {
        pem_write(&text, label, buf_span(ders[i]));
    }
    char *path = mem_printf("%s/%s", r->dir, name);
    FILE *file = fopen(path, "w"); // no sync: there are many
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
    free(path);
    buf_clear(&text);
}

// What openssl thinks of what is presented; 0: it accepts.
static int openssl_verify(struct run *r, int flaw, size_t s, const struct flaw_made *made)
{
    struct buf lists[2] = {{0}};
    const struct buf *chain[8];
    const struct buf *crls[8] = {&lists[0], &lists[1]};
    const struct buf *leaf = &made->leaf_der;
    size_t crl_count = 2;
    world_crl(made, FLAW_ISSUER_ROOT, &lists[0]);
    world_crl(made, FLAW_ISSUER_ISSUING, &lists[1]);
    for (size_t i = 0; i < made->chain_len; i++) {
        chain[i] = &made->chain[i];
    }
    for (size_t i = 0; i < made->count; i++) {
        if (made->parts[i].crl.len > 0) {
            crls[crl_count++] = &made->parts[i].crl;
        }
    }
    put_pem(r, "leaf.pem", "CERTIFICATE", &leaf, 1);
    put_pem(r, "chain.pem", "CERTIFICATE", chain, made->chain_len);
    put_pem(r, "crl.pem", "X509 CRL", crls, crl_count);
    int rc =
        run(r,
            "openssl verify -x509_strict -check_ss_sig -policy 2.5.29.32.0 -auth_level 2 -CAfile root.pem -no-CApath "
            "-no-CAstore %s -CRLfile crl.pem -crl_check_all -purpose %s leaf.pem",
            made->chain_len > 0 ? "-untrusted chain.pem" : "",
            sides[s] == FLAW_CLIENT       ? "sslclient"
            : flaw == FLAW_ip_as_dns_name ? "sslserver -verify_ip 127.0.0.1"
                                          : "sslserver -verify_hostname localhost");
    buf_clear(&lists[0]);
    buf_clear(&lists[1]);
    return rc;
}

static void test_table(void **state)
{
    (void)state;
    enum flaw found;
    for (int i = 0; i < FLAW_COUNT; i++) {
        const struct flaw_info *info = flaw_info((enum flaw)i);
        assert_true(flaw_find(info->token, &found));
        assert_int_equal(found, i); // no token twice
        assert_in_range(info->sides, FLAW_CLIENT, FLAW_BOTH);
        assert_in_range(info->reason, REASON_ok + 1, REASON_COUNT - 1);
        assert_true(text_starts(info->rfc, "RFC ") && strstr(info->rfc, " section ") != NULL);
        assert_true(strlen(info->what) > 0 && !text_ends(info->what, "."));
    }
    assert_false(flaw_find("no_such_flaw", &found));
    assert_false(flaw_find("", &found));
}

static void test_wrong_side(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct flaw_made made;
    assert_fails(flaw_make(&world.setting, FLAW_wrong_host_name, FLAW_CLIENT, false, &made, &e), &e,
                 "flaw wrong_host_name is not one of a client");
    assert_fails(flaw_make(&world.setting, FLAW_no_certificate, FLAW_SERVER, false, &made, &e), &e,
                 "flaw no_certificate is not one of a server");
    assert_int_equal(made.leaf, -1);
    flaw_made_clear(&made);
}

// Exactly one thing is wrong with each.
static void test_differences(void **state)
{
    (void)state;
    FOR_EACH_FLAW(flaw, s)
    {
        struct buf text = {0};
        difference(&world.made[flaw][s][1], &world.made[flaw][s][0], &text);
        if (expected[flaw].difference == NULL || strcmp((char *)text.data, expected[flaw].difference) != 0) {
            fail_msg("%s (%d): differs in \"%s\"", flaw_info((enum flaw)flaw)->token, s, (char *)text.data);
        }
        buf_clear(&text);
    }
}

// openssl accepts every control and refuses every flaw that it can see for what it is.
static void test_openssl(void **state)
{
    (void)state;
    struct run r;
    const struct buf *root = &world.ders[0];
    run_begin(&r);
    put_pem(&r, "root.pem", "CERTIFICATE", &root, 1);
    assert_runs(&r, "openssl version");
    bool known = strstr((char *)r.out.data, "OpenSSL 3.0.") != NULL; // others see more, or say it otherwise
    FOR_EACH_FLAW(flaw, s)
    {
        const char *token = flaw_info((enum flaw)flaw)->token;
        const char *words = expected[flaw].openssl;
        if (sides[s] == FLAW_SERVER && expected_of_servers[flaw] != NULL) {
            words = expected_of_servers[flaw];
        }
        if (openssl_verify(&r, flaw, (size_t)s, &world.made[flaw][s][1]) != 0) {
            fail_msg("control of %s (%d) is refused: %s", token, s, (char *)r.out.data);
        }
        if (flaw == FLAW_no_certificate) {
            continue;
        }
        bool refused = openssl_verify(&r, flaw, (size_t)s, &world.made[flaw][s][0]) != 0;
        if (words != NULL && (!refused || (known && strstr((char *)r.out.data, words) == NULL))) {
            fail_msg("%s (%d) should be refused %s:\n%s", token, s, words, (char *)r.out.data);
        }
        if (words == NULL && refused && known) {
            fail_msg("%s (%d) should be accepted:\n%s", token, s, (char *)r.out.data);
        }
    }
    run_end(&r);
}

// What openssl reads in flaws that it accepts, or accepts from other sides.
static void test_words(void **state)
{
    (void)state;
    static const struct {
        enum flaw flaw;
        const char *words;
        bool in_control; // rather than in the flaw
    } cases[] = {
        {FLAW_no_eku, "X509v3 Extended Key Usage", true},
        {FLAW_no_digital_signature, "Key Agreement", false},
        {FLAW_ca_as_leaf, "Digital Signature, Certificate Sign, CRL Sign", false},
        {FLAW_ca_true_leaf, "CA:TRUE", false},
        {FLAW_version_1, "Version: 1 (0x0)", false},
        {FLAW_serial_zero, "Serial Number: 0 (0x0)", false},
        {FLAW_serial_negative, "(Negative)", false},
        {FLAW_san_ip_length, "IP Address:<invalid", false},
        {FLAW_any_eku, "Any Extended Key Usage", false},
        {FLAW_policy_required, "Policy: 1.3.6.1.4.1.32473.2", true},
    };
    struct run r;
    run_begin(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int control = 0; control < 2; control++) {
            const struct buf *leaf = &world.made[cases[i].flaw][0][control].leaf_der;
            put_pem(&r, "leaf.pem", "CERTIFICATE", &leaf, 1);
            assert_runs(&r, "openssl x509 -in leaf.pem -noout -text");
            if (cases[i].in_control == (control == 1)) {
                assert_says(&r, cases[i].words);
            } else {
                assert_says_not(&r, cases[i].words);
            }
        }
    }
    run_end(&r);
}

// The octets of what no tool shows.
static void test_octets(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    const struct buf *der = &world.made[FLAW_serial_too_long][0][0].leaf_der;
    assert_works(certificate_split(buf_span(der), &parts, &e), &e);
    assert_memory_equal(parts.serial.data, "\x02\x15\x01", 3);
    der = &world.made[FLAW_trailing_garbage][0][0].leaf_der;
    assert_memory_equal(der->data + der->len - 7, "garbage", 7);
    der = &world.made[FLAW_length_not_minimal][0][0].leaf_der;
    assert_memory_equal(der->data, "\x30\x83\x00", 3);
    der = &world.made[FLAW_san_not_ascii][0][0].leaf_der;
    assert_non_null(memmem(der->data, der->len, "b\xc3\xbc\x63her.example", 15));
    der = &world.made[FLAW_nul_in_name][0][0].leaf_der;
    assert_non_null(memmem(der->data, der->len, "urn:mtls:flaw:nul_in_name\0.evil.example", 39));
    der = &world.made[FLAW_nul_in_name][1][0].leaf_der;
    assert_non_null(memmem(der->data, der->len, "localhost\0.evil.example", 23));
}

// Lists are found by their issuers' names: no two CAs share one.
static void test_authorities_have_names_of_their_own(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct span *names = mem_array((size_t)FLAW_COUNT * 8, sizeof *names);
    size_t count = 0;
    FOR_EACH_FLAW(flaw, s)
    {
        for (size_t i = 0; i < 16; i++) {
            struct certificate_parts parts;
            const struct flaw_made *made = &world.made[flaw][s][i / 8];
            if (i % 8 >= made->count || made->parts[i % 8].crl.len == 0) {
                continue;
            }
            assert_works(certificate_split(buf_span(&made->parts[i % 8].der), &parts, &e), &e);
            for (size_t k = 0; k < count; k++) {
                assert_false(names[k].len == parts.subject.len &&
                             memcmp(names[k].data, parts.subject.data, names[k].len) == 0);
            }
            names[count++] = parts.subject;
        }
    }
    assert_in_range(count, FLAW_COUNT, FLAW_COUNT * 8);
    free(names);
}

static void test_parts_follow_their_issuers(void **state)
{
    (void)state;
    FOR_EACH_FLAW(flaw, s)
    {
        for (int control = 0; control < 2; control++) {
            const struct flaw_made *made = &world.made[flaw][s][control];
            assert_int_equal(made->leaf, (int)made->count - 1);
            for (int i = 0; i < (int)made->count; i++) {
                const struct flaw_part *part = &made->parts[i];
                assert_in_range(part->issuer + 3, 0, i + 2);
                assert_true(!part->revoke || part->issuer == FLAW_ISSUER_ROOT || part->issuer == FLAW_ISSUER_ISSUING);
                assert_int_equal(part->crl.len > 0, part->crl_number > 0);
            }
        }
    }
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void assert_same(const struct flaw_made *a, const struct flaw_made *b)
{
    struct err e = ERR_INIT;
    struct buf keys[2] = {{0}};
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(same(&a->parts[i].der, &b->parts[i].der));
        assert_true(same(&a->parts[i].crl, &b->parts[i].crl));
    }
    assert_true(same(&a->leaf_der, &b->leaf_der));
    if (a->leaf >= 0) {
        assert_works(key_write_pkcs8(&a->key, &keys[0], &e), &e);
        assert_works(key_write_pkcs8(&b->key, &keys[1], &e), &e);
        assert_true(same(&keys[0], &keys[1]));
    }
    buf_clear(&keys[0]);
    buf_clear(&keys[1]);
}

static void test_seeded(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct flaw_setting setting = world.setting;
    struct flaw_keys shared;
    flaw_keys_init(&shared);
    setting.seed = "golden";
    setting.comment = "made from a seed: insecure";
    FOR_EACH_FLAW(flaw, s)
    {
        struct flaw_made made[2];
        if (flaw == FLAW_rsa_1024 || (flaw == FLAW_md5_signature && sides[s] == FLAW_SERVER)) {
            continue; // RSA keys take long
        }
        for (int i = 0; i < 2; i++) {
            setting.keys = i == 0 ? &shared : NULL;
            assert_works(flaw_make(&setting, (enum flaw)flaw, sides[s], false, &made[i], &e), &e);
        }
        assert_same(&made[0], &made[1]);
        flaw_made_clear(&made[0]);
        flaw_made_clear(&made[1]);
    }
    flaw_keys_clear(&shared);
    // a control has a serial number of its own, or it would be revoked along with its flaw
    struct flaw_made flaw;
    struct flaw_made control;
    struct certificate_parts parts[2];
    assert_works(flaw_make(&setting, FLAW_revoked, FLAW_CLIENT, false, &flaw, &e), &e);
    assert_works(flaw_make(&setting, FLAW_revoked, FLAW_CLIENT, true, &control, &e), &e);
    assert_works(certificate_split(buf_span(&flaw.leaf_der), &parts[0], &e), &e);
    assert_works(certificate_split(buf_span(&control.leaf_der), &parts[1], &e), &e);
    assert_memory_not_equal(parts[0].serial.data, parts[1].serial.data, 22);
    assert_non_null(memmem(flaw.leaf_der.data, flaw.leaf_der.len, setting.comment, strlen(setting.comment)));
    flaw_made_clear(&flaw);
    flaw_made_clear(&control);
}

// Whatever the names of the servers and the keys of the CAs.
static void test_other_settings(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct general_names hosts = {0};
    struct flaw_setting setting = world.setting;
    struct flaw_made made;
    setting.hosts = &hosts;
    struct flaw_ca issuing = world.root; // which issues by itself
    setting.issuing = &issuing;
    for (int more = 0; more < 2; more++) {
        if (more == 0) {
            general_names_add(&hosts, GENERAL_NAME_IP, "192.0.2.7");
        } else {
            general_names_add(&hosts, GENERAL_NAME_DNS, "*.example.com");
            general_names_add(&hosts, GENERAL_NAME_EMAIL, "root@example.com");
            general_names_add(&hosts, GENERAL_NAME_URI, "spiffe://example.com/server");
            general_names_add(&hosts, GENERAL_NAME_DIRECTORY, "CN=server");
        }
        for (int flaw = 0; flaw < FLAW_COUNT; flaw++) {
            if ((flaw_info((enum flaw)flaw)->sides & FLAW_SERVER) == 0 || flaw == FLAW_rsa_1024) {
                continue;
            }
            for (int control = 0; control < 2; control++) {
                assert_works(flaw_make(&setting, (enum flaw)flaw, FLAW_SERVER, control == 1, &made, &e), &e);
                assert_int_equal(made.chain_len + 1 == made.count || flaw == FLAW_foreign_root_same_name ||
                                     flaw == FLAW_missing_intermediate,
                                 1); // the root is not sent
                flaw_made_clear(&made);
            }
        }
    }
    general_names_clear(&hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_wrong_side),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_openssl),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_authorities_have_names_of_their_own),
        cmocka_unit_test(test_parts_follow_their_issuers),
        cmocka_unit_test(test_seeded),
        cmocka_unit_test(test_other_settings),
    };
    return cmocka_run_group_tests(tests, world_begin, world_end);
}
