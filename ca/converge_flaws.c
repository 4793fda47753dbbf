// SPDX-License-Identifier: Apache-2.0
// The flaws of a plan. A flaw, its control and everything made for them stand or fall together: when anything of it is
// missing, changed or near its end, all of it is made again.
#include "base/clock.h"
#include "base/der.h"
#include "base/name_text.h"
#include "base/pem.h"
#include "base/text.h"
#include "ca/converge.h"

#include <stdlib.h>
#include <string.h>

enum { FLAW_LIFETIME = 397 * CLOCK_DAY };

static const struct {
    enum flaw_side side;
    const char *prefix;
} sides[] = {{FLAW_CLIENT, "client"}, {FLAW_SERVER, "server"}};

static bool wanted(const struct plan *plan, const char *token)
{
    for (char **name = plan->flaws; name != NULL && *name != NULL; name++) {
        if (strcmp(*name, "all") == 0 || strcmp(*name, token) == 0) {
            return true;
        }
    }
    return false;
}

static char *flaw_directory(const struct convergence *c, const struct flaw_step *f, bool control)
{
    char *dir = entry_directory(c->pki, ROLE_FLAW, f->name);
    char *path = mem_printf("%s%s", dir, control ? "/control" : "");
    free(dir);
    return path;
}

// One digest over the files of the flaw and its control, so that any change of any of them is noticed.
static void digest_files(const struct convergence *c, const struct flaw_step *f, char hex[65])
{
    static const char *const names[] = {"key.pem", "cert.pem", "chain.pem", "fullchain.pem", "combined.pem"};
    struct buf all = {0};
    for (int control = 0; control < 2; control++) {
        char *dir = flaw_directory(c, f, control == 1);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            struct err ignored = ERR_INIT;
            char *path = mem_printf("%s/%s", dir, names[i]);
            buf_printf(&all, "\n%s\n", names[i]);
            if (file_exists(path)) {
                file_read(path, FILE_LIMIT, &all, &ignored);
            }
            free(path);
        }
        free(dir);
    }
    file_digest(buf_span(&all), hex);
    buf_clear(&all);
}

static void digest_made(const struct flaw_step *f, char hex[65])
{
    struct buf all = {0};
    for (int i = 0; i < 2; i++) {
        const struct entry_files *files = &f->files[i];
        const struct {
            const char *name;
            const struct buf *text;
        } list[] = {{"key.pem", &files->key},
                    {"cert.pem", &files->cert},
                    {"chain.pem", &files->chain},
                    {"fullchain.pem", &files->fullchain},
                    {"combined.pem", &files->combined}};
        for (size_t k = 0; k < sizeof list / sizeof list[0]; k++) {
            buf_printf(&all, "\n%s\n", list[k].name);
            buf_add(&all, list[k].text->data, list[k].text->len);
        }
    }
    file_digest(buf_span(&all), hex);
    buf_clear(&all);
}

// What a flaw depends on: what it is, the CAs it hangs from, and the names of the servers.
static char *spec_of(const struct convergence *c, const struct flaw_step *f)
{
    struct buf text = {0};
    char digest[65];
    const struct flaw_info *info = flaw_info(f->flaw);
    buf_printf(&text, "flaw 2\n%s\n%s\n%s\n%s %s\n%s %s\n", f->name, info->what, reason_token(info->reason),
               c->flaw_root->cert.key_id, c->flaw_root->cert.subject, c->flaw_issuing->cert.key_id,
               c->flaw_issuing->cert.subject);
    for (size_t i = 0; i < c->plan->flaw_hosts.count; i++) {
        buf_printf(&text, "%s\n", c->plan->flaw_hosts.items[i].value);
    }
    file_digest(buf_span(&text), digest);
    buf_clear(&text);
    return mem_strdup(digest);
}

static int decide(struct convergence *c, struct flaw_step *f, bool rekeyed, struct err *e)
{
    struct record control = {0};
    char digest[65];
    char *name = mem_printf("%s/control", f->name);
    int found = db_find_current(c->pki->db, ROLE_FLAW, name, &control, e);
    f->spec = rekeyed && c->options->check ? mem_strdup("") : spec_of(c, f); // CAs that are not there yet
    f->existed = found == 1;
    if (found == 0) {
        f->why = "new";
    } else if (found == 1 && (rekeyed || strcmp(control.spec, f->spec) != 0)) {
        f->why = "the plan or the CAs above it changed";
    } else if (found == 1 && c->pki->now >= control.not_after - (control.not_after - control.not_before) / 3) {
        f->why = "near its end";
    } else if (found == 1) {
        digest_files(c, f, digest);
        f->why = strcmp(digest, control.key_file_digest) == 0 ? NULL : "its files were not what was issued";
    }
    f->make = f->why != NULL;
    record_clear(&control);
    free(name);
    return found < 0 ? -1 : 0;
}

int converge_flaws_decide(struct convergence *c, struct err *e)
{
    struct step *issuing = converge_authority(c, c->plan->flaw_issuer);
    struct step *root = issuing;
    if (issuing == NULL) {
        return 0; // the plan has no flaws
    }
    while (root->above != NULL) {
        root = root->above;
    }
    c->flaw_issuing = issuing->authority;
    c->flaw_root = root->authority;
    c->flaws = mem_array((size_t)FLAW_COUNT * 2, sizeof *c->flaws);
    flaw_keys_init(&c->flaw_keys);
    bool any = false;
    for (size_t i = 0; i < (size_t)FLAW_COUNT * 2; i++) {
        enum flaw flaw = (enum flaw)(i / 2);
        if ((flaw_info(flaw)->sides & sides[i % 2].side) == 0 || !wanted(c->plan, flaw_info(flaw)->token)) {
            continue;
        }
        struct flaw_step *f = &c->flaws[c->flaw_count++];
        f->flaw = flaw;
        f->side = sides[i % 2].side;
        f->name = mem_printf("%s-%s", sides[i % 2].prefix, flaw_info(flaw)->token);
        if (decide(c, f, issuing->rekeyed, e) != 0) {
            return -1;
        }
        any = any || f->make;
    }
    bool keys = any && !c->options->check;
    return keys && (authority_key(c->pki, c->flaw_root, e) != 0 || authority_key(c->pki, c->flaw_issuing, e) != 0) ? -1
                                                                                                                   : 0;
}

static void files_of(const struct flaw_made *made, struct span key_pem, struct entry_files *files)
{
    struct buf chain = {0};
    for (size_t i = 0; i < made->chain_len; i++) {
        pem_write(&chain, "CERTIFICATE", buf_span(&made->chain[i]));
    }
    entry_files_make(files, key_pem, buf_span(&made->leaf_der), buf_span(&chain));
    buf_clear(&chain);
}

int converge_flaw_make(struct convergence *c, size_t i, struct err *e)
{
    struct flaw_step *f = &c->flaws[i];
    struct flaw_ca root = {.der = buf_span(&c->flaw_root->cert.der), .issuer = authority_issuer(c->flaw_root)};
    struct flaw_ca issuing = {.der = buf_span(&c->flaw_issuing->cert.der), .issuer = authority_issuer(c->flaw_issuing)};
    int64_t left = c->flaw_issuing->cert.not_after - c->pki->now;
    struct flaw_setting setting = {
        .root = &root,
        .issuing = &issuing,
        .hosts = &c->plan->flaw_hosts,
        .now = c->pki->now,
        .lifetime = left < FLAW_LIFETIME ? left : FLAW_LIFETIME,
        .seed = c->pki->seed,
        .comment = pki_comment(c->pki),
        .keys = &c->flaw_keys,
    };
    for (int control = 0; control < 2; control++) {
        struct buf key = {0};
        struct flaw_made *made = &f->made[control];
        int rc = flaw_make(&setting, f->flaw, f->side, control == 1, made, e);
        if (rc == 0 && mbedtls_pk_get_type(&made->key) != MBEDTLS_PK_NONE) {
            rc = key_write_pem(&made->key, &key, e);
        }
        if (rc == 0) {
            files_of(made, buf_span(&key), &f->files[control]);
        }
        buf_clear(&key);
        if (rc != 0) {
            return err_context(e, "flaw %s%s", f->name, control == 1 ? " (control)" : "");
        }
    }
    return 0;
}

static int64_t issuer_id(const struct convergence *c, const int64_t *ids, int issuer)
{
    switch (issuer) {
    case FLAW_ISSUER_ROOT: return c->flaw_root->ca_id;
    case FLAW_ISSUER_ISSUING: return c->flaw_issuing->ca_id;
    case FLAW_ISSUER_NONE: return 0;
    default: return ids[issuer];
    }
}

// A list of the part that this one replaces says nothing about it.
static int drop_previous(struct convergence *c, const char *name, struct err *e)
{
    struct record previous = {0};
    int found = db_find_current(c->pki->db, ROLE_FLAW, name, &previous, e);
    int rc = found == 1 ? db_crl_drop(c->pki->db, previous.id, e) : found;
    record_clear(&previous);
    return rc;
}

// `presented` is what goes to the file, damaged as it may be; the facts about it are those of the part.
static int record_fill(struct record *r, const struct flaw_step *f, const struct flaw_part *part,
                       const struct buf *presented, const char *files, int64_t now, struct err *e)
{
    struct certificate_parts parts;
    struct der_item serial;
    struct buf subject = {0};
    if (certificate_split(buf_span(&part->der), &parts, e) != 0 || der_next(&parts.serial, &serial, e) != 0 ||
        name_to_text(parts.subject, &subject, e) != 0) {
        buf_clear(&subject);
        return -1;
    }
    r->role = ROLE_FLAW;
    r->origin = ORIGIN_PLAN;
    r->subject = mem_strdup((char *)subject.data);
    r->spec = mem_strdup(f->spec);
    r->key_file_digest = mem_strdup(files);
    r->not_before = part->not_before;
    r->not_after = part->not_after;
    r->issued_at = now;
    r->invalidity_date = CRL_NO_INVALIDITY_DATE;
    r->current = true;
    buf_add(&r->serial, serial.content.data, serial.content.len);
    buf_add(&r->der, presented->data, presented->len);
    file_digest(buf_span(presented), r->fingerprint);
    buf_clear(&subject);
    return 0;
}

static int record_part(struct convergence *c, struct flaw_step *f, int control, size_t i, int64_t *ids,
                       const char *files, struct err *e)
{
    struct flaw_made *made = &f->made[control];
    struct flaw_part *part = &made->parts[i];
    bool leaf = made->leaf == (int)i;
    struct record r = {.id = 0};
    struct revocation revocation = {
        .reason = REVOCATION_key_compromise, .when = c->pki->now, .invalidity_date = CRL_NO_INVALIDITY_DATE};
    struct crl_record crl = {.number = part->crl_number,
                             .this_update = part->crl_this_update,
                             .next_update = part->crl_next_update,
                             .der = part->crl}; // lent
    r.name = mem_printf("%s%s%s%s", f->name, control == 1 ? "/control" : "", leaf ? "" : "/", leaf ? "" : part->part);
    int rc = drop_previous(c, r.name, e);
    if (rc == 0) {
        rc = record_fill(&r, f, part, leaf ? &made->leaf_der : &part->der, files, c->pki->now, e);
    }
    if (rc == 0) {
        r.issuer_id = issuer_id(c, ids, part->issuer);
        rc = db_add(c->pki->db, &r, e);
        ids[i] = r.id;
    }
    if (rc == 0 && part->revoke) {
        rc = converge_revoke(c, r.id, r.issuer_id, &revocation, e);
    }
    if (rc == 0 && part->crl.len > 0) {
        crl.issuer_id = r.id;
        rc = db_crl_put(c->pki->db, r.id, &crl, e);
    }
    record_clear(&r);
    c->report->certificates++;
    return rc;
}

int converge_flaws_record(struct convergence *c, struct err *e)
{
    for (size_t k = 0; k < c->flaw_count; k++) {
        struct flaw_step *f = &c->flaws[k];
        char files[65];
        if (!f->make) {
            continue;
        }
        digest_made(f, files);
        for (int control = 0; control < 2; control++) {
            int64_t ids[sizeof f->made[0].parts / sizeof f->made[0].parts[0]] = {0};
            // issuers stand before what they issue
            for (size_t i = 0; i < f->made[control].count; i++) {
                if (record_part(c, f, control, i, ids, files, e) != 0) {
                    return err_context(e, "flaw %s", f->name);
                }
            }
        }
    }
    return 0;
}

static int put(struct convergence *c, struct flaw_step *f, struct err *e)
{
    for (int control = 0; f->make && c->batch != NULL && control < 2; control++) {
        char *dir = flaw_directory(c, f, control == 1);
        int rc = f->made[control].leaf_der.len == 0
                     ? 0
                     : entry_files_put(c->batch, dir, &f->files[control], false, &c->report->files, e);
        free(dir);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

int converge_flaws_put(struct convergence *c, struct err *e)
{
    for (size_t i = 0; i < c->flaw_count; i++) {
        struct flaw_step *f = &c->flaws[i];
        struct record r = {0};
        if (put(c, f, e) != 0) {
            return -1;
        }
        int found = db_find_current(c->pki->db, ROLE_FLAW, f->name, &r, e);
        enum pki_action action = !f->make ? PKI_KEPT : f->existed ? PKI_REISSUED : PKI_MADE;
        converge_report(c, ROLE_FLAW, f->name, found == 1 ? &r : NULL, c->plan->flaw_issuer, action, f->why);
        record_clear(&r);
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

void converge_flaws_clear(struct convergence *c)
{
    if (c->flaws != NULL) {
        flaw_keys_clear(&c->flaw_keys);
    }
    for (size_t i = 0; c->flaws != NULL && i < c->flaw_count; i++) {
        struct flaw_step *f = &c->flaws[i];
        free(f->name);
        free(f->spec);
        for (int control = 0; control < 2; control++) {
            flaw_made_clear(&f->made[control]);
            entry_files_clear(&f->files[control]);
        }
    }
    free(c->flaws);
}
