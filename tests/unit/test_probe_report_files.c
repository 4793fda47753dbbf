// SPDX-License-Identifier: Apache-2.0
// JSON and back; JUnit XML and HTML, as readers see them that nobody here wrote.
#include "probe/report_internal.h"
#include "probe_report_fixture.h"
#include "run.h"

static struct buf json_text(const struct probe_report *report)
{
    struct buf text = {0};
    json_t *json = probe_report_json(report);
    char *dumped = json_dumps(json, JSON_INDENT(1));
    buf_text(&text, dumped);
    free(dumped);
    json_decref(json);
    return text;
}

// One of everything, and hostile text where text comes from outside.
static struct probe_run run_mixed(void)
{
    struct probe_run run = run_good();
    run_serve(&run, "revoked", "1.2");
    run_doubt(&run, "expired", "1.3");
    run_skip(&run, "tampered", "1.2");
    run_result(&run, "self_signed", "1.2")->alert = TLS_ALERT_UNREADABLE;
    run_result(&run, "self_signed", "1.3")->alert = TLS_ALERT_NONE;
    run_result(&run, "unknown_issuer", "1.2")->seen = PROBE_REFUSED_LATE;
    run_result(&run, "unknown_issuer", "1.3")->alert = 217;
    run_result(&run, "wrong_key", "1.3")->seen = PROBE_REFUSED_HTTP;
    run_result(&run, "wrong_key", "1.3")->status = 495;
    run_add(&run, "tls_1_0", "1.0");
    result_detail(run_result(&run, "tampered", "1.2"), "]]> <script>alert('1')</script> &amp; \"\xc3\xa9\" \\x00");
    free(run.target);
    run.target = mem_strdup("<b>h</b>&\"':443");
    return run;
}

static void assert_same(const struct probe_run *a, const struct probe_run *b)
{
    assert_string_equal(a->target, b->target);
    assert_true(a->at == b->at);
    assert_int_equal(a->of_client, b->of_client);
    assert_int_equal(a->verdict, b->verdict);
    assert_true((a->why == NULL) == (b->why == NULL));
    assert_true(a->why == NULL || strcmp(a->why, b->why) == 0);
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct probe_result *x = &a->results[i];
        const struct probe_result *y = &b->results[i];
        assert_ptr_equal(x->of, y->of);
        assert_string_equal(x->version, y->version);
        assert_int_equal(x->seen, y->seen);
        assert_int_equal(x->completed, y->completed);
        assert_int_equal(x->alert, y->alert);
        assert_int_equal(x->status, y->status);
        assert_int_equal(x->verdict, y->verdict);
        assert_true(x->took_us == y->took_us);
        assert_string_equal(x->detail, y->detail);
    }
}

static void json_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        struct probe_run back = {0};
        struct probe_run run = i == 0 ? run_good() : run_mixed();
        struct probe_report report = report_of(&run);
        run.of_client = i == 1;
        struct buf text = json_text(&report);
        assert_works(probe_report_parse(buf_span(&text), &back, &e), &e);
        assert_same(&run, &back);
        buf_clear(&text);
        probe_run_clear(&back);
        probe_run_clear(&run);
    }
}

static void what_json_cannot_hold_is_escaped_and_so_read_back(void **state)
{
    struct err e = ERR_INIT;
    struct probe_run back = {0};
    struct probe_run run = run_good();
    struct probe_report report = report_of(&run);
    (void)state;
    free(run.target);
    run.target = mem_strdup("\xff\xfe\n:1");
    struct buf text = json_text(&report);
    assert_works(probe_report_parse(buf_span(&text), &back, &e), &e);
    assert_string_equal(back.target, "\\xFF\\xFE\\x0A:1");
    buf_clear(&text);
    probe_run_clear(&back);
    probe_run_clear(&run);
}

static void findings_come_with_advice_in_json(void **state)
{
    struct probe_run run = run_mixed();
    struct probe_run before = run_mixed();
    struct probe_report report = report_of(&run);
    (void)state;
    report.baseline = &before;
    run_serve(&run, "revoked", "1.3");
    json_t *json = probe_report_json(&report);
    json_t *finding = json_array_get(json_object_get(json, "findings"), 0);
    assert_int_equal(json_array_size(json_object_get(json, "findings")), 1);
    assert_string_equal(json_string_value(json_object_get(finding, "case")), "revoked");
    assert_string_equal(json_string_value(json_object_get(finding, "severity")), "high");
    assert_int_equal(json_array_size(json_object_get(finding, "versions")), 2);
    assert_int_equal(json_object_size(json_object_get(finding, "mend")), ADVICE_SERVER_COUNT);
    assert_true(json_is_false(json_object_get(finding, "known"))); // in 1.3 it is new
    json_t *counts = json_object_get(json, "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "findings")), 2);
    assert_int_equal(json_integer_value(json_object_get(counts, "known")), 1);
    json_decref(json);
    probe_run_clear(&run);
    probe_run_clear(&before);
}

// --- strictness ---

// Replaces one part of what is written of a run with one result, and reads it.
static void assert_refused(const char *part, const char *with, const char *error)
{
    struct err e = ERR_INIT;
    struct probe_run back = {0};
    struct probe_run run = {.target = mem_strdup("h:1"), .at = 0, .verdict = PROBE_GOOD};
    struct probe_report report = report_of(&run);
    run_add(&run, "revoked", "1.3");
    struct buf text = json_text(&report);
    struct buf changed = {0};
    const char *at = strstr((const char *)text.data, part);
    if (at == NULL) {
        fail_msg("no %s in %s", part, (const char *)text.data);
    }
    buf_add(&changed, text.data, (size_t)(at - (const char *)text.data));
    buf_text(&changed, with);
    buf_text(&changed, at + strlen(part));
    assert_fails(probe_report_parse(buf_span(&changed), &back, &e), &e, error);
    probe_run_clear(&back);
    assert_works(probe_report_parse(buf_span(&text), &back, &e), &e); // the control
    probe_run_clear(&back);
    probe_run_clear(&run);
    buf_clear(&text);
    buf_clear(&changed);
}

static void what_is_not_as_written_is_an_error_that_says_where(void **state)
{
    (void)state;
    assert_refused("\"mtls_probe\": 1", "\"mtls_probe\": 2", "mtls_probe: is not a number that can stand there");
    assert_refused("\"mtls_probe\"", "\"x\"", "this is not what `mtls probe --json` writes of a run");
    assert_refused("\"tried\": \"server\"", "\"tried\": \"x\"", "tried: \"x\" is not known to this version");
    assert_refused("\"h:1\"", "17", "target: is not a string");
    assert_refused("\"h:1\"", "\"h\\n:1\"", "target: is too long, or holds characters that are never written there");
    assert_refused("\"h:1\"", "\"h\\u202e:1\"",
                   "target: is too long, or holds characters that are never written there");
    assert_refused("\"at\": \"1970-01-01T00:00:00Z\"", "\"at\": \"now\"", "at: is not a time");
    assert_refused("\"verdict\": \"good\"", "\"verdict\": \"fine\"", "verdict: \"fine\" is not known to this version");
    assert_refused("\"verdict\": \"good\"", "\"verdict\": \"finding\"",
                   "verdict: \"finding\" does not follow from the results");
    assert_refused("\"why\": null", "\"why\": \"because\"", "verdict: \"good\" does not follow from the results");
    assert_refused("\"results\":", "\"result\":", "results: is not an array of 1 to 20000");
    assert_refused("\"case\": \"revoked\"", "\"case\": \"revokd\"",
                   "results[0]: case: \"revokd\" is not known to this version");
    assert_refused("\"case\": \"revoked\"", "\"case\": false", "results[0]: case: is not a string");
    assert_refused("\"version\": \"1.3\"", "\"version\": \"1.4\"",
                   "results[0]: version: \"1.4\" is not known to this version");
    assert_refused("\"seen\": \"refused\"", "\"seen\": \"so\"",
                   "results[0]: seen: \"so\" is not known to this version");
    assert_refused("\"completed\": false", "\"completed\": 0", "results[0]: completed: is not true or false");
    assert_refused("\"alert\": \"certificate_revoked\"", "\"alert\": \"unknown_ca\"",
                   "results[0]: alert: is not the name of alert_number");
    assert_refused("\"alert_number\": 44", "\"alert_number\": null", "results[0]: alert_number: is missing");
    assert_refused("\"alert_number\": 44", "\"alert_number\": 256",
                   "results[0]: alert_number: is not a number that can stand there");
    assert_refused("\"status\": null", "\"status\": 20", "results[0]: status: is not a number that can stand there");
    assert_refused("\"took_us\": 1500", "\"took_us\": -1", "results[0]: took_us: is not a number that can stand there");
    assert_refused("\"detail\": \"\"", "\"detal\": \"\"", "results[0]: detail: is missing");
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    static const char *const texts[] = {"", "{", "[1]x", "{\"a\": 1, \"a\": 2}", "{\"a\": \"\xff\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = ERR_INIT;
        struct probe_run back = {0};
        assert_int_equal(probe_report_parse(span_of(texts[i], strlen(texts[i])), &back, &e), -1);
        assert_true(text_starts(e.text, "line 1, column ")); // the rest is jansson's
        probe_run_clear(&back);
    }
}

static void a_verdict_that_its_results_deny_is_refused(void **state)
{
    static const enum probe_verdict wrong[] = {PROBE_FINDING, PROBE_INCONCLUSIVE};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        struct probe_run back = {0};
        struct probe_run run = run_good();
        struct probe_report report = report_of(&run);
        run.results[i].verdict = wrong[i]; // and the run says that it is good
        struct buf text = json_text(&report);
        assert_fails(probe_report_parse(buf_span(&text), &back, &e), &e,
                     "verdict: \"good\" does not follow from the results");
        buf_clear(&text);
        probe_run_clear(&back);
        probe_run_clear(&run);
    }
}

static void read_damaged(struct span json)
{
    struct err e = ERR_INIT;
    struct probe_run run = {0};
    if (probe_report_parse(json, &run, &e) != 0) {
        assert_true(err_is_set(&e));
    }
    probe_run_clear(&run);
}

static void damaged_json_is_survived(void **state)
{
    struct probe_run run = {.target = mem_strdup("h:1"), .verdict = PROBE_GOOD};
    struct probe_report report = report_of(&run);
    (void)state;
    run_add(&run, "revoked", "1.3");
    run_add(&run, NULL, "1.3");
    struct buf text = json_text(&report);
    survive(buf_span(&text), 1, read_damaged);
    buf_clear(&text);
    probe_run_clear(&run);
}

// --- XML and HTML ---

static void junit_is_what_parsers_expect(void **state)
{
    static const char script[] =
        "import xml.etree.ElementTree as T\n"
        "r = T.parse('junit.xml').getroot(); s = r[0]; cases = s.findall('testcase')\n"
        "n = lambda tag: sum(len(c.findall(tag)) for c in cases)\n"
        "print(r.tag, s.tag, s.get('timestamp'))\n"
        "for e in (r, s): assert [int(e.get(k)) for k in ('tests', 'failures', 'errors', 'skipped')] == \\\n"
        "    [len(cases), n('failure'), n('error'), n('skipped')]\n"
        "assert len({(c.get('classname'), c.get('name')) for c in cases}) == len(cases)\n"
        "print(s.get('name'), n('failure'), n('error'), n('skipped'))\n"
        "print([c.get('name') for c in cases if c.find('failure') is not None])\n"
        "print([c.find('skipped').get('message') for c in cases if c.find('skipped') is not None])\n";
    struct run r;
    struct probe_run probed = run_mixed();
    struct probe_run before = run_good();
    struct probe_report report = report_of(&probed);
    struct buf xml = {0};
    (void)state;
    run_begin(&r);
    run_serve(&probed, "revoked", "1.3");
    run_serve(&before, "revoked", "1.3");
    report.baseline = &before;
    probe_report_junit(&report, &xml);
    run_file(&r, "junit.xml", buf_span(&xml));
    run_file(&r, "look.py", span_of(script, strlen(script)));
    if (run_has(&r, "python3")) {
        assert_runs(&r, "python3 look.py");
        assert_says(&r, "testsuites testsuite 2026-11-23T12:00:00\n");
        assert_says(&r, "mtls probe <b>h</b>&\"':443 1 2 2\n"); // errors: the one in doubt, and so the run
        assert_says(&r, "['revoked (TLS 1.2)']");
        assert_says(&r,
                    "['known: a finding of the baseline too', ']]> <script>alert(\\'1\\')</script> &amp; \"\xc3\xa9\" "
                    "\\\\x00']");
    }
    buf_clear(&xml);
    probe_run_clear(&probed);
    probe_run_clear(&before);
    run_end(&r);
}

// Every element is closed where it must be, nothing but what we wrote is markup, and nothing is fetched.
static void html_is_well_formed_and_inert(void **state)
{
    static const char script[] =
        "import sys\nfrom html.parser import HTMLParser\n"
        "empty = {'meta', 'path', 'wbr'}\nseen = set(); text = ['']\n"
        "class P(HTMLParser):\n"
        "    stack = []\n"
        "    def handle_starttag(self, tag, attributes):\n"
        "        seen.add(tag)\n"
        "        for name, value in attributes:\n"
        "            assert name not in ('src', 'srcset', 'style') and not name.startswith('on'), name\n"
        "            assert name != 'href' or value.startswith('#'), value\n"
        "        if tag not in empty: self.stack.append(tag)\n"
        "    def handle_startendtag(self, tag, attributes): seen.add(tag)\n"
        "    def handle_endtag(self, tag): assert self.stack.pop() == tag, (self.getpos(), tag)\n"
        "    def handle_data(self, data): text[0] += data\n"
        "for name in sys.argv[1:]:\n"
        "    page = open(name, encoding='utf-8').read(); p = P(); p.feed(page); p.close()\n"
        "    assert not p.stack and page.startswith('<!doctype html>'), p.stack\n"
        "    assert not seen & {'script', 'b\"', 'img', 'iframe', 'link', 'object', 'form'}, seen\n"
        "    assert 'url(' not in page and '@import' not in page and 'http:' not in page and 'https:' not in page\n"
        "print('<script>alert(' in text[0], \"<b>h</b>&\\\"':443\" in text[0])\n";
    struct run r;
    struct probe_run probed = run_mixed();
    struct probe_run good = run_good();
    struct probe_report one = report_of(&probed);
    struct probe_report two = {.runs = {&good, &probed}, .run_count = 2, .server = ADVICE_go};
    struct buf html = {0};
    (void)state;
    run_begin(&r);
    probe_report_html(&one, &html);
    run_file(&r, "one.html", buf_span(&html));
    html.len = 0;
    probe_report_html(&two, &html);
    run_file(&r, "two.html", buf_span(&html));
    run_file(&r, "look.py", span_of(script, strlen(script)));
    if (run_has(&r, "python3")) {
        assert_runs(&r, "python3 look.py one.html two.html");
        assert_says(&r, "True True\n");
    }
    buf_clear(&html);
    probe_run_clear(&probed);
    probe_run_clear(&good);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read_back_as_it_was_written),
        cmocka_unit_test(what_json_cannot_hold_is_escaped_and_so_read_back),
        cmocka_unit_test(findings_come_with_advice_in_json),
        cmocka_unit_test(what_is_not_as_written_is_an_error_that_says_where),
        cmocka_unit_test(what_is_no_json_is_refused_with_its_place),
        cmocka_unit_test(a_verdict_that_its_results_deny_is_refused),
        cmocka_unit_test(damaged_json_is_survived),
        cmocka_unit_test(junit_is_what_parsers_expect),
        cmocka_unit_test(html_is_well_formed_and_inert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
