// SPDX-License-Identifier: Apache-2.0
// Path tests as data: the *.txt files here describe certificates and revocation lists, which are made by ca/, and
// questions to the judge with the exact answer expected. README.md has the language.
#ifndef MTLS_TESTS_PATHS_H
#define MTLS_TESTS_PATHS_H

#include "base/err.h"
#include "base/mem.h"
#include "base/random.h"
#include "ca/certificate.h"

#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <string.h>

static const int64_t paths_now = 1780272000; // 2026-06-01T00:00:00Z: what times are relative to

enum { WORDS_MOST = 40, EXTENSIONS_MOST = 100 };

// One line, taken apart: the first word, an operand, and key=value attributes in their order.
struct line {
    char *text; // owned; the words point into it
    char *words[WORDS_MOST];
    size_t count;
};
int line_split(struct line *line, const char *text, struct err *e);
void line_clear(struct line *line);
// The value of an attribute, or `otherwise`; each attribute that is asked for counts as known.
struct attribute {
    const char *key;
    const char *value;
};
bool line_attribute(const struct line *line, size_t *at, struct attribute *attribute); // from *at on; false: no more

// A key by its name, made when it is first asked for: "rsa-N" and "rsa-N.anything" have N bits, "ec-p384.x" is on that
// curve, all others are on P-256.
struct path_key {
    char *name;
    mbedtls_pk_context pk;
    uint8_t id[KEY_ID_SIZE];
    struct path_key *next;
};

// What was made: a certificate or a list.
struct made {
    char *name;
    bool is_list;
    char *subject;        // of a certificate, RFC 4514
    struct path_key *key; // of a certificate
    struct buf serial;    // content octets
    struct buf der;
    size_t copies; // that many certificates which differ in their serial numbers
    struct made *next;
};

struct world {
    struct rng rng;
    struct path_key *keys;
    struct made *made; // newest first: a name may be used again
};
int world_begin(struct world *w, struct err *e);
void world_forget(struct world *w); // what was made, but not the keys
void world_end(struct world *w);
struct path_key *world_key(struct world *w, const char *name, struct err *e);
struct made *world_find(const struct world *w, const char *name, struct err *e);
// Puts its subject (RFC 4514, owned) and key in place of what is there.
int world_issuer(const struct world *w, const char *name, char **subject, struct path_key **key, struct err *e);
struct made *world_add(struct world *w, const char *name, bool is_list);

int certificate_line(struct world *w, const struct line *line, struct err *e); // root, ca, leaf
int list_line(struct world *w, const struct line *line, struct err *e);

// DER as text: hexadecimal octets, 'text', <1.2.3> an object identifier's content, {CN=x} a Name, and NN(...) an
// element with tag NN around what is in the parentheses. [i:1-9 ...$i...] is repeated for each number.
int der_text(const char *text, struct buf *out, struct err *e);

// Extensions as whole elements, for changing them: "!" before the name makes one critical.
struct edits {
    struct buf items[EXTENSIONS_MOST];
    size_t count;
};
int edits_open(struct edits *x, struct span extensions, struct err *e); // content of Extensions
int edits_put(struct edits *x, const char *text, struct err *e);        // "[!]name:der" in place or at the end
int edits_add(struct edits *x, const char *text, struct err *e);        // the same, always at the end
int edits_drop(struct edits *x, const char *name, struct err *e);
void edits_close(struct edits *x, struct buf *out); // content of Extensions; clears

// A list of words, cut at commas: calls each(arg, word).
int each_word(const char *list, int (*each)(void *arg, const char *word, struct err *e), void *arg, struct err *e);

#endif
