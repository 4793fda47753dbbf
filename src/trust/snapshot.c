// SPDX-License-Identifier: Apache-2.0
// A snapshot: anchors, known intermediates, revocation lists and rules, read once.
#include "base/file.h"
#include "base/pem.h"
#include "base/x509.h"
#include "trust/extensions.h"
#include "trust/internal.h"

#include <stdlib.h>
#include <string.h>

enum { TRUST_FILE_MOST = 256 * 1024 * 1024 };

struct list {
    struct certificate_list *to;
    mbedtls_x509_crt *tls; // or NULL
    const char *file;
};

// Section 4.2.1.2: the key identifier of who signed is that key's. An anchor that signed itself and says otherwise was
// made by somebody who gets more wrong than this; for other certificates identifiers are a hint.
static void judge_anchor(struct certificate *c)
{
    if (c->self_issued && c->authority_key_id.len > 0 && !spans_equal(c->authority_key_id, c->subject_key_id) &&
        signature_check(c->signature_algorithm, c->signature, c->tbs, &c->key) == REASON_ok) {
        certificate_finding(c, REASON_key_identifier, "it signed itself and names another key as its issuer's");
    }
}

static int take(struct list *list, struct span der, struct err *e)
{
    struct certificate *c = certificate_read(der);
    if (!c->readable || !c->key_read) {
        err_set(e, "certificate number %zu: %s", list->to->count + 1, c->why);
        certificate_free(c);
        return -1;
    }
    struct certificate_list *to = list->to;
    to->items = mem_grow(to->items, &to->cap, sizeof *to->items, to->count + 1);
    to->items[to->count++] = c;
    if (list->tls != NULL) {
        judge_anchor(c);
        int code = x509_add(list->tls, der);
        return code == 0 ? 0 : err_mbedtls(e, code, "certificate number %zu", to->count);
    }
    return 0;
}

static int take_block(void *arg, const char *label, struct span der, struct err *e)
{
    return strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "TRUSTED CERTIFICATE") == 0 ? take(arg, der, e) : 0;
}

// A file of certificates, PEM or DER. One without any is a mistake.
static int read_certificates(struct list *list, struct err *e)
{
    struct buf text = {0};
    size_t before = list->to->count;
    if (file_read(list->file, TRUST_FILE_MOST, &text, e) != 0) {
        return -1;
    }
    bool der = text.len > 0 && text.data[0] == (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    int rc = der ? take(list, buf_span(&text), e) : pem_read(buf_span(&text), take_block, list, e);
    if (rc != 0) {
        err_context(e, "%s", list->file);
    } else if (list->to->count == before) {
        rc = err_set(e, "%s holds no certificate", list->file);
    }
    buf_clear(&text);
    return rc;
}

static int read_lists(struct trust_snapshot *snapshot, const char *file, struct err *e)
{
    struct buf text = {0};
    int rc = file_read(file, TRUST_FILE_MOST, &text, e);
    if (rc == 0) {
        rc = crl_store_read(&snapshot->lists, file, buf_span(&text), e);
    }
    buf_clear(&text);
    return rc;
}

static int read_policies(struct trust_snapshot *snapshot, const struct trust_files *files, struct err *e)
{
    size_t count = 0;
    snapshot->policy.inhibit_mapping = files->inhibit_policy_mapping;
    snapshot->policy.inhibit_any = files->inhibit_any_policy;
    while (files->policies != NULL && files->policies[count] != NULL) {
        count++;
    }
    snapshot->policy.explicit_policy = files->explicit_policy || count > 0; // whoever names one wants one
    struct span *oids = mem_array(count, sizeof *oids);
    size_t *lengths = mem_array(count, sizeof *lengths);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t before = snapshot->policy_oids.len;
        rc = der_oid_from_text(files->policies[i], &snapshot->policy_oids, e);
        lengths[i] = snapshot->policy_oids.len - before;
    }
    const uint8_t *p = snapshot->policy_oids.data;
    for (size_t i = 0; i < count; i++) { // only now, as the buffer has stopped moving
        oids[i] = span_of(p, lengths[i]);
        p += lengths[i];
    }
    free(lengths);
    snapshot->policy.acceptable = oids;
    snapshot->policy.count = count;
    return rc;
}

// Any order will do, as long as equal names are together and the same files give the same one.
static int compare_spans(struct span a, struct span b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

static int compare_certificates(const void *a, const void *b)
{
    const struct certificate *const *x = a;
    const struct certificate *const *y = b;
    int names = compare_spans(buf_span(&(*x)->subject_key), buf_span(&(*y)->subject_key));
    return names != 0 ? names : compare_spans(buf_span(&(*x)->der), buf_span(&(*y)->der));
}

static void sort(struct certificate_list *list)
{
    if (list->count > 0) {
        qsort(list->items, list->count, sizeof(struct certificate *), compare_certificates);
    }
}

struct certificate *const *certificates_named(const struct certificate_list *list, struct span subject, size_t *count)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_spans(buf_span(&list->items[middle]->subject_key), subject) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (*count = 0; low + *count < list->count; (*count)++) {
        if (compare_spans(buf_span(&list->items[low + *count]->subject_key), subject) != 0) {
            break;
        }
    }
    return list->count == 0 ? NULL : list->items + low;
}

static int read_all(struct trust_snapshot *snapshot, const struct trust_files *files, struct err *e)
{
    struct list anchors = {.to = &snapshot->anchors, .tls = &snapshot->tls_anchors};
    struct list intermediates = {.to = &snapshot->intermediates};
    for (size_t i = 0; i < files->anchors.count; i++) {
        anchors.file = files->anchors.items[i];
        if (read_certificates(&anchors, e) != 0) {
            return err_context(e, "reading the trust anchors");
        }
    }
    if (snapshot->anchors.count == 0 && !files->no_anchors) {
        return err_set(e, "there is no trust anchor");
    }
    for (size_t i = 0; i < files->intermediates.count; i++) {
        intermediates.file = files->intermediates.items[i];
        if (read_certificates(&intermediates, e) != 0) {
            return err_context(e, "reading the intermediate certificates");
        }
    }
    for (size_t i = 0; i < files->crls.count && files->revocation != TRUST_REVOCATION_OFF; i++) {
        if (read_lists(snapshot, files->crls.items[i], e) != 0) {
            return err_context(e, "reading the revocation lists");
        }
    }
    return read_policies(snapshot, files, e);
}

struct trust_snapshot *trust_snapshot_load(const struct trust_files *files, struct err *e)
{
    struct trust_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    snapshot->references = 1;
    snapshot->revocation = files->revocation;
    snapshot->unsafe = files->unsafe;
    snapshot->depth_most = files->limits_depth ? files->depth : -1;
    snapshot->rules = files->rules;
    snapshot->memory = mem_alloc(sizeof *snapshot->memory);
    pthread_mutex_init(&snapshot->memory->lock, NULL);
    snapshot->issuers = certificate_memory_new(ISSUERS_REMEMBERED);
    snapshot->leaves = certificate_memory_new(LEAVES_REMEMBERED);
    mbedtls_x509_crt_init(&snapshot->tls_anchors);
    if (read_all(snapshot, files, e) != 0) {
        trust_snapshot_free(snapshot);
        return NULL;
    }
    sort(&snapshot->anchors);
    sort(&snapshot->intermediates);
    return snapshot;
}

static void free_list(struct certificate_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        certificate_free(list->items[i]);
    }
    free(list->items);
}

int trust_file_check(enum trust_file kind, const char *path, struct err *e)
{
    struct trust_snapshot scratch = {0};
    struct list certificates = {.to = &scratch.intermediates, .file = path};
    int rc = kind == TRUST_FILE_LISTS ? read_lists(&scratch, path, e) : read_certificates(&certificates, e);
    free_list(&scratch.intermediates);
    crl_store_free(scratch.lists);
    return rc;
}

struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *snapshot)
{
    __atomic_add_fetch(&snapshot->references, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void trust_snapshot_free(struct trust_snapshot *snapshot)
{
    if (snapshot == NULL || __atomic_sub_fetch(&snapshot->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    mbedtls_x509_crt_free(&snapshot->tls_anchors);
    free_list(&snapshot->anchors);
    free_list(&snapshot->intermediates);
    crl_store_free(snapshot->lists);
    free((void *)(uintptr_t)snapshot->policy.acceptable);
    buf_clear(&snapshot->policy_oids);
    trust_rules_free(snapshot->rules);
    pthread_mutex_destroy(&snapshot->memory->lock);
    free(snapshot->memory);
    certificate_memory_free(snapshot->issuers);
    certificate_memory_free(snapshot->leaves);
    free(snapshot);
}

bool trust_snapshot_checks_revocation(const struct trust_snapshot *snapshot)
{
    return snapshot->lists != NULL;
}

static int64_t list_next_change(const struct certificate_list *list, int64_t now, int64_t next)
{
    for (size_t i = 0; i < list->count; i++) {
        next = period_next_change(list->items[i]->not_before, list->items[i]->not_after, now, next);
    }
    return next;
}

int64_t trust_snapshot_next_change(const struct trust_snapshot *snapshot, int64_t now)
{
    int64_t next = crl_store_next_change(snapshot->lists, now);
    return list_next_change(&snapshot->intermediates, now, list_next_change(&snapshot->anchors, now, next));
}

mbedtls_x509_crt *trust_snapshot_anchors(const struct trust_snapshot *snapshot)
{
    return (mbedtls_x509_crt *)(uintptr_t)&snapshot
        ->tls_anchors; // mbedTLS's interfaces are not const; it does not write
}
