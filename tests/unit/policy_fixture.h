// SPDX-License-Identifier: Apache-2.0
// Paths of certificates in a few letters, and what policy processing reads of a certificate made from them.
#ifndef MTLS_TESTS_POLICY_FIXTURE_H
#define MTLS_TESTS_POLICY_FIXTURE_H

#include "trust/policy.h"
#include "unit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SPEC_PATH = 8, SPEC_MAPPINGS = 4, SPEC_POLICIES = 10, SEQUENCE = 0x30, OID = 0x06 };

// Policies are numbers: n is NIST-test-policy-n, 0 is anyPolicy. A set of them is a bit mask.
struct policy_spec {
    bool has_policies;
    unsigned policies;
    struct {
        int from, to;
    } mappings[SPEC_MAPPINGS];
    size_t mapping_count;
    int require_explicit, inhibit_mapping, inhibit_any; // skip counts, or CERTIFICATE_NO_SKIP
    bool self_issued;
};

struct policy_path {
    struct policy_spec certificates[SPEC_PATH]; // [0] is the leaf
    size_t count;
    unsigned user; // the user-initial-policy-set; 0: any-policy, as is bit 0
    bool explicit_policy, inhibit_mapping, inhibit_any;
};

static inline int policy_number(char letter)
{
    assert_true(letter == '*' || (letter >= '1' && letter <= '9'));
    return letter == '*' ? 0 : letter - '0';
}

// One word of a certificate: "12*" are its policies (and '*' anyPolicy), "1>2" is a mapping, "e0", "m1" and "a2" are
// requireExplicitPolicy, inhibitPolicyMapping and inhibitAnyPolicy with their skip counts, "self": it is self-issued.
static inline void policy_spec_word(struct policy_spec *c, const char *word)
{
    if (strcmp(word, "self") == 0) {
        c->self_issued = true;
    } else if (strlen(word) == 3 && word[1] == '>') {
        assert_true(c->mapping_count < SPEC_MAPPINGS);
        c->mappings[c->mapping_count].from = policy_number(word[0]);
        c->mappings[c->mapping_count++].to = policy_number(word[2]);
    } else if (strchr("ema", word[0]) != NULL) {
        *(word[0] == 'e'   ? &c->require_explicit
          : word[0] == 'm' ? &c->inhibit_mapping
                           : &c->inhibit_any) = (int)strtol(word + 1, NULL, 10);
    } else {
        c->has_policies = true;
        for (; *word != '\0'; word++) {
            c->policies |= 1U << policy_number(*word);
        }
    }
}

static inline struct policy_spec policy_spec_plain(void)
{
    return (struct policy_spec){.require_explicit = CERTIFICATE_NO_SKIP,
                                .inhibit_mapping = CERTIFICATE_NO_SKIP,
                                .inhibit_any = CERTIFICATE_NO_SKIP};
}

// Certificates from below the anchor down to the leaf, with " / " between them.
static inline void policy_path_parse(struct policy_path *p, const char *text)
{
    char *copy = mem_strdup(text);
    char *more = NULL;
    p->count = 1;
    for (const char *slash = text; (slash = strchr(slash, '/')) != NULL; slash++) {
        p->count++;
    }
    assert_true(p->count <= SPEC_PATH);
    size_t at = p->count - 1;
    p->certificates[at] = policy_spec_plain();
    for (char *word = strtok_r(copy, " ", &more); word != NULL; word = strtok_r(NULL, " ", &more)) {
        if (strcmp(word, "/") == 0) {
            p->certificates[--at] = policy_spec_plain();
        } else {
            policy_spec_word(&p->certificates[at], word);
        }
    }
    free(copy);
}

// The content octets of 2.16.840.1.101.3.2.1.48.n, or of anyPolicy.
static inline struct span policy_oid(int n)
{
    static const uint8_t any[] = {0x55, 0x1d, 0x20, 0x00};
    static uint8_t nist[SPEC_POLICIES][10];
    memcpy(nist[n], "\x60\x86\x48\x01\x65\x03\x02\x01\x30", 9);
    nist[n][9] = (uint8_t)n;
    return n == 0 ? span_of(any, sizeof any) : span_of(nist[n], sizeof nist[n]);
}

static inline void policy_add(struct buf *policies, struct span oid)
{
    struct buf info = {0};
    der_wrap(&info, OID, oid);
    der_wrap(policies, SEQUENCE, buf_span(&info));
    buf_clear(&info);
}

static inline void mapping_add(struct buf *mappings, struct span from, struct span to)
{
    struct buf pair = {0};
    der_wrap(&pair, OID, from);
    der_wrap(&pair, OID, to);
    der_wrap(mappings, SEQUENCE, buf_span(&pair));
    buf_clear(&pair);
}

// A path as policy_check takes it, with the octets that it borrows.
struct made_path {
    struct certificate certificates[SPEC_PATH];
    const struct certificate *path[SPEC_PATH];
    struct buf policies[SPEC_PATH], mappings[SPEC_PATH];
    struct span user[SPEC_POLICIES];
    struct policy_demand demand;
};

static inline void made_path_init(struct made_path *m, const struct policy_path *p)
{
    *m = (struct made_path){.demand = {.acceptable = m->user,
                                       .explicit_policy = p->explicit_policy,
                                       .inhibit_mapping = p->inhibit_mapping,
                                       .inhibit_any = p->inhibit_any}};
    for (int n = 0; n < SPEC_POLICIES; n++) {
        if ((p->user & 1U << n) != 0) {
            m->user[m->demand.count++] = policy_oid(n);
        }
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct policy_spec *spec = &p->certificates[i];
        for (int k = 0; spec->has_policies && k < SPEC_POLICIES; k++) {
            int n = i % 2 == 0 ? k : SPEC_POLICIES - 1 - k; // no order may matter
            if ((spec->policies & 1U << n) != 0) {
                policy_add(&m->policies[i], policy_oid(n));
            }
        }
        for (size_t k = 0; k < spec->mapping_count; k++) {
            mapping_add(&m->mappings[i], policy_oid(spec->mappings[k].from), policy_oid(spec->mappings[k].to));
        }
        m->certificates[i] = (struct certificate){.self_issued = spec->self_issued,
                                                  .policies = buf_span(&m->policies[i]),
                                                  .policy_mappings = buf_span(&m->mappings[i]),
                                                  .require_explicit_policy = spec->require_explicit,
                                                  .inhibit_policy_mapping = spec->inhibit_mapping,
                                                  .inhibit_any_policy = spec->inhibit_any};
        m->path[i] = &m->certificates[i];
    }
}

static inline void made_path_clear(struct made_path *m)
{
    for (size_t i = 0; i < SPEC_PATH; i++) {
        buf_clear(&m->policies[i]);
        buf_clear(&m->mappings[i]);
    }
}

#endif
