// SPDX-License-Identifier: Apache-2.0
// What the files of access rules share: rules.c decides, rules_match.c holds a pattern against an identity,
// rules_path.c methods and paths of requests.
#ifndef MTLS_TRUST_RULES_H
#define MTLS_TRUST_RULES_H

#include "trust/trust.h"

// --- rules_match.c: one trust_match, read ---

struct matcher {
    enum trust_match_field field;
    char *attribute;   // as trust_identity calls it; NULL: the whole subject
    struct buf octets; // what is compared: text without the part that means "any", an address, hexadecimal digits
    bool any;          // "*.host", "*@host", "spiffe://" with a star in it
    unsigned bits;     // of an address that count
};
// -1: words in `e`; clear it in any case.
int matcher_init(struct matcher *m, const struct trust_match *match, struct err *e);
void matcher_clear(struct matcher *m);
bool matcher_holds(const struct matcher *m, const struct trust_identity *identity);
const char *match_field_word(enum trust_match_field field); // "dns"

// --- rules_path.c: what a request may ask for ---

// A path, or all below a folder. `text` is a path that it covers and that, of a folder, no other pattern names.
struct path_pattern {
    char *text;
    size_t folder; // length of "/x/" in text; 0: it is this path alone
};
int path_pattern_init(struct path_pattern *p, const char *pattern, struct err *e);
void path_pattern_clear(struct path_pattern *p);
bool path_pattern_covers(const struct path_pattern *p, const char *path);
// Begins with a slash; no segment but the last is empty, and none is of one or two dots. -1: words in `e`.
int path_check(const char *path, struct err *e);
int method_check(const char *method, struct err *e);

// What no pattern can name
enum { UNNAMED = 1 }; // a character
#define PATH_UNNAMED "/\x01"
#define METHOD_UNNAMED "\x01"

// --- rules.c ---

// Is there any request that the rules allow this identity?
bool rules_can_allow(const struct trust_rules *rules, const struct trust_identity *identity);
// Is any of them about fingerprints or keys?
bool rules_need_digests(const struct trust_rules *rules);

#endif
