// SPDX-License-Identifier: Apache-2.0
// How a flaw comes about. A recipe (flaw_recipe.c) drafts some good certificates and spoils one thing in one of them;
// flaw.c makes what was drafted; what mbedTLS's writer refuses to make is an edit of the finished certificate
// (flaw_edit.c). Private to the files flaw*.c.
#ifndef MTLS_CA_FLAW_INTERNAL_H
#define MTLS_CA_FLAW_INTERNAL_H

#include "ca/flaw.h"

#define FLAW_ORGANIZATION "O=mtls flaws"
#define OID_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define OID_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"

// The certificates of a draft, each issued by a later one or by a CA of the setting.
enum { DRAFT_LEAF, DRAFT_ISSUER, DRAFT_PARENT, DRAFT_COUNT };

// A to-be-signed certificate (RFC 5280 section 4.1) in pieces. Every field is a whole element; an empty one is left
// out.
enum { TBS_VERSION, TBS_SERIAL, TBS_ALGORITHM, TBS_ISSUER, TBS_VALIDITY, TBS_SUBJECT, TBS_KEY, TBS_FIELDS };
enum { TBS_EXTENSIONS_MAX = 16 };
struct tbs {
    const struct flaw_setting *setting; // borrowed
    mbedtls_pk_context *signer;         // borrowed
    mbedtls_md_type_t digest;           // of the signature to come
    struct buf fields[TBS_FIELDS];
    struct buf extensions[TBS_EXTENSIONS_MAX];
    size_t extension_count;
};

typedef int tbs_edit(struct tbs *tbs, struct err *e);           // before it is signed again
typedef int der_damage(struct buf *certificate, struct err *e); // to what is presented, after it was signed

struct draft_certificate {
    const char *part; // as in struct flaw_part
    int signer;       // DRAFT_*, or FLAW_ISSUER_*; FLAW_ISSUER_NONE: itself
    enum key_type key;
    struct certificate_content content;
    tbs_edit *edit;     // or NULL
    der_damage *damage; // or NULL
    bool revoke;
    struct draft_crl { // what an authority publishes
        bool missing;
        bool wrong_key;
        int64_t this_update;
        int64_t next_update;
    } crl;
};

struct draft {
    const struct flaw_setting *setting; // borrowed
    const char *token;                  // borrowed
    enum flaw_side side;
    bool control;
    struct draft_certificate certificates[DRAFT_COUNT];
    bool absent;         // nothing is presented
    bool send_leaf_only; // without its issuers
    bool send_root;      // the root of the setting too
    bool wrong_key;      // the handshake is signed with a key that is not the leaf's
};

// Drafts a flaw or its control. Clear the draft with flaw_draft_clear.
void flaw_draft(const struct flaw_setting *setting, enum flaw flaw, enum flaw_side side, bool control,
                struct draft *draft);
void flaw_draft_clear(struct draft *draft);

// Who issues the leaf, and who issues that: the setting's issuing CA, its root, or CAs of the draft below the root.
enum shape { UNDER_ISSUING, UNDER_ROOT, UNDER_CA, UNDER_TWO_CAS };
void draft_good(struct draft *draft, enum shape shape);         // certificates that nothing is wrong with
void draft_subject(struct draft_certificate *c, char *subject); // takes the text over
void draft_dates(struct draft_certificate *c, int64_t not_before, int64_t not_after);
void draft_oid(char ***list, const char *oid); // a list of this one, or of none: NULL

const char *flaw_host(const struct flaw_setting *setting); // its first DNS name that is no wildcard, or "localhost"
const char *flaw_prefix(const struct flaw_setting *setting);
const char *flaw_side_word(enum flaw_side side); // "client", "server"

int flaw_rng(const struct flaw_setting *setting, const char *label, struct rng *rng, struct err *e);
// As key_generate, with `key` initialised before.
int flaw_key(const struct flaw_setting *setting, enum key_type type, bool authority, struct rng *rng,
             mbedtls_pk_context *key, struct err *e);

// Takes a certificate apart, edits it, and puts it together with a new signature by `signer`.
int flaw_edit(tbs_edit *edit, const struct flaw_setting *setting, mbedtls_pk_context *signer, struct rng *rng,
              struct buf *certificate, struct err *e);

void tbs_put(struct buf *b, struct span bytes); // in place of what was there

tbs_edit edit_version_1, edit_version_1_extensions;
tbs_edit edit_serial_zero, edit_serial_negative, edit_serial_too_long;
tbs_edit edit_sha1, edit_md5, edit_inner_algorithm;
tbs_edit edit_issuer_name, edit_root_name;
tbs_edit edit_validity_no_seconds;
tbs_edit edit_unknown_extension, edit_unknown_critical_extension;
tbs_edit edit_duplicate_extension, edit_no_basic_constraints, edit_require_policy;
tbs_edit edit_san_nul, edit_san_empty, edit_san_not_ascii, edit_san_ip_length, edit_san_not_critical;
tbs_edit edit_san_wildcard_partial, edit_san_ip_as_dns_name;

der_damage damage_signature, damage_serial, damage_append, damage_length;

#endif
