// SPDX-License-Identifier: Apache-2.0
// All lists of a snapshot, sorted by their issuers.
#include "base/pem.h"
#include "trust/crl_internal.h"

#include <stdlib.h>

struct crl_store {
    struct crl **lists;
    size_t count;
    size_t cap;
};

static int add_list(struct crl_store *store, const char *file, size_t number, struct span der, struct err *e)
{
    struct crl *list = crl_read(der, e);
    if (list == NULL) {
        return err_context(e, "%s: revocation list %zu", file, number);
    }
    store->lists = mem_grow(store->lists, &store->cap, sizeof *store->lists, store->count + 1);
    store->lists[store->count++] = list;
    return 0;
}

// Blocks with other labels are comment here: a file may hold the CA's certificate beside its list.
static int add_pem(struct crl_store *store, const char *file, struct span text, struct err *e)
{
    struct pem_block block;
    size_t number = 0;
    int more;
    while ((more = pem_next(&text, &block, e)) > 0) {
        bool is_list = strcmp(block.label, "X509 CRL") == 0;
        int rc = is_list ? add_list(store, file, ++number, buf_span(&block.der), e) : 0;
        buf_clear(&block.der);
        if (rc != 0) {
            return -1;
        }
    }
    if (more < 0) {
        return err_context(e, "%s", file);
    }
    return number > 0 ? 0 : err_set(e, "%s holds no revocation list", file);
}

// One DER element and nothing else? PEM is text, which may begin with any letter, but not be as long as a DER length
// says.
static bool is_der(struct span text)
{
    struct err e = ERR_INIT;
    struct der_item item;
    return der_next(&text, &item, &e) == 0 && text.len == 0;
}

static int compare_name(struct span a, struct span b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return memcmp(a.data, b.data, a.len); // no list's issuer is empty
}

static int compare_lists(const void *a, const void *b)
{
    const struct crl *const *x = a;
    const struct crl *const *y = b;
    return compare_name(buf_span(&(*x)->issuer), buf_span(&(*y)->issuer));
}

int crl_store_read(struct crl_store **store, const char *file, struct span text, struct err *e)
{
    if (*store == NULL) {
        *store = mem_alloc(sizeof **store);
    }
    struct crl_store *s = *store;
    int rc = is_der(text) ? add_list(s, file, 1, text, e) : add_pem(s, file, text, e);
    if (s->count > 0) {
        qsort(s->lists, s->count, sizeof(struct crl *), compare_lists);
    }
    return rc;
}

size_t crl_store_find(const struct crl_store *store, struct span issuer, struct crl *const **first)
{
    size_t low = 0;
    size_t end = store == NULL ? 0 : store->count;
    size_t high = end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_name(buf_span(&store->lists[middle]->issuer), issuer) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t count = 0;
    while (low + count < end && spans_equal(buf_span(&store->lists[low + count]->issuer), issuer)) {
        count++;
    }
    *first = count > 0 ? &store->lists[low] : NULL;
    return count;
}

void crl_store_remember(struct crl_store *to, const struct crl_store *from)
{
    for (size_t i = 0; i < crl_store_count(to); i++) {
        struct crl *const *known = NULL;
        size_t count = crl_store_find(from, buf_span(&to->lists[i]->issuer), &known);
        for (size_t k = 0; k < count; k++) {
            crl_remember(to->lists[i], known[k]);
        }
    }
}

int64_t crl_store_next_change(const struct crl_store *store, int64_t now)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < crl_store_count(store); i++) {
        const struct crl *list = store->lists[i];
        if (list->has_next_update) { // without, it never is current
            next = period_next_change(list->this_update, list->next_update, now, next);
        }
    }
    return next;
}

size_t crl_store_count(const struct crl_store *store)
{
    return store == NULL ? 0 : store->count;
}

void crl_store_free(struct crl_store *store)
{
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < store->count; i++) {
        crl_free(store->lists[i]);
    }
    free(store->lists);
    free(store);
}
