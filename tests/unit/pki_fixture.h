// SPDX-License-Identifier: Apache-2.0
// A PKI in a temporary directory, seen from inside; openssl looks at it from outside.
#ifndef MTLS_TESTS_PKI_FIXTURE_H
#define MTLS_TESTS_PKI_FIXTURE_H

#include "base/clock.h"
#include "ca/pki.h"
#include "run.h"

#define DAY_0 INT64_C(1767225600) // 2026-01-01T00:00:00Z

struct fixture {
    struct run run;
    struct pki *pki;
    char *dir; // of the PKI: "pki" in the run's directory
    struct pki_report report;
};

static inline void fixture_open(struct fixture *f, int64_t now)
{
    struct err e = ERR_INIT;
    struct pki_options options = {.dir = f->dir, .now = now};
    pki_close(f->pki);
    assert_works(pki_open(&options, true, &f->pki, &e), &e);
}

static inline int fixture_begin(void **state)
{
    struct fixture *f = mem_alloc(sizeof *f);
    run_begin(&f->run);
    f->dir = mem_printf("%s/pki", f->run.dir);
    fixture_open(f, DAY_0);
    *state = f;
    return 0;
}

static inline int fixture_end(void **state)
{
    struct fixture *f = *state;
    pki_report_clear(&f->report);
    pki_close(f->pki);
    run_end(&f->run);
    free(f->dir);
    free(f);
    return 0;
}

// A root and an issuing CA, by mtls ca init.
static inline int fixture_with_ca(void **state)
{
    struct err e = ERR_INIT;
    struct ca_issue_options root = {
        .name = "root", .profile = "authority", .days = CA_DAYS_DEFAULT, .path_length = PATH_LENGTH_NONE};
    struct ca_issue_options issuing = {.name = "issuing", .profile = "authority", .days = CA_DAYS_DEFAULT};
    fixture_begin(state);
    assert_works(ca_init(((struct fixture *)*state)->pki, &root, &issuing, &e), &e);
    return 0;
}

static inline void fixture_issue(struct fixture *f, const char *name)
{
    struct err e = ERR_INIT;
    struct ca_result result = {0};
    struct ca_issue_options o = {
        .name = name, .profile = "client", .days = CA_DAYS_DEFAULT, .path_length = PATH_LENGTH_NONE};
    assert_works(ca_issue(f->pki, &o, &result, &e), &e);
    ca_result_clear(&result);
}

// Applies a plan; f->report says what happened.
static inline int fixture_apply(struct fixture *f, const char *plan, bool check, bool prune, struct err *e)
{
    char *file = mem_printf("%s/plan.yaml", f->run.dir);
    struct pki_apply_options options = {.plan_file = file, .check = check, .prune = prune};
    run_file(&f->run, "plan.yaml", span_of(plan, strlen(plan)));
    pki_report_clear(&f->report);
    int rc = pki_apply(f->pki, &options, &f->report, e);
    free(file);
    return rc;
}

static inline const struct pki_report_item *fixture_item(const struct fixture *f, enum role role, const char *name)
{
    for (size_t i = 0; i < f->report.count; i++) {
        if (f->report.items[i].role == (int)role && strcmp(f->report.items[i].name, name) == 0) {
            return &f->report.items[i];
        }
    }
    fail_msg("the report has no %s %s", role_name(role), name);
    return NULL;
}

static inline void fixture_current(struct fixture *f, enum role role, const char *name, struct record *r)
{
    struct err e = ERR_INIT;
    assert_int_equal(db_find_current(f->pki->db, role, name, r, &e), 1);
}

// openssl's verdict on an entry, at the PKI's own time.
static inline int fixture_judge(struct fixture *f, const char *directory)
{
    return run(&f->run,
               "openssl verify -x509_strict -crl_check_all -attime %lld -CAfile pki/trust.pem -CRLfile pki/crl.pem "
               "-untrusted pki/%s/fullchain.pem pki/%s/cert.pem",
               (long long)f->pki->now, directory, directory);
}

#endif
