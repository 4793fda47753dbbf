// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/load.h"

#include <jansson.h>
#include <stdlib.h>

enum kind { RIGHT, FAILED, WRONG, KINDS };

static const struct {
    const char *name;
    enum kind kind;
} kinds[] = {
#define X(kind, name) {#name, kind},
    LOAD_COUNTS(X)
#undef X
};

static const char *const modes[] = {
#define X(upper, name, what) #name,
    LOAD_MODES(X)
#undef X
};

static json_t *mode_json(const struct load *l, enum load_mode mode, uint64_t sums[KINDS])
{
    const struct load_counts *counts = &l->counts[mode];
    json_t *json = json_pack("{s:I}", "begun", (json_int_t)counts->begun);
    json_t *alerts = json_object();
    for (size_t i = 0; i < COUNT_COUNT; i++) {
        sums[kinds[i].kind] += counts->of[i];
        if (counts->of[i] > 0) {
            json_object_set_new(json, kinds[i].name, json_integer((json_int_t)counts->of[i]));
        }
    }
    for (size_t i = 0; i < l->alert_count; i++) {
        if (l->alerts[i].mode == mode) {
            json_object_set_new(alerts, l->alerts[i].text, json_integer((json_int_t)l->alerts[i].count));
        }
    }
    json_object_set_new(json, "bytes", json_integer((json_int_t)counts->bytes));
    json_object_set_new(json, "alerts", alerts);
    return json;
}

// Whose held connections the server closed, and when.
static json_t *closed_json(const struct load *l)
{
    json_t *closed = json_object();
    for (size_t i = 0; i < l->good.count; i++) {
        const struct identity *who = &l->good.items[i];
        if (who->closed > 0) {
            json_object_set_new(closed, who->name,
                                json_pack("{s:I, s:I, s:I}", "connections", (json_int_t)who->closed, "first_us",
                                          (json_int_t)who->closed_first_us, "last_us",
                                          (json_int_t)who->closed_last_us));
        }
    }
    return closed;
}

int report_print(const struct load *l, double seconds)
{
    uint64_t sums[KINDS] = {0};
    json_t *by_mode = json_object();
    for (int mode = 0; mode < MODE_COUNT; mode++) {
        if (l->counts[mode].begun > 0) {
            json_object_set_new(by_mode, modes[mode], mode_json(l, (enum load_mode)mode, sums));
        }
    }
    json_t *report = json_pack("{s:f, s:I, s:I, s:o, s:o}", "seconds", seconds, "failed", (json_int_t)sums[FAILED],
                               "wrong", (json_int_t)sums[WRONG], "modes", by_mode, "closed", closed_json(l));
    json_dumpf(report, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(4));
    puts("");
    json_decref(report);
    return sums[FAILED] + sums[WRONG] > 0;
}
