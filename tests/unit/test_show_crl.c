// SPDX-License-Identifier: Apache-2.0
#include "show_fixture.h"

static void revocation_lists(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ca ca;
    struct buf der = {0};
    struct buf text = {0};
    struct crl_entry entries[5];
    for (size_t i = 0; i < 5; i++) {
        entries[i] = (struct crl_entry){span_of("\x4a\x01", 2), june_2026 - 60, REVOCATION_key_compromise,
                                        i == 0 ? june_2026 - 3600 : CRL_NO_INVALIDITY_DATE};
    }
    entries[1].reason = REVOCATION_unspecified;
    struct crl_content content = {june_2026, june_2026 + 7 * CLOCK_DAY, 41, entries, 5};
    ca_begin(&ca);
    assert_works(crl_make(&content, &ca.issuer, &ca.rng, &der, &e), &e);
    show(buf_span(&der), &text);
    assert_true(text_starts((const char *)text.data, "revocation list\n"
                                                     "    version                       2\n"
                                                     "    signature algorithm           ecdsa-with-SHA256\n"
                                                     "    issuer                        CN=Show CA\n"
                                                     "    this update                   2026-06-01T00:00:00Z\n"
                                                     "    next update                   2026-06-08T00:00:00Z\n"
                                                     "    currency                      current\n"
                                                     "    days left                     7\n"
                                                     "    extensions\n"
                                                     "        authorityKeyIdentifier    key id "));
    assert_shows(&text, "        cRLNumber                 41\n    count                         5\n    entries\n"
                        "        serial 4a01, revoked at 2026-05-31T23:59:00Z, reason keyCompromise, invalidity date "
                        "2026-05-31T23:00:00Z\n"
                        "        serial 4a01, revoked at 2026-05-31T23:59:00Z\n"
                        "        serial 4a01, revoked at 2026-05-31T23:59:00Z, reason keyCompromise\n"
                        "    entries not shown             2\n");
    // All of them, as JSON
    struct show_options all = {.now = june_2026 + 8 * CLOCK_DAY, .entries_max = SIZE_MAX};
    json_t *shown = show_file(buf_span(&der), &all, &e);
    json_t *list = json_array_get(shown, 0);
    assert_int_equal(json_array_size(json_object_get(list, "entries")), 5);
    assert_null(json_object_get(list, "entries_not_shown"));
    assert_string_equal(json_string_value(json_object_get(list, "currency")), "stale");
    assert_int_equal(json_integer_value(json_object_get(list, "days_left")), -1);
    json_decref(shown);
    content.count = 0;
    buf_clear(&der);
    assert_works(crl_make(&content, &ca.issuer, &ca.rng, &der, &e), &e);
    show(buf_span(&der), &text);
    assert_shows(&text, "    count                         0\n    entries                       (none)\n");
    buf_clear(&der);
    buf_clear(&text);
    ca_end(&ca);
}

// A list of openssl's, with an issuingDistributionPoint.
static void openssls_list(void **state)
{
    (void)state;
    static const char config[] =
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=3\n"
        "crl_extensions=x\n[x]\nissuingDistributionPoint=critical,@idp\n[idp]\nfullname=URI:http://l/\n"
        "onlyuser=TRUE\nindirectCRL=TRUE\n[req]\ndistinguished_name=dn\n[dn]\n";
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    run_file(&r, "config", span_of(config, strlen(config)));
    assert_runs(&r,
                "echo 0A > number; printf 'R\\t300101000000Z\\t260501000000Z,superseded\\t00AB\\tunknown\\t/CN=y\\n' "
                "> index; openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=x -out c -config config; "
                "openssl ca -gencrl -config config -keyfile k -cert c -out crl");
    show_of(&r, "crl", &text);
    assert_shows(&text,
                 "issuingDistributionPoint (critical)  names uri:http://l/, only user certificates yes, indirect "
                 "yes\n");
    assert_shows(&text, "        serial ab, revoked at 2026-05-01T00:00:00Z, reason superseded\n");
    buf_clear(&text);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revocation_lists),
        cmocka_unit_test(openssls_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
