// SPDX-License-Identifier: Apache-2.0
#include "show_fixture.h"

// Seeded, a certificate is the same each time, and so is all that is said of it.
static void whole_text(void **state)
{
    (void)state;
    static const char expected[] =
        "certificate\n"
        "    version                       3\n"
        "    serial                        4abc\n"
        "    issuer                        CN=Show CA\n"
        "    subject                       CN=a,O=Acme\n"
        "    not before                    2026-05-31T00:00:00Z\n"
        "    not after                     2026-08-29T23:59:59Z\n"
        "    validity                      valid\n"
        "    days left                     89\n"
        "    key                           type EC, curve P-384, bits 384, id KEYID\n"
        "    signature algorithm           ecdsa-with-SHA256\n"
        "    extensions\n"
        "        basicConstraints (critical)  ca yes, path length 0\n"
        "        keyUsage (critical)       keyCertSign, cRLSign\n"
        "        extKeyUsage               serverAuth, clientAuth\n"
        "        subjectKeyIdentifier      KEYID\n"
        "        authorityKeyIdentifier    key id CAKEYID\n"
        "        subjectAltName            dns:a.example, ip:2001:db8::1\n"
        "        nameConstraints (critical)  permitted ip:10.0.0.0/8, dns:example, excluded ip:2001:db8::/32\n"
        "        cRLDistributionPoints\n"
        "            names uri:http://ca.example/crl\n"
        "    fingerprint sha256            FINGERPRINT\n";
    struct run r;
    struct ca ca;
    struct buf der = {0};
    struct buf text = {0};
    run_begin(&r);
    ca_begin(&ca);
    make_certificate(&ca, "CN=a,O=Acme", &der);
    show(buf_span(&der), &text);
    run_file(&r, "shown", buf_span(&text));
    run_file(&r, "cert", buf_span(&der));
    // What only this key and this signature have comes from openssl
    struct buf hex = {0};
    text_hex(&hex, ca.issuer.key_id, KEY_ID_SIZE, '\0');
    assert_runs(&r,
                "id=$(openssl x509 -in cert -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :' | tr A-F a-f) "
                "f=$(openssl x509 -in cert -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f); sed "
                "\"s/$id/KEYID/; s/$f/FINGERPRINT/; s/%s/CAKEYID/\" shown",
                (const char *)hex.data);
    assert_string_equal(r.out.data, expected);
    buf_clear(&hex);
    buf_clear(&der);
    buf_clear(&text);
    ca_end(&ca);
    run_end(&r);
}

// Rebuilds a certificate with one part replaced, unsigned: nobody checks that here.
static void rebuild(struct span der, int part, struct span by, struct buf *out)
{
    struct err e = ERR_INIT;
    struct certificate_parts parts;
    assert_works(certificate_split(der, &parts, &e), &e);
    struct span pieces[] = {parts.version,  parts.serial,  parts.algorithm, parts.issuer,
                            parts.validity, parts.subject, parts.key,       parts.extensions};
    struct buf tbs = {0};
    pieces[part] = by;
    for (size_t i = 0; i < 8; i++) {
        buf_add(&tbs, pieces[i].data, pieces[i].len);
    }
    der_enclose(&tbs, 0x30);
    buf_add(&tbs, parts.outer_algorithm.data, parts.outer_algorithm.len);
    buf_add(&tbs, parts.signature.data, parts.signature.len);
    der_wrap(out, 0x30, buf_span(&tbs));
    buf_clear(&tbs);
}

// What a strict parser refuses is shown, with what is wrong in words.
static void flawed_certificates(void **state)
{
    (void)state;
#define PIECE(literal) span_of(literal, sizeof(literal) - 1)
    enum { VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS };
    static const char twice[] = "\xa3\x16\x30\x14\x30\x08\x06\x02\x2a\x03\x04\x02\x05\x00"
                                "\x30\x08\x06\x02\x2a\x03\x04\x02\x05\x00";
    static const char critical[] = "\xa3\x0f\x30\x0d\x30\x0b\x06\x02\x2a\x03\x01\x01\xff\x04\x02\x05\x00";
    const struct {
        int part;
        struct span by;
        const char *expected;
    } cases[] = {
        {VERSION, PIECE(""), "    version                       1\n"},
        {VERSION, PIECE("\xa0\x03\x02\x01\x01"), "    version                       2\n"},
        {VERSION, PIECE("\xa0\x03\x04\x01\x01"),
         "    version                       malformed: version: DER tag 0x04 where 0x02 is due\n"},
        {SERIAL, PIECE("\x02\x01\xfb"),
         "    serial                        fb\n    serial fault                  negative\n"},
        {SERIAL, PIECE("\x02\x01\x00"),
         "    serial                        00\n    serial fault                  zero\n"},
        {SERIAL, PIECE("\x02\x00"), "    serial fault                  empty\n"},
        {SERIAL, PIECE("\x02\x15\x01_34567890123456789_"), "    serial fault                  longer than 20 octets\n"},
        {SERIAL, PIECE("\x04\x01\x05"),
         "    serial                        malformed: serialNumber: DER tag 0x04 where 0x02 is due\n"},
        {ALGORITHM, PIECE("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
         "    signature algorithm           ecdsa-with-SHA256\n    inner signature algorithm     "
         "sha1WithRSAEncryption\n"},
        {VALIDITY,
         PIECE("\x30\x1e\x17\x0d"
               "260231000000Z"
               "\x17\x0d"
               "270101000000Z"),
         "    not before                    malformed: notBefore is no date of the calendar\n    not after             "
         "   "
         "     2027-01-01T00:00:00Z\n"},
        {VALIDITY,
         PIECE("\x30\x1c\x17\x0b"
               "2601010000Z"
               "\x17\x0d"
               "270101000000Z"),
         "malformed: notBefore is neither UTCTime nor GeneralizedTime with seconds and Z\n"},
        {VALIDITY,
         PIECE("\x30\x1e\x17\x0d"
               "500101000000Z"
               "\x17\x0d"
               "260531235959Z"),
         "    not before                    1950-01-01T00:00:00Z\n    not after                     "
         "2026-05-31T23:59:59Z\n    validity                      expired\n"},
        {SUBJECT, PIECE("\x30\x00"), "    subject                       \n"},
        {KEY, PIECE("\x30\x00"),
         "    key                           content malformed: algorithm: DER: an element is cut short or has a tag"},
        {EXTENSIONS, PIECE(""), "    signature algorithm           ecdsa-with-SHA256\n    fingerprint sha256"},
        {EXTENSIONS, PIECE(twice), "        1.2.3                     0500\n        1.2.3                     0500\n"},
        {EXTENSIONS, PIECE(critical), "        1.2.3 (critical)          0500\n"},
        {EXTENSIONS, PIECE("\xa3\x02\x30\x00"), "    extensions                    (none)\n"},
        {EXTENSIONS, PIECE("\xa3\x0d\x30\x0b\x30\x09\x06\x03\x55\x1d\x0f\x04\x02\x05\x00"),
         "        keyUsage                  malformed: KeyUsage: DER tag 0x05 where 0x03 is due\n"},
        {EXTENSIONS, PIECE("\xa3\x06\x30\x04\x30\x02\x05\x00"),
         "    extensions                    malformed: extnID: DER tag 0x05 where 0x06 is due\n"},
    };
    struct ca ca;
    struct buf der = {0};
    struct buf text = {0};
    ca_begin(&ca);
    make_certificate(&ca, "CN=a", &der);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf flawed = {0};
        rebuild(buf_span(&der), cases[i].part, cases[i].by, &flawed);
        show(buf_span(&flawed), &text);
        assert_shows(&text, cases[i].expected);
        buf_clear(&flawed);
    }
    buf_add(&der, "garbage", 7);
    show(buf_span(&der), &text);
    assert_shows(&text, "    trailing octets               7\n");
    buf_clear(&der);
    buf_clear(&text);
    ca_end(&ca);
}

// Nothing from a certificate reaches the terminal raw: no escape sequence, no newline, no bidi override.
static void hostile_text(void **state)
{
    (void)state;
    struct ca ca;
    struct buf der = {0};
    struct buf text = {0};
    ca_begin(&ca);
    // UTF8String ESC "[31m" LF U+202E
    make_certificate(&ca, "CN=#0c091b5b33316d0ae280ae", &der);
    show(buf_span(&der), &text);
    assert_null(strchr((const char *)text.data, '\033'));
    assert_null(strstr((const char *)text.data, "\xe2\x80\xae"));
    assert_shows(&text, "    subject                       CN=");
    assert_shows(&text, "    not before  "); // the newline made no line of its own
    buf_clear(&der);
    buf_clear(&text);
    ca_end(&ca);
}

// What openssl makes of every extension that it can write.
static void openssls_extensions(void **state)
{
    (void)state;
    static const char config[] =
        "[req]\ndistinguished_name=dn\nx509_extensions=x\nprompt=no\n[dn]\nCN=x\n[x]\n"
        "authorityKeyIdentifier=keyid:always,issuer:always\n"
        "subjectKeyIdentifier=hash\n"
        "issuerAltName=email:ca@example.com,RID:1.2.3,otherName:1.2.3;UTF8:hi\n"
        "authorityInfoAccess=OCSP;URI:http://o/,caIssuers;URI:http://i/\n"
        "subjectInfoAccess=caRepository;URI:http://r/\n"
        "certificatePolicies=1.2.3,@polsect\n"
        "policyMappings=1.2.3:1.2.4\n"
        "policyConstraints=requireExplicitPolicy:3,inhibitPolicyMapping:0\n"
        "inhibitAnyPolicy=2\n"
        "crlDistributionPoints=dp\n"
        "freshestCRL=URI:http://f/\n"
        "tlsfeature=status_request,17\n"
        "nsCertType=client,server\n"
        "nsComment=\"a comment\"\n"
        "nameConstraints=permitted;IP:10.0.0.0/255.0.255.0\n"
        "1.3.6.1.4.1.99999.1=critical,DER:0403010203\n"
        "[polsect]\npolicyIdentifier=2.5.29.32.0\nCPS.1=\"http://cps/\"\nuserNotice.1=@notice\n"
        "[notice]\nexplicitText=\"UTF8:be good\"\n"
        "[dp]\nfullname=URI:http://d/\nreasons=keyCompromise,CACompromise\n"
        "CRLissuer=dirName:dirs\n[dirs]\nCN=issuer\n";
    static const char *const lines[] = {
        "        issuerAltName             email:ca@example.com, other:[8] 2a03, other:[0] 06022a03a0040c026869\n",
        "        authorityInfoAccess       ocsp uri:http://o/, caIssuers uri:http://i/\n",
        "        subjectInfoAccess         caRepository uri:http://r/\n",
        "        certificatePolicies\n            1.2.3\n            policy anyPolicy, qualifiers cps http://cps/, "
        "unotice "
        "be good\n",
        "        policyMappings            1.2.3 is 1.2.4\n",
        "        policyConstraints         require explicit policy 3, inhibit policy mapping 0\n",
        "        inhibitAnyPolicy          2\n",
        "        cRLDistributionPoints\n            names uri:http://d/, reasons keyCompromise, cACompromise, crl "
        "issuer "
        "dirname:CN=issuer\n",
        "        freshestCRL\n            names uri:http://f/\n",
        "        tlsFeature                status_request, 17\n",
        "        netscapeCertType          client, server\n",
        "        netscapeComment           a comment\n",
        "        nameConstraints           permitted ip:10.0.0.0 mask 255.0.255.0\n",
        "        1.3.6.1.4.1.99999.1 (critical)  0403010203\n",
        "            issuer                dirname:CN=x\n            serial                ",
    };
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    run_file(&r, "config", span_of(config, strlen(config)));
    assert_runs(&r, "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -config config -out c");
    show_of(&r, "c", &text);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_shows(&text, lines[i]);
    }
    assert_shows(&text, "type RSA, bits 2048, exponent 65537, id ");
    buf_clear(&text);
    run_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_text),
        cmocka_unit_test(flawed_certificates),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(openssls_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
