// SPDX-License-Identifier: Apache-2.0
// One question to the judge on its way: the search for a path (path.c), the validation of each path found
// (validate.c), and what was found wrong with those that failed.
#ifndef MTLS_TRUST_SEARCH_H
#define MTLS_TRUST_SEARCH_H

#include "trust/certificate.h"
#include "trust/policy.h"
#include "trust/revocation.h"
#include "trust/trust.h"

enum {
    PATH_MOST = 16,            // certificates of a path, the anchor left out
    SIGNATURES_MOST = 64,      // checks of a certificate's signature for one question
    CANDIDATES_MOST = 4096,    // issuers of the right name looked at for one question
    NAME_CHECKS_MOST = 262144, // names held against name constraints for one question
    SIGNER_DEPTH_MOST = 3,     // signers of lists whose own certificates need lists, and so on
};

// What ran out is shared by a question and the questions about signers of lists that it leads to.
struct budget {
    struct checked {
        const struct certificate *child;
        struct span key; // SubjectPublicKeyInfo
        uint8_t fact[TRUST_FACT];
        enum reason result;
    } checked[SIGNATURES_MOST];
    size_t checked_count;
    size_t candidates, names;
    bool used_up;
};

// What the end of the path is to be good for.
enum target { TARGET_PEER, TARGET_LIST_SIGNER };

struct search {
    const struct trust_snapshot *snapshot;
    struct certificate *const *presented; // beside the leaf; not trusted
    size_t presented_count;
    enum target target;
    enum trust_purpose purpose;
    const char *name; // or NULL
    int64_t now;
    const uint8_t *fact; // a signature that is known to be good, or NULL
    int signer_depth;    // 0: the question itself
    struct budget *budget;
    // The path under construction: path[0] is the leaf; `anchor` once it is complete.
    const struct certificate *path[PATH_MOST];
    size_t count;
    const struct certificate *anchor;
    // The most telling failure so far.
    struct trust_verdict *verdict;
    int rank; // of that failure; 0: none yet
};

// How telling a failure is: that of a path which reached an anchor says more than that of one which did not.
enum { RANK_NO_ISSUER = 1, RANK_BAD_CANDIDATE = 2, RANK_UNTRUSTED = 3, RANK_PATH = 4, RANK_BUDGET = 5 };
void search_fail(struct search *s, int rank, enum reason reason, size_t depth, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

// Finds a path from `leaf` to an anchor that validates. True: it is in s->path and s->anchor.
bool path_find(struct search *s, const struct certificate *leaf);

// RFC 5280 section 6.1 over s->path and s->anchor. False: the failure is noted.
bool path_validate(struct search *s);

#endif
