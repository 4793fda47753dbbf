// SPDX-License-Identifier: Apache-2.0
// What the outcome of a wrong connection means, beside that of good ones.
#ifndef MTLS_PROBE_VERDICT_H
#define MTLS_PROBE_VERDICT_H

#include "probe/dial.h"

// How a target treats those who are good. Only what differs from that is a refusal.
enum control_state {
    CONTROL_NONE,    // not known: they were refused, or nobody has tried
    CONTROL_ANSWERS, // it answers
    CONTROL_SILENT,  // it completes the handshake and then says nothing, waiting for words in a language of its own
    CONTROL_NO_SUCH_VERSION,
};
enum control_state control_judge(const struct outcome *good);

// The verdict of a wrong one. *why: a sentence for the reader where the outcome alone does not say it; else NULL.
enum probe_verdict outcome_judge(const struct outcome *wrong, enum control_state control, const char **why);

// The verdict of the whole, from those of its results: inconclusive beats a finding only where there is no finding.
// *why is for the caller to free: what is inconclusive, or NULL.
enum probe_verdict run_judge(const struct probe_run *run, char **why);

#endif
