// SPDX-License-Identifier: Apache-2.0
#include "probe/internal.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct outcome outcome(enum probe_seen seen, bool hello, bool completed)
{
    return (struct outcome){.seen = seen, .hello = hello, .completed = completed, .alert = TLS_ALERT_NONE};
}

static void judged(enum probe_seen seen, enum control_state control, enum probe_verdict expected)
{
    const char *why = NULL;
    struct outcome o = outcome(seen, true, true);
    assert_string_equal(probe_verdict_word(outcome_judge(&o, control, &why)), probe_verdict_word(expected));
}

static void test_refusals_of_every_layer_are_good(void **state)
{
    (void)state;
    judged(PROBE_REFUSED, CONTROL_ANSWERS, PROBE_GOOD);
    judged(PROBE_REFUSED_LATE, CONTROL_ANSWERS, PROBE_GOOD);
    judged(PROBE_REFUSED_HTTP, CONTROL_ANSWERS, PROBE_GOOD);
    judged(PROBE_REFUSED, CONTROL_SILENT, PROBE_GOOD);
    judged(PROBE_REFUSED_LATE, CONTROL_SILENT, PROBE_GOOD);
}

static void test_nothing_is_good_without_a_control(void **state)
{
    (void)state;
    judged(PROBE_REFUSED, CONTROL_NONE, PROBE_INCONCLUSIVE);
    judged(PROBE_REFUSED_LATE, CONTROL_NONE, PROBE_INCONCLUSIVE);
    judged(PROBE_REFUSED_HTTP, CONTROL_NONE, PROBE_INCONCLUSIVE);
    judged(PROBE_SILENT, CONTROL_NONE, PROBE_INCONCLUSIVE);
    judged(PROBE_DOWN, CONTROL_NONE, PROBE_INCONCLUSIVE);
}

static void test_being_served_is_a_finding_whatever_the_good_ones_got(void **state)
{
    (void)state;
    judged(PROBE_SERVED, CONTROL_ANSWERS, PROBE_FINDING);
    judged(PROBE_SERVED, CONTROL_SILENT, PROBE_FINDING);
    judged(PROBE_SERVED, CONTROL_NONE, PROBE_FINDING);
}

static void test_silence_is_what_the_good_ones_make_of_it(void **state)
{
    const char *why = NULL;
    struct outcome stalled = outcome(PROBE_SILENT, true, false);
    (void)state;
    judged(PROBE_SILENT, CONTROL_SILENT, PROBE_FINDING);
    judged(PROBE_SILENT, CONTROL_ANSWERS, PROBE_INCONCLUSIVE);
    assert_int_equal(outcome_judge(&stalled, CONTROL_SILENT, &why), PROBE_INCONCLUSIVE);
    assert_string_equal(why, "it neither refused nor went on");
}

static void test_a_target_that_is_gone_or_never_saw_a_certificate_proves_nothing(void **state)
{
    const char *why = NULL;
    struct outcome early = outcome(PROBE_REFUSED, false, false);
    struct outcome own = outcome(PROBE_REFUSED, true, false);
    own.doubtful = true;
    (void)state;
    judged(PROBE_DOWN, CONTROL_ANSWERS, PROBE_INCONCLUSIVE);
    assert_int_equal(outcome_judge(&early, CONTROL_ANSWERS, &why), PROBE_INCONCLUSIVE);
    assert_string_equal(why, "refused before it could see any certificate");
    assert_int_equal(outcome_judge(&own, CONTROL_ANSWERS, &why), PROBE_INCONCLUSIVE);
    judged(PROBE_NOT_RUN, CONTROL_ANSWERS, PROBE_SKIPPED);
}

static void test_controls_say_how_the_target_treats_the_good(void **state)
{
    struct outcome o = outcome(PROBE_SERVED, true, true);
    (void)state;
    assert_int_equal(control_judge(&o), CONTROL_ANSWERS);
    o.seen = PROBE_SILENT;
    assert_int_equal(control_judge(&o), CONTROL_SILENT);
    o.completed = false;
    assert_int_equal(control_judge(&o), CONTROL_NONE);
    o.seen = PROBE_REFUSED_HTTP;
    assert_int_equal(control_judge(&o), CONTROL_NONE);
    o = outcome(PROBE_REFUSED, false, false);
    assert_int_equal(control_judge(&o), CONTROL_NONE); // handshake_failure may mean that only the suites differ
    o.alert = ALERT_PROTOCOL_VERSION;
    assert_int_equal(control_judge(&o), CONTROL_NO_SUCH_VERSION);
    o.hello = true;
    assert_int_equal(control_judge(&o), CONTROL_NONE);
}

// A run of these verdicts; the first is of a control.
static enum probe_verdict judge_run(const enum probe_verdict *verdicts, size_t count, char **why)
{
    struct probe_result results[8] = {{0}};
    struct probe_run run = {.results = results, .count = count};
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct probe_result){
            .of = i == 0 ? NULL : probe_case_at(0), .version = "1.3", .verdict = verdicts[i], .detail = "so"};
    }
    return run_judge(&run, why);
}

static void run_judged(const enum probe_verdict *verdicts, size_t count, enum probe_verdict expected, const char *words)
{
    char *why = NULL;
    assert_int_equal(judge_run(verdicts, count, &why), expected);
    if (words == NULL) {
        assert_null(why);
    } else {
        assert_string_equal(why, words);
    }
    free(why);
}

static void test_a_run_is_safe_only_if_nothing_is_in_doubt(void **state)
{
    (void)state;
    run_judged((enum probe_verdict[]){PROBE_GOOD, PROBE_GOOD, PROBE_SKIPPED}, 3, PROBE_GOOD, NULL);
    run_judged((enum probe_verdict[]){PROBE_GOOD, PROBE_GOOD, PROBE_FINDING}, 3, PROBE_FINDING, NULL);
    run_judged((enum probe_verdict[]){PROBE_GOOD, PROBE_GOOD, PROBE_INCONCLUSIVE}, 3, PROBE_INCONCLUSIVE,
               "1 case is in doubt, no_certificate (TLS 1.3) for one: so");
    run_judged((enum probe_verdict[]){PROBE_INCONCLUSIVE, PROBE_GOOD, PROBE_GOOD}, 3, PROBE_INCONCLUSIVE,
               "a good certificate was not served (TLS 1.3): so");
    run_judged((enum probe_verdict[]){PROBE_GOOD, PROBE_SKIPPED}, 2, PROBE_INCONCLUSIVE, "no case was run");
    run_judged((enum probe_verdict[]){PROBE_INCONCLUSIVE, PROBE_FINDING}, 2, PROBE_FINDING,
               "a good certificate was not served (TLS 1.3): so");
}

static void test_exit_codes(void **state)
{
    struct probe_run run = {.verdict = PROBE_GOOD};
    (void)state;
    assert_int_equal(probe_run_exit(&run), 0);
    run.verdict = PROBE_FINDING;
    assert_int_equal(probe_run_exit(&run), 1);
    run.verdict = PROBE_INCONCLUSIVE;
    assert_int_equal(probe_run_exit(&run), 3);
}

static void test_http_status(void **state)
{
    (void)state;
    assert_int_equal(http_status("HTTP/1.1 200 OK\r\n", 17), 200);
    assert_int_equal(http_status("HTTP/1.0 400 Bad", 16), 400);
    assert_int_equal(http_status("HTTP/1.1 20", 11), -1);
    assert_int_equal(http_status("HT", 2), -1);
    assert_int_equal(http_status("HTTP/1.2 200", 12), 0);
    assert_int_equal(http_status("220 ready", 9), 0);
    assert_int_equal(http_status("HTTP/1.1 2x0", 12), 0);
}

static bool is_near(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&address, &in, sizeof in);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&address, &in6, sizeof in6);
    }
    return address_is_near(&address);
}

static void test_what_is_near(void **state)
{
    static const char *const near[] = {"127.0.0.1",      "127.255.0.1", "10.0.0.1",    "172.16.0.1",
                                       "172.31.255.255", "192.168.1.1", "169.254.1.1", "::1",
                                       "fe80::1",        "fd00::1",     "fc00::1",     "::ffff:10.1.2.3"};
    static const char *const far[] = {"8.8.8.8",  "172.15.0.1",     "172.32.0.1", "192.169.0.1",
                                      "11.0.0.1", "169.253.0.1",    "0.0.0.0",    "2001:db8::1",
                                      "fe00::1",  "::ffff:8.8.8.8", "::"};
    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        if (!is_near(near[i])) {
            fail_msg("%s is near", near[i]);
        }
    }
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        if (is_near(far[i])) {
            fail_msg("%s is far", far[i]);
        }
    }
}

static void test_every_case_is_whole(void **state)
{
    static const char *const groups[] = {
#define GROUP(token, words) #token,
        PROBE_GROUPS(GROUP)
#undef GROUP
            NULL};
    const struct case_row *row = NULL;
    (void)state;
    for (size_t i = 0; (row = case_row_at(i)) != NULL; i++) {
        size_t group = 0;
        while (groups[group] != NULL && strcmp(groups[group], row->shown.group) != 0) {
            group++;
        }
        assert_non_null(groups[group]);
        assert_ptr_equal(probe_case_find(row->shown.token), &row->shown); // no token is there twice
        assert_true((row->flaw >= 0) == (row->run == NULL));
        bool of_servers_only = row->flaw >= 0 && flaw_info((enum flaw)row->flaw)->sides == FLAW_SERVER;
        assert_true((row->versions == 0) == of_servers_only); // the mirror's business
    }
    assert_null(probe_case_at(1000));
    assert_int_equal(probe_case_find("wrong_host_name")->reason, REASON_name_mismatch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_of_every_layer_are_good),
        cmocka_unit_test(test_nothing_is_good_without_a_control),
        cmocka_unit_test(test_being_served_is_a_finding_whatever_the_good_ones_got),
        cmocka_unit_test(test_silence_is_what_the_good_ones_make_of_it),
        cmocka_unit_test(test_a_target_that_is_gone_or_never_saw_a_certificate_proves_nothing),
        cmocka_unit_test(test_controls_say_how_the_target_treats_the_good),
        cmocka_unit_test(test_a_run_is_safe_only_if_nothing_is_in_doubt),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_http_status),
        cmocka_unit_test(test_what_is_near),
        cmocka_unit_test(test_every_case_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
