// SPDX-License-Identifier: Apache-2.0
// The table of cases, and the words for what came of them.
#include "probe/internal.h"

#include <string.h>

// A flaw's group follows from the reason for which it is refused.
#define GROUP_OF_no_certificate "nobody"
#define GROUP_OF_proof_of_possession "possession"
#define GROUP_OF_malformed "encoding"
#define GROUP_OF_version "encoding"
#define GROUP_OF_serial_number "encoding"
#define GROUP_OF_critical_extension "encoding"
#define GROUP_OF_duplicate_extension "encoding"
#define GROUP_OF_subject_empty "encoding"
#define GROUP_OF_subject_alt_name "encoding"
#define GROUP_OF_algorithm_mismatch "encoding"
#define GROUP_OF_algorithm_weak "strength"
#define GROUP_OF_key_too_weak "strength"
#define GROUP_OF_signature_bad "signature"
#define GROUP_OF_chain_incomplete "trust"
#define GROUP_OF_chain_untrusted "trust"
#define GROUP_OF_not_a_ca "authority"
#define GROUP_OF_key_usage "purpose"
#define GROUP_OF_path_too_long "authority"
#define GROUP_OF_name_constraint "constraint"
#define GROUP_OF_policy "authority"
#define GROUP_OF_cert_expired "time"
#define GROUP_OF_cert_not_yet_valid "time"
#define GROUP_OF_cert_revoked "revocation"
#define GROUP_OF_crl_missing "revocation"
#define GROUP_OF_crl_stale "revocation"
#define GROUP_OF_crl_signature "revocation"
#define GROUP_OF_ext_key_usage "purpose"
#define GROUP_OF_leaf_is_ca "authority"
#define GROUP_OF_name_mismatch "name"

#define ROW_BOTH(token, what, reason, rfc)                                                                             \
    {{#token, what, rfc, REASON_##reason, GROUP_OF_##reason}, FLAW_##token, VERSION_1_2 | VERSION_1_3, NULL},
#define ROW_CLIENT(token, what, reason, rfc) ROW_BOTH(token, what, reason, rfc)
// Of servers only: the mirror's business, which tries every flaw with a server side in both versions.
#define ROW_SERVER(token, what, reason, rfc)                                                                           \
    {{#token, what, rfc, REASON_##reason, GROUP_OF_##reason}, FLAW_##token, 0, NULL},

enum { VERSION_BOTH = VERSION_1_2 | VERSION_1_3 };
#define VERSION_TLS_1_0 VERSION_1_0
#define VERSION_TLS_1_1 VERSION_1_1
#define VERSION_TLS_1_2 VERSION_1_2
#define VERSION_TLS_1_3 VERSION_1_3

static const struct case_row rows[] = {
#define FLAW(token, sides, what, reason, rfc) ROW_##sides(token, what, reason, rfc)
#include "ca/flaw.def"
#undef FLAW
#define CASE(token, group, versions, what, reason, rfc)                                                                \
    {{#token, what, rfc, REASON_##reason, #group}, -1, VERSION_##versions, case_##token},
#include "probe/case.def"
#undef CASE
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct case_row *case_row_at(size_t i)
{
    return i < ROW_COUNT ? &rows[i] : NULL;
}

const struct probe_case *probe_case_at(size_t i)
{
    return i < ROW_COUNT ? &rows[i].shown : NULL;
}

const struct probe_case *probe_case_find(const char *token)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].shown.token, token) == 0) {
            return &rows[i].shown;
        }
    }
    return NULL;
}

const char *version_word(unsigned version)
{
    switch (version) {
    case VERSION_1_0: return "1.0";
    case VERSION_1_1: return "1.1";
    case VERSION_1_2: return "1.2";
    default: return "1.3";
    }
}

static const char *const seen_words[] = {
    [PROBE_REFUSED] = "refused",
    [PROBE_REFUSED_LATE] = "refused_late",
    [PROBE_REFUSED_HTTP] = "refused_http",
    [PROBE_SERVED] = "served",
    [PROBE_SILENT] = "silent",
    [PROBE_DOWN] = "down",
    [PROBE_NOT_RUN] = "not_run",
};

static const char *const verdict_words[] = {
    [PROBE_GOOD] = "good",
    [PROBE_FINDING] = "finding",
    [PROBE_INCONCLUSIVE] = "inconclusive",
    [PROBE_SKIPPED] = "skipped",
};

const char *probe_seen_word(enum probe_seen seen)
{
    return seen_words[seen];
}

const char *probe_verdict_word(enum probe_verdict verdict)
{
    return verdict_words[verdict];
}

static bool find(const char *const *words, size_t count, const char *word, size_t *found)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            *found = i;
            return true;
        }
    }
    return false;
}

bool probe_seen_find(const char *word, enum probe_seen *found)
{
    size_t i = 0;
    bool known = find(seen_words, sizeof seen_words / sizeof seen_words[0], word, &i);
    *found = (enum probe_seen)i;
    return known;
}

bool probe_verdict_find(const char *word, enum probe_verdict *found)
{
    size_t i = 0;
    bool known = find(verdict_words, sizeof verdict_words / sizeof verdict_words[0], word, &i);
    *found = (enum probe_verdict)i;
    return known;
}
