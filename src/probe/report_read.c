// SPDX-License-Identifier: Apache-2.0
// Reads a run that was written as JSON. Strict: a baseline decides what is forgiven, so what is not as it was written
// is an error that says where. Members that are not known are passed over, because later versions may add some.
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "probe/report_internal.h"
#include "tls/tls.h"

#include <string.h>

enum { FILE_MOST = 16 * 1024 * 1024, RESULTS_MOST = 20000, TEXT_MOST = 4096, HTTP_LEAST = 100, HTTP_MOST = 999 };

// A member that is a string as report_safe leaves it; NULL with the error set if it is not. With `nullable`, null too,
// and then NULL without an error.
static const char *text_member(const json_t *o, const char *name, bool nullable, struct err *e)
{
    const json_t *value = json_object_get(o, name);
    if (nullable && json_is_null(value)) {
        return NULL;
    }
    if (!json_is_string(value)) {
        err_set(e, "%s: %s", name, value == NULL ? "is missing" : "is not a string");
        return NULL;
    }
    const char *text = json_string_value(value);
    struct buf safe = {0};
    bool whole = strlen(text) == json_string_length(value) && strlen(text) <= TEXT_MOST &&
                 strcmp(report_safe(&safe, text), text) == 0;
    buf_clear(&safe);
    if (!whole) {
        err_set(e, "%s: is too long, or holds characters that are never written there", name);
        return NULL;
    }
    return text;
}

static int number_member(const json_t *o, const char *name, json_int_t least, json_int_t most, json_int_t *number,
                         struct err *e)
{
    const json_t *value = json_object_get(o, name);
    if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most) {
        return err_set(e, "%s: %s", name, value == NULL ? "is missing" : "is not a number that can stand there");
    }
    *number = json_integer_value(value);
    return 0;
}

static int unknown_word(const char *name, const char *word, struct err *e)
{
    struct buf shown = {0};
    err_set(e, "%s: \"%s\" is not known to this version", name, text_escape(&shown, word, strlen(word), 80));
    buf_clear(&shown);
    return -1;
}

static int read_case(const json_t *o, struct probe_result *r, struct err *e)
{
    const char *token = text_member(o, "case", true, e);
    if (token == NULL) {
        return err_is_set(e) ? -1 : 0; // a control
    }
    r->of = probe_case_find(token);
    return r->of == NULL ? unknown_word("case", token, e) : 0;
}

static int read_version(const json_t *o, struct probe_result *r, struct err *e)
{
    const char *version = text_member(o, "version", false, e);
    for (size_t i = 0; version != NULL && i < REPORT_VERSIONS; i++) {
        if (strcmp(version, report_versions[i]) == 0) {
            snprintf(r->version, sizeof r->version, "%s", version);
            return 0;
        }
    }
    return version == NULL ? -1 : unknown_word("version", version, e);
}

static int read_alert(const json_t *o, struct probe_result *r, struct err *e)
{
    json_int_t number = 0;
    const char *name = text_member(o, "alert", true, e);
    if (err_is_set(e)) {
        return -1;
    }
    if (!json_is_null(json_object_get(o, "alert_number"))) {
        if (number_member(o, "alert_number", 0, 255, &number, e) != 0) {
            return -1;
        }
        r->alert = (int)number;
        return name != NULL && strcmp(name, alert_name(r->alert)) == 0
                   ? 0
                   : err_set(e, "alert: is not the name of alert_number");
    }
    r->alert = name == NULL ? TLS_ALERT_NONE : TLS_ALERT_UNREADABLE;
    return name == NULL || strcmp(name, "unreadable") == 0 ? 0 : err_set(e, "alert_number: is missing");
}

static int read_result(const json_t *o, struct probe_result *r, struct err *e)
{
    json_int_t number = 0;
    const json_t *completed = json_object_get(o, "completed");
    if (!json_is_object(o)) {
        return err_set(e, "is not an object");
    }
    if (read_case(o, r, e) != 0 || read_version(o, r, e) != 0 || read_alert(o, r, e) != 0) {
        return -1;
    }
    const char *seen = text_member(o, "seen", false, e);
    if (seen == NULL || !probe_seen_find(seen, &r->seen)) {
        return seen == NULL ? -1 : unknown_word("seen", seen, e);
    }
    const char *verdict = text_member(o, "verdict", false, e);
    if (verdict == NULL || !probe_verdict_find(verdict, &r->verdict)) {
        return verdict == NULL ? -1 : unknown_word("verdict", verdict, e);
    }
    if (!json_is_boolean(completed)) {
        return err_set(e, "completed: is not true or false");
    }
    r->completed = json_is_true(completed);
    if (!json_is_null(json_object_get(o, "status"))) {
        if (number_member(o, "status", HTTP_LEAST, HTTP_MOST, &number, e) != 0) {
            return -1;
        }
        r->status = (int)number;
    }
    if (number_member(o, "took_us", 0, INT64_MAX, &number, e) != 0) {
        return -1;
    }
    r->took_us = (uint64_t)number;
    const char *detail = text_member(o, "detail", false, e);
    r->detail = mem_strdup(detail);
    return detail != NULL ? 0 : -1;
}

// A run's verdict must follow from its results, or somebody has edited one of them.
static int check_verdict(const struct probe_run *run, struct err *e)
{
    size_t findings = report_count(run, NULL).findings;
    bool clean = report_is_conclusive(run) && findings == 0;
    if (run->verdict == PROBE_SKIPPED || (run->verdict == PROBE_GOOD && !clean) ||
        (run->verdict == PROBE_FINDING && findings == 0) || (run->verdict == PROBE_INCONCLUSIVE && run->why == NULL)) {
        return err_set(e, "verdict: \"%s\" does not follow from the results", probe_verdict_word(run->verdict));
    }
    return 0;
}

static int read_results(const json_t *array, struct probe_run *run, struct err *e)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count == 0 || count > RESULTS_MOST) {
        return err_set(e, "results: is not an array of 1 to %d", RESULTS_MOST);
    }
    run->results = mem_array(count, sizeof *run->results);
    run->cap = count;
    for (size_t i = 0; i < count; i++) {
        run->count++; // it is cleared with the run, as far as it was read
        if (read_result(json_array_get(array, i), &run->results[i], e) != 0) {
            return err_context(e, "results[%zu]", i);
        }
    }
    return 0;
}

static int read_run(const json_t *o, struct probe_run *run, struct err *e)
{
    json_int_t format = 0;
    if (!json_is_object(o) || json_object_get(o, "mtls_probe") == NULL) {
        return err_set(e, "this is not what `mtls probe --json` writes of a run");
    }
    if (number_member(o, "mtls_probe", 1, 1, &format, e) != 0) {
        return -1;
    }
    const char *target = text_member(o, "target", false, e);
    const char *at = target == NULL ? NULL : text_member(o, "at", false, e);
    const char *verdict = at == NULL ? NULL : text_member(o, "verdict", false, e);
    const char *why = verdict == NULL ? NULL : text_member(o, "why", true, e);
    if (verdict == NULL || err_is_set(e)) {
        return -1;
    }
    run->target = mem_strdup(target);
    const char *tried = text_member(o, "tried", false, e);
    if (tried == NULL || (strcmp(tried, "client") != 0 && strcmp(tried, "server") != 0)) {
        return tried == NULL ? -1 : unknown_word("tried", tried, e);
    }
    run->of_client = strcmp(tried, "client") == 0;
    run->why = mem_strdup(why);
    if (strchr(at, 'T') == NULL || clock_parse(at, 0, &run->at, e) != 0) {
        err_set(e, "is not a time");
        return err_context(e, "at");
    }
    if (!probe_verdict_find(verdict, &run->verdict)) {
        return unknown_word("verdict", verdict, e);
    }
    return read_results(json_object_get(o, "results"), run, e) != 0 ? -1 : check_verdict(run, e);
}

int probe_report_parse(struct span json, struct probe_run *run, struct err *e)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &where);
    if (root == NULL) {
        struct buf shown = {0};
        err_set(e, "line %d, column %d: %s", where.line, where.column,
                text_escape(&shown, where.text, strlen(where.text), 200));
        buf_clear(&shown);
        return -1;
    }
    int rc = read_run(root, run, e);
    json_decref(root);
    return rc;
}

int probe_report_read(const char *path, struct probe_run *run, struct err *e)
{
    struct buf text = {0};
    int rc = file_read(path, FILE_MOST, &text, e);
    if (rc == 0 && probe_report_parse(buf_span(&text), run, e) != 0) {
        rc = err_context(e, "reading %s", path);
    }
    buf_clear(&text);
    return rc;
}
