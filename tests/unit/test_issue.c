// SPDX-License-Identifier: Apache-2.0
// One certificate and its key, in memory.
#include "pki_fixture.h"

static struct plan_entry entry_of(const char *subject)
{
    struct plan_entry entry = {.role = ROLE_CLIENT,
                               .name = mem_strdup("alice"),
                               .key = KEY_ec_p256,
                               .spec = mem_strdup("digest"),
                               .relative_dates = true};
    entry.content.subject = mem_strdup(subject);
    entry.content.not_before = DAY_0;
    entry.content.not_after = DAY_0 + 10 * CLOCK_DAY - 1;
    entry.content.path_length = PATH_LENGTH_NONE;
    return entry;
}

static void entry_free(struct plan_entry *entry)
{
    free(entry->name);
    free(entry->spec);
    certificate_content_clear(&entry->content);
}

static struct authority *issuer(struct fixture *f)
{
    struct err e = ERR_INIT;
    struct authority *a = NULL;
    assert_int_equal(authority_load(f->pki, "issuing", &a, &e), 1);
    assert_works(authority_key(f->pki, a, &e), &e);
    return a;
}

static void the_record_tells_of_the_certificate(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry = entry_of("CN=alice, O=Acme"); // typed with a blank
    struct authority *a = issuer(f);
    struct issue_request q = {.entry = &entry, .origin = ORIGIN_PLAN, .issuer = a};
    struct issued made;
    char digest[65];
    assert_works(issue_make(f->pki, &q, &made, &e), &e);
    assert_int_equal(made.record.id, 0);
    assert_int_equal(made.record.origin, ORIGIN_PLAN);
    assert_int_equal(made.record.issuer_id, a->ca_id);
    assert_string_equal(made.record.subject, "CN=alice,O=Acme"); // and written as names always are
    assert_string_equal(made.record.spec, "digest");
    assert_int_equal(made.record.not_after, entry.content.not_after);
    assert_int_equal(made.record.serial.len, SERIAL_SIZE);
    file_digest(buf_span(&made.key_pem), digest);
    assert_string_equal(made.record.key_file_digest, digest);
    file_digest(buf_span(&made.record.der), digest);
    assert_string_equal(made.record.fingerprint, digest);
    run_file(&f->run, "der", buf_span(&made.record.der));
    run_file(&f->run, "key.pem", buf_span(&made.key_pem));
    assert_runs(
        &f->run,
        "test \"$(openssl pkey -in key.pem -pubout)\" = \"$(openssl x509 -inform DER -in der -noout -pubkey)\"");
    issued_clear(&made);
    authority_free(a);
    entry_free(&entry);
}

static void a_key_that_is_there_is_used(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry = entry_of("CN=alice");
    struct authority *a = issuer(f);
    struct issue_request q = {.entry = &entry, .issuer = a};
    struct issued first;
    struct issued second;
    assert_works(issue_make(f->pki, &q, &first, &e), &e);
    q.key_pem = buf_span(&first.key_pem);
    assert_works(issue_make(f->pki, &q, &second, &e), &e);
    assert_string_equal(second.record.key_id, first.record.key_id);
    assert_string_equal((char *)second.key_pem.data, (char *)first.key_pem.data);
    assert_memory_not_equal(second.record.serial.data, first.record.serial.data, SERIAL_SIZE);
    issued_clear(&second);
    q.key_pem = (struct span){0};
    q.public_key = &first.key; // ca sign: no private key comes along
    assert_works(issue_make(f->pki, &q, &second, &e), &e);
    assert_string_equal(second.record.key_id, first.record.key_id);
    assert_int_equal(second.key_pem.len, 0);
    assert_string_equal(second.record.key_file_digest, "");
    issued_clear(&second);
    q.public_key = NULL;
    q.key_pem = span_of("no key", 6);
    assert_int_equal(issue_make(f->pki, &q, &second, &e), -1);
    assert_int_equal(strncmp(e.text, "client alice: ", 14), 0);
    issued_clear(&first);
    authority_free(a);
    entry_free(&entry);
}

static void what_counts_from_now_ends_with_its_ca(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry = entry_of("CN=alice");
    struct authority *a = issuer(f);
    struct issue_request q = {.entry = &entry, .issuer = a};
    struct issued made;
    entry.content.not_after = a->cert.not_after + 1;
    assert_works(issue_make(f->pki, &q, &made, &e), &e);
    assert_int_equal(made.record.not_after, a->cert.not_after);
    issued_clear(&made);
    entry.relative_dates = false; // fixed dates are the plan's business
    assert_works(issue_make(f->pki, &q, &made, &e), &e);
    assert_int_equal(made.record.not_after, a->cert.not_after + 1);
    issued_clear(&made);
    authority_free(a);
    entry_free(&entry);
}

// A seed, an entry, and how many there were of it: the same give the same octets.
static void seeded_certificates_are_the_same_again(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct plan_entry entry = entry_of("CN=alice");
    struct authority *a = issuer(f);
    struct issue_request q = {.entry = &entry, .issuer = a};
    struct issued made[3];
    f->pki->seed = mem_strdup("golden");
    for (int i = 0; i < 3; i++) {
        q.issue = i == 2;
        assert_works(issue_make(f->pki, &q, &made[i], &e), &e);
    }
    assert_string_equal(made[0].record.fingerprint, made[1].record.fingerprint);
    assert_string_equal((char *)made[0].key_pem.data, (char *)made[1].key_pem.data);
    assert_string_not_equal(made[0].record.key_id, made[2].record.key_id);
    run_file(&f->run, "der", buf_span(&made[0].record.der));
    assert_runs(&f->run, "openssl x509 -inform DER -in der -noout -text");
    assert_says(&f->run, "INSECURE: made by mtls from a seed");
    for (int i = 0; i < 3; i++) {
        issued_clear(&made[i]);
    }
    authority_free(a);
    entry_free(&entry);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_with_ca, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_record_tells_of_the_certificate),
        TEST(a_key_that_is_there_is_used),
        TEST(what_counts_from_now_ends_with_its_ca),
        TEST(seeded_certificates_are_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
