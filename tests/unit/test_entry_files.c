// SPDX-License-Identifier: Apache-2.0
#include "ca/pki.h"
#include "run.h"

static const char cert[] = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"; // 01 02 03

#define TEXT(s) span_of((s), strlen(s))

static void the_five_files_are_made_of_three_parts(void **state)
{
    struct entry_files f;
    (void)state;
    entry_files_make(&f, TEXT("KEY\n"), TEXT("\1\2\3"), TEXT("CHAIN\n"));
    assert_string_equal((char *)f.key.data, "KEY\n");
    assert_string_equal((char *)f.cert.data, cert);
    assert_string_equal((char *)f.chain.data, "CHAIN\n");
    assert_memory_equal(f.fullchain.data, cert, strlen(cert));
    assert_string_equal((char *)f.fullchain.data + strlen(cert), "CHAIN\n");
    assert_memory_equal(f.combined.data, "KEY\n", 4);
    assert_memory_equal(f.combined.data + 4, f.fullchain.data, f.fullchain.len + 1);
    entry_files_clear(&f);
}

static size_t put(struct run *r, const struct entry_files *f, bool announced)
{
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    size_t changed = 0;
    char *dir = mem_printf("%s/clients/alice", r->dir);
    assert_works(file_batch_begin(&batch, r->dir, &e), &e);
    if (announced) {
        assert_works(entry_files_announce(&batch, dir, buf_span(&f->key), &changed, &e), &e);
        assert_int_equal(changed, f->key.len > 0);
    }
    assert_works(entry_files_put(&batch, dir, f, announced, &changed, &e), &e);
    assert_works(file_batch_commit(&batch, &e), &e);
    file_batch_clear(&batch);
    free(dir);
    return changed;
}

static void what_differs_is_put_and_secrets_are_secret(void **state)
{
    struct run r;
    struct entry_files f;
    (void)state;
    run_begin(&r);
    entry_files_make(&f, TEXT("KEY\n"), TEXT("\1\2\3"), TEXT("CHAIN\n"));
    assert_int_equal(put(&r, &f, true), 5);
    assert_int_equal(put(&r, &f, false), 0);
    assert_runs(&r, "cd clients/alice && test \"$(stat -c %%a key.pem combined.pem | xargs)\" = '600 600' && "
                    "cat key.pem cert.pem chain.pem | cmp - combined.pem");
    assert_runs(&r, "echo x >> clients/alice/chain.pem; rm clients/alice/key.pem");
    assert_int_equal(put(&r, &f, false), 2);
    assert_int_equal(put(&r, &f, false), 0);
    entry_files_clear(&f);
    run_end(&r);
}

static void without_a_key_there_are_three(void **state)
{
    struct run r;
    struct entry_files f;
    (void)state;
    run_begin(&r);
    entry_files_make(&f, TEXT(""), TEXT("\1\2\3"), TEXT(""));
    assert_int_equal(put(&r, &f, true), 3);
    assert_runs(&r, "test \"$(ls clients/alice | xargs)\" = 'cert.pem chain.pem fullchain.pem'");
    assert_int_equal(put(&r, &f, true), 0);
    entry_files_clear(&f);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_files_are_made_of_three_parts),
        cmocka_unit_test(what_differs_is_put_and_secrets_are_secret),
        cmocka_unit_test(without_a_key_there_are_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
