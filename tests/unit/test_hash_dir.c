// SPDX-License-Identifier: Apache-2.0
// The names of files in a -CApath folder, against what openssl itself computes.
#include "ca/certificate.h"
#include "ca/hash_dir.h"
#include "run.h"

static int begin(void **state)
{
    struct run *r = mem_alloc(sizeof *r);
    run_begin(r);
    *state = r;
    return 0;
}

static int end(void **state)
{
    run_end(*state);
    free(*state);
    return 0;
}

// A certificate by openssl with this subject, as `name`.pem and .der, and its hash by openssl.
static void make(struct run *r, const char *name, const char *subject)
{
    if (run(r, "test -e key.pem") != 0) {
        assert_runs(r, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    }
    assert_runs(r, "openssl req -x509 -utf8 -multivalue-rdn -key key.pem -days 10 -subj '%s' -out %s.pem 2>/dev/null",
                subject, name);
    assert_runs(r, "openssl x509 -in %s.pem -outform DER -out %s.der", name, name);
}

static void hashes_are_those_of_openssl(void **state)
{
    static const char *const subjects[] = {
        "/CN=root",
        "/C=DE/O=Acme/CN=root",               // PrintableString and UTF8String
        "/CN=Two  Words   Here ",             // spaces are folded
        "/CN= LEADING",                       // case too
        "/CN=\xc3\x84rger \xc3\x89t\xc3\xa9", // but only ASCII's
        "/O=a/O=b/CN=c+UID=d",                // several of a kind, several in one
        "/emailAddress=Who@Example.COM",      // IA5String
        "/DC=com/DC=Example",
        "/CN=x/serialNumber=007",
    };
    struct run *r = *state;
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        struct err e = ERR_INIT;
        struct certificate_parts parts;
        struct buf der = {0};
        uint32_t hash = 0;
        char expected[16];
        make(r, "ca", subjects[i]);
        run_read(r, "ca.der", &der);
        assert_works(certificate_split(buf_span(&der), &parts, &e), &e);
        assert_works(hash_dir_name_hash(parts.subject, &hash, &e), &e);
        snprintf(expected, sizeof expected, "%08x\n", hash);
        assert_runs(r, "openssl x509 -in ca.pem -noout -subject_hash");
        assert_string_equal((char *)r->out.data, expected);
        buf_clear(&der);
    }
}

static void the_empty_name_has_a_hash_too(void **state)
{
    struct err e = ERR_INIT;
    uint32_t hash = 0;
    (void)state;
    assert_works(hash_dir_name_hash(span_of("\x30\x00", 2), &hash, &e), &e);
    assert_int_equal(hash, 0xeea339da); // SHA-1 of nothing: da39a3ee...
}

static void what_is_no_name_is_refused(void **state)
{
    struct err e = ERR_INIT;
    uint32_t hash = 0;
    (void)state;
    assert_int_equal(hash_dir_name_hash(span_of("\x31\x00", 2), &hash, &e), -1);
    err_clear(&e);
    assert_int_equal(hash_dir_name_hash(span_of("\x30\x02\x30\x00", 4), &hash, &e), -1);
    err_clear(&e);
    assert_int_equal(hash_dir_name_hash(span_of("", 0), &hash, &e), -1);
}

static void put(struct run *r, const struct hash_dir *dir, size_t expected, bool really)
{
    struct err e = ERR_INIT;
    struct file_batch batch = {0};
    size_t changed = 0;
    char *path = mem_printf("%s/hashed", r->dir);
    assert_works(file_batch_begin(&batch, r->dir, &e), &e);
    assert_works(hash_dir_put(dir, really ? &batch : NULL, path, &changed, &e), &e);
    assert_works(file_batch_commit(&batch, &e), &e);
    file_batch_clear(&batch);
    assert_int_equal(changed, expected);
    free(path);
}

static void add(struct run *r, struct hash_dir *dir, const char *file, bool crl)
{
    struct err e = ERR_INIT;
    struct buf der = {0};
    run_read(r, file, &der);
    assert_works(crl ? hash_dir_add_crl(dir, buf_span(&der), &e) : hash_dir_add_certificate(dir, buf_span(&der), &e),
                 &e);
    buf_clear(&der);
}

// Two of one name, a list of theirs, and one of another name: `openssl rehash` makes links of the same names.
static void the_folder_is_what_openssl_rehash_makes(void **state)
{
    static const char config[] = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\n";
    struct run *r = *state;
    struct hash_dir dir = {0};
    make(r, "one", "/CN=same");
    assert_runs(r, "rm key.pem");
    make(r, "two", "/CN=Same");
    make(r, "three", "/CN=other");
    run_file(r, "ca.cnf", span_of(config, strlen(config)));
    assert_runs(r,
                "touch index; openssl ca -gencrl -config ca.cnf -keyfile key.pem -cert two.pem -crldays 3 -md sha256 "
                "-out list.pem 2>/dev/null");
    assert_runs(r, "openssl crl -in list.pem -outform DER -out list.der");
    add(r, &dir, "one.der", false);
    add(r, &dir, "two.der", false);
    add(r, &dir, "three.der", false);
    add(r, &dir, "list.der", true);
    put(r, &dir, 4, false);
    assert_runs(r, "test ! -e hashed");
    put(r, &dir, 4, true);
    put(r, &dir, 0, true);
    assert_runs(r, "mkdir theirs && cp one.pem two.pem three.pem list.pem theirs && openssl rehash theirs");
    assert_runs(r, "test \"$(ls hashed)\" = \"$(ls theirs | grep -v pem)\"");
    assert_runs(r, "openssl verify -CApath hashed one.pem two.pem three.pem");
    hash_dir_clear(&dir);
}

static void stale_files_go_and_those_of_others_stay(void **state)
{
    struct run *r = *state;
    struct hash_dir dir = {0};
    make(r, "one", "/CN=one");
    add(r, &dir, "one.der", false);
    put(r, &dir, 1, true);
    assert_runs(r, "cd hashed && touch 01234567.0 01234567.r7 01234567.x 0123456.0 README 01234567.r");
    put(r, &dir, 2, false);
    assert_runs(r, "test -e hashed/01234567.0");
    put(r, &dir, 2, true);
    assert_runs(
        r, "cd hashed && test ! -e 01234567.0 -a ! -e 01234567.r7 -a -e 01234567.x -a -e 0123456.0 -a -e README -a "
           "-e 01234567.r");
    put(r, &dir, 0, true);
    hash_dir_clear(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hashes_are_those_of_openssl, begin, end),
        cmocka_unit_test(the_empty_name_has_a_hash_too),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test_setup_teardown(the_folder_is_what_openssl_rehash_makes, begin, end),
        cmocka_unit_test_setup_teardown(stale_files_go_and_those_of_others_stay, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
