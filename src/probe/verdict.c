// SPDX-License-Identifier: Apache-2.0
#include "probe/verdict.h"

#include <stdlib.h>

enum control_state control_judge(const struct outcome *good)
{
    switch (good->seen) {
    case PROBE_SERVED: return CONTROL_ANSWERS;
    case PROBE_SILENT: return good->completed ? CONTROL_SILENT : CONTROL_NONE;
    // RFC 8446 section 4.2.1 and RFC 5246 appendix E.1: this alert says that there is no such version here.
    case PROBE_REFUSED:
        return !good->hello && good->alert == ALERT_PROTOCOL_VERSION ? CONTROL_NO_SUCH_VERSION : CONTROL_NONE;
    default: return CONTROL_NONE;
    }
}

static enum probe_verdict judge_silence(const struct outcome *wrong, enum control_state control, const char **why)
{
    if (!wrong->completed) {
        *why = "it neither refused nor went on";
        return PROBE_INCONCLUSIVE;
    }
    if (control == CONTROL_SILENT) {
        *why = "accepted, says nothing, as to the good one";
        return PROBE_FINDING;
    }
    *why = "the good one was answered, this one neither answered nor refused";
    return PROBE_INCONCLUSIVE;
}

enum probe_verdict outcome_judge(const struct outcome *wrong, enum control_state control, const char **why)
{
    *why = NULL;
    if (control == CONTROL_NO_SUCH_VERSION) {
        return PROBE_SKIPPED;
    }
    if (wrong->harmed || wrong->seen == PROBE_SERVED) {
        return PROBE_FINDING; // whatever the good ones got
    }
    if (control == CONTROL_NONE) {
        *why = "the good certificate was not served either";
        return PROBE_INCONCLUSIVE;
    }
    if (wrong->doubtful) {
        return PROBE_INCONCLUSIVE;
    }
    switch (wrong->seen) {
    case PROBE_REFUSED:
        if (!wrong->hello) {
            *why = "refused before it could see any certificate";
            return PROBE_INCONCLUSIVE;
        }
        return PROBE_GOOD;
    case PROBE_REFUSED_LATE:
    case PROBE_REFUSED_HTTP: return PROBE_GOOD;
    case PROBE_SILENT: return judge_silence(wrong, control, why);
    case PROBE_NOT_RUN: return PROBE_SKIPPED;
    default: return PROBE_INCONCLUSIVE;
    }
}

enum probe_verdict run_judge(const struct probe_run *run, char **why)
{
    size_t counts[PROBE_SKIPPED + 1] = {0};
    const struct probe_result *first = NULL; // that is inconclusive
    const struct probe_result *failed = NULL;
    *why = NULL;
    for (size_t i = 0; i < run->count; i++) {
        const struct probe_result *r = &run->results[i];
        if (r->of == NULL && r->verdict == PROBE_INCONCLUSIVE && failed == NULL) {
            failed = r;
        }
        if (r->verdict == PROBE_INCONCLUSIVE && first == NULL) {
            first = r;
        }
        if (r->of != NULL) {
            counts[r->verdict]++;
        }
    }
    if (failed != NULL) {
        *why = mem_printf("a good certificate was not served (TLS %s): %s", failed->version, failed->detail);
    } else if (first != NULL) {
        *why = mem_printf("%zu case%s in doubt, %s (TLS %s) for one: %s", counts[PROBE_INCONCLUSIVE],
                          counts[PROBE_INCONCLUSIVE] == 1 ? " is" : "s are", first->of->token, first->version,
                          first->detail);
    } else if (counts[PROBE_GOOD] + counts[PROBE_FINDING] == 0) {
        *why = mem_strdup("no case was run");
    }
    return counts[PROBE_FINDING] > 0 ? PROBE_FINDING : *why != NULL ? PROBE_INCONCLUSIVE : PROBE_GOOD;
}
