// SPDX-License-Identifier: Apache-2.0
// Advice, exit codes, baselines, and what is printed.
#include "ca/flaw.h"
#include "probe/report_internal.h"
#include "probe_report_fixture.h"

static void every_group_has_advice_for_every_server(void **state)
{
    (void)state;
    for (size_t i = 0; report_group(i) != NULL; i++) {
        bool control = strcmp(report_group(i), "control") == 0;
        for (size_t s = 0; s < ADVICE_SERVER_COUNT; s++) {
            const char *mend = advice_mend(report_group(i), (enum advice_server)s);
            assert_true((mend == NULL) == control);
        }
        struct probe_case any = {.token = "any", .group = report_group(i)};
        struct probe_case none = {.token = "any", .group = "none"};
        assert_int_equal(advice_meaning(&any) == advice_meaning(&none), control);
    }
}

// A meaning of a case's own is for a case that there is.
static void every_meaning_of_a_case_has_its_case(void **state)
{
    (void)state;
#define ADVICE(group, severity, meaning)
#define MEANING(token, severity, meaning) assert_non_null(probe_case_find(#token));
#define MEND(group, server, text) assert_in_range(strlen(text), 10, 260);
#define CLIENT(group, meaning, text)
#include "probe/advice.def"
#undef ADVICE
#undef MEANING
#undef MEND
#undef CLIENT
    assert_string_equal(advice_meaning(probe_case_find("issuer_revoked")),
                        "A CA whose key was stolen goes on being believed after it was revoked, and with it all that "
                        "the thief issues.");
    assert_int_equal(advice_severity(probe_case_find("no_certificate")), ADVICE_CRITICAL);
    assert_int_equal(advice_severity(probe_case_find("serial_zero")), ADVICE_LOW);
}

static void every_wrong_server_has_advice_for_clients(void **state)
{
    size_t servers = 0;
    (void)state;
    for (size_t i = 0; probe_case_at(i) != NULL; i++) {
        const struct probe_case *of = probe_case_at(i);
        enum flaw flaw;
        if (flaw_find(of->token, &flaw) && (flaw_info(flaw)->sides & FLAW_SERVER) != 0) {
            assert_non_null(advice_client_meaning(of->group));
            assert_non_null(advice_client_mend(of->group));
            servers++;
        }
    }
    assert_true(servers > 0);
    assert_null(advice_client_meaning("nobody")); // only clients can present nothing
}

static void servers_are_found_by_their_words(void **state)
{
    enum advice_server server = ADVICE_nginx;
    struct err e = ERR_INIT;
    (void)state;
    assert_works(advice_server_find(NULL, &server, &e), &e);
    assert_int_equal(server, ADVICE_SERVER_COUNT);
    assert_works(advice_server_find("mbedtls", &server, &e), &e);
    assert_int_equal(server, ADVICE_mbedtls);
    assert_fails(advice_server_find("IIS\033[1m", &server, &e), &e,
                 "--server: \"IIS\\x1B[1m\" is none of nginx, haproxy, apache, stunnel, envoy, openssl, go, mbedtls");
}

// --- exit codes ---

static void the_exit_code_is_the_runs(void **state)
{
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&run, "revoked", "1.3");
    assert_int_equal(probe_report_exit(&report), 1);
    probe_run_clear(&run);
    run = run_good();
    run_doubt(&run, "revoked", "1.3");
    assert_int_equal(probe_report_exit(&report), 3);
    probe_run_clear(&run);
}

static void a_baseline_forgives_its_own_findings_only(void **state)
{
    struct probe_run before = run_good();
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    run_serve(&before, "revoked", "1.2");
    run_serve(&run, "revoked", "1.2");
    assert_int_equal(probe_report_exit(&report), 1);
    report.baseline = &before;
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&run, "revoked", "1.3"); // the same case in another version is new
    assert_int_equal(probe_report_exit(&report), 1);
    run_serve(&before, "revoked", "1.3");
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&run, "expired", "1.3");
    assert_int_equal(probe_report_exit(&report), 1);
    probe_run_clear(&before);
    probe_run_clear(&run);
}

static void a_baseline_forgives_no_doubt(void **state)
{
    struct probe_run before = run_good();
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    report.baseline = &before;
    run_serve(&before, "revoked", "1.2");
    run_doubt(&run, "expired", "1.2");
    run_serve(&run, "revoked", "1.2"); // a finding, and a doubt beside it
    assert_int_equal(probe_report_exit(&report), 3);
    run_doubt(&before, "expired", "1.2");
    before.verdict = PROBE_FINDING;
    assert_int_equal(probe_report_exit(&report), 3);
    probe_run_clear(&run);
    run = run_good();
    run_serve(&run, "revoked", "1.2");
    run.results[0].verdict = PROBE_INCONCLUSIVE; // a control
    assert_int_equal(probe_report_exit(&report), 3);
    probe_run_clear(&before);
    probe_run_clear(&run);
}

static void of_two_runs_the_first_is_the_baseline(void **state)
{
    struct probe_run a = run_good();
    struct probe_run b = run_good();
    struct probe_report report = {.runs = {&a, &b}, .run_count = 2, .server = ADVICE_SERVER_COUNT};
    (void)state;
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&a, "revoked", "1.2"); // it was mended
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&b, "revoked", "1.2");
    assert_int_equal(probe_report_exit(&report), 0);
    run_serve(&b, "expired", "1.2");
    assert_int_equal(probe_report_exit(&report), 1);
    probe_run_clear(&a);
    probe_run_clear(&b);
}

// --- text ---

static struct buf printed(const struct probe_report *report)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    probe_report_text(report, to);
    fclose(to);
    struct buf out = {0};
    buf_add(&out, text, len);
    free(text);
    return out;
}

static size_t place_of(const struct buf *text, const char *part)
{
    const char *found = strstr((const char *)text->data, part);
    if (found == NULL) {
        fail_msg("no \"%s\" in:\n%s", part, (const char *)text->data);
        return 0;
    }
    return (size_t)(found - (const char *)text->data);
}

static void the_worst_comes_first_with_what_it_means_and_what_mends_it(void **state)
{
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    run_serve(&run, "serial_zero", "1.2");
    run_serve(&run, "crl_stale", "1.3");
    run_serve(&run, "revoked", "1.2");
    run_serve(&run, "revoked", "1.3");
    run_serve(&run, "no_certificate", "1.3");
    run_skip(&run, "tampered", "1.2");
    run_skip(&run, "tampered", "1.3");
    struct buf text = printed(&report);
    place_of(&text, "127.0.0.1:8443 at 2026-11-23T12:00:00Z: 4 findings\n");
    size_t critical = place_of(&text, "\ncritical: no certificate at all\n");
    size_t high = place_of(&text, "\nhigh: revocation\n  revoked (TLS 1.2, 1.3): the certificate is revoked; served: "
                                  "HTTP 200. RFC 5280 section 6.3\n    For an attacker: A stolen key");
    size_t medium = place_of(&text, "  crl_stale (TLS 1.3): ");
    size_t low = place_of(&text, "\nlow: certificates that are not well-formed\n");
    assert_true(critical < high && high < medium && medium < low);
    place_of(&text, "    stunnel  CRLfile = FILE with verifyChain = yes");
    place_of(&text, "not run\n  there is no way to revoke: --revoke-cmd: tampered\n");
    buf_clear(&text);
    report.server = ADVICE_haproxy;
    text = printed(&report);
    place_of(&text, "    HAProxy  crl-file FILE");
    assert_null(strstr((const char *)text.data, "stunnel"));
    buf_clear(&text);
    probe_run_clear(&run);
}

static void hostile_text_is_not_printed(void **state)
{
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    run_doubt(&run, "expired", "1.2");
    result_detail(run_result(&run, "expired", "1.2"), "a\033[2Jb\xff \\x41");
    free(run.target);
    run.target = mem_strdup("h\r\nst:1");
    struct buf text = printed(&report);
    place_of(&text, "h\\x0D\\x0Ast:1 at ");
    place_of(&text, "a\\x1B[2Jb\\xFF \\x41\n"); // what is escaped already is left as it is
    assert_null(memchr(text.data, '\033', text.len));
    buf_clear(&text);
    probe_run_clear(&run);
}

static void two_runs_are_shown_where_they_differ(void **state)
{
    struct probe_run a = run_good();
    struct probe_run b = run_good();
    struct probe_report report = {.runs = {&a, &b}, .run_count = 2, .server = ADVICE_nginx};
    (void)state;
    run_serve(&a, "revoked", "1.2");
    run_serve(&a, "expired", "1.2");
    run_serve(&b, "expired", "1.2");
    struct buf text = printed(&report);
    place_of(&text, "\n1 verdict differs\nCASE     TLS  A                 B\n"
                    "revoked  1.2  served: HTTP 200  refused: certificate_revoked\n");
    place_of(&text, "  expired (A: TLS 1.2; B: TLS 1.2): ");
    place_of(&text, "  revoked (A: TLS 1.2): ");
    buf_clear(&text);
    probe_run_clear(&a);
    probe_run_clear(&b);
}

static void the_live_table_has_a_line_for_each_result(void **state)
{
    struct probe_run run = run_good();
    char *text = NULL;
    size_t len = 0;
    struct probe_report_live live = {.to = open_memstream(&text, &len)};
    struct probe_observer observer = probe_report_live(&live);
    (void)state;
    run_serve(&run, "revoked", "1.2");
    observer.result(observer.arg, &run, &run.results[0], 3);
    observer.result(observer.arg, &run, run_result(&run, "revoked", "1.2"), 3);
    observer.result(observer.arg, &run, run_result(&run, "expired", "1.3"), 3);
    fclose(live.to);
    struct buf lines = {.data = (uint8_t *)text, .len = len};
    assert_int_equal(place_of(&lines, "CASE "), 0);
    place_of(&lines, "\n(good certificate) ");
    place_of(&lines, "1.2  cert_revoked           served: HTTP 200                        FINDING\n");
    place_of(&lines, "1.3  cert_expired           refused: certificate_expired            good\n");
    assert_null(strchr(text, '\r'));
    free(text);
    probe_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_has_advice_for_every_server),
        cmocka_unit_test(every_meaning_of_a_case_has_its_case),
        cmocka_unit_test(every_wrong_server_has_advice_for_clients),
        cmocka_unit_test(servers_are_found_by_their_words),
        cmocka_unit_test(the_exit_code_is_the_runs),
        cmocka_unit_test(a_baseline_forgives_its_own_findings_only),
        cmocka_unit_test(a_baseline_forgives_no_doubt),
        cmocka_unit_test(of_two_runs_the_first_is_the_baseline),
        cmocka_unit_test(the_worst_comes_first_with_what_it_means_and_what_mends_it),
        cmocka_unit_test(hostile_text_is_not_printed),
        cmocka_unit_test(two_runs_are_shown_where_they_differ),
        cmocka_unit_test(the_live_table_has_a_line_for_each_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
