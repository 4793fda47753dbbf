// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/der.h"
#include "ca/certificate.h"
#include "ca/crl.h"
#include "ca/show.h"
#include "run.h"

static const int64_t june_2026 = 1780272000; // 2026-06-01T00:00:00Z
static const struct show_options options = {.now = 1780272000, .entries_max = 3};

// What show_file says to `data`, as text; it must say something.
static void show(struct span data, struct buf *text)
{
    struct err e = ERR_INIT;
    json_t *shown = show_file(data, &options, &e);
    buf_clear(text);
    if (shown == NULL) {
        fail_msg("%s", e.text);
    }
    show_text(shown, text);
    json_decref(shown);
}

static void assert_shows(const struct buf *text, const char *part)
{
    if (strstr((const char *)text->data, part) == NULL) {
        fail_msg("no \"%s\" in:\n%s", part, (const char *)text->data);
    }
}

static void show_of(struct run *r, const char *name, struct buf *text)
{
    struct buf file = {0};
    run_read(r, name, &file);
    show(buf_span(&file), text);
    buf_clear(&file);
}

struct ca {
    struct rng rng;
    mbedtls_pk_context key;
    struct buf subject;
    struct certificate_issuer issuer;
};

static void ca_begin(struct ca *ca)
{
    struct err e = ERR_INIT;
    *ca = (struct ca){0};
    assert_works(rng_init_seeded(&ca->rng, "show", "ca", &e), &e);
    assert_works(key_generate(KEY_ec_p256, &ca->rng, &ca->key, &e), &e);
    assert_works(name_from_text("CN=Show CA", &ca->subject, &e), &e);
    ca->issuer = (struct certificate_issuer){.subject = buf_span(&ca->subject), .key = &ca->key};
    assert_works(key_id(&ca->key, ca->issuer.key_id, &e), &e);
}

static void ca_end(struct ca *ca)
{
    mbedtls_pk_free(&ca->key);
    buf_clear(&ca->subject);
    rng_clear(&ca->rng);
}

static void make_certificate(struct ca *ca, const char *subject, struct buf *der)
{
    struct err e = ERR_INIT;
    char *crl_urls[] = {(char *)(uintptr_t) "http://ca.example/crl", NULL};
    char *purposes[] = {(char *)(uintptr_t) "1.3.6.1.5.5.7.3.1", (char *)(uintptr_t) "1.3.6.1.5.5.7.3.2", NULL};
    struct certificate_content c = {.subject = (char *)(uintptr_t)subject,
                                    .not_before = june_2026 - CLOCK_DAY,
                                    .not_after = june_2026 + 90 * CLOCK_DAY - 1,
                                    .is_ca = true,
                                    .path_length = 0,
                                    .key_usage = MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN,
                                    .ext_key_usage = purposes,
                                    .crl_urls = crl_urls};
    mbedtls_pk_context key;
    assert_works(key_generate(KEY_ec_p384, &ca->rng, &key, &e), &e);
    general_names_add(&c.names, GENERAL_NAME_DNS, "a.example");
    general_names_add(&c.names, GENERAL_NAME_IP, "2001:db8::1");
    general_names_add(&c.permitted, GENERAL_NAME_IP, "10.0.0.0/8");
    general_names_add(&c.permitted, GENERAL_NAME_DNS, "example");
    general_names_add(&c.excluded, GENERAL_NAME_IP, "2001:db8::/32");
    assert_works(certificate_make(&c, (const uint8_t *)"\x4a\xbc", 2, &key, &ca->issuer, &ca->rng, der, &e), &e);
    general_names_clear(&c.names);
    general_names_clear(&c.permitted);
    general_names_clear(&c.excluded);
    mbedtls_pk_free(&key);
}

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

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *command; // makes the file k
        const char *expected;
    } cases[] = {
        {"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p; cp p k",
         "private key\n    form                          PKCS#8\n    encrypted                     no\n"
         "    type                          EC\n    curve                         P-256\n    bits                      "
         "    "
         "256\n    id                            "},
        {"openssl ec -in p -outform DER -out k", "    form                          SEC 1\n"},
        {"openssl genrsa -traditional -out k 2048", "    form                          PKCS#1\n"},
        {"openssl pkcs8 -topk8 -in p -passout pass:x -outform DER -out k",
         "private key\n    form                          PKCS#8\n    encrypted                     yes\n    encryption "
         "    "
         "               PBES2\n"},
        {"openssl ec -in p -aes128 -passout pass:x -out k",
         "private key\n    form                          EC PRIVATE KEY\n    encrypted                     yes\n"},
        {"openssl genpkey -algorithm ed25519 -out k", "private key\n    form                          PKCS#8\n    "
                                                      "encrypted                     no\n    type          "
                                                      "                Ed25519\n"},
        {"openssl pkey -in p -pubout -outform DER -out k", "public key\n    type                          EC\n"},
        {"openssl genrsa 2048 | openssl rsa -RSAPublicKey_out -outform DER -out k",
         "public key\n    type                          RSA\n    bits                          2048\n"},
        {"openssl req -x509 -new -key p -subj /CN=x -out c; openssl pkcs12 -export -inkey p -in c -passout pass:x -out "
         "k",
         "PKCS#12\n    note  "},
        {"openssl crl2pkcs7 -nocrl -certfile c -outform DER -out k", "PKCS#7\n    note  "},
        {"openssl req -new -key p -subj /CN=r -addext subjectAltName=DNS:r.example -outform DER -out k",
         "certification request\n    subject                       CN=r\n"},
        {"openssl req -new -key p -subj /CN=r -sha1 -out k",
         "    acceptable                    no\n    refused because               the request is signed with "
         "ecdsa-with-SHA1, which is not taken"},
        {"printf -- '-----BEGIN DH PARAMETERS-----\\nMAA=\\n-----END DH PARAMETERS-----\\n' > k",
         "unknown\n    label                         DH PARAMETERS\n    octets                        2\n"},
    };
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_runs(&r, "%s", cases[i].command);
        show_of(&r, "k", &text);
        assert_shows(&text, cases[i].expected);
    }
    // Its private number is not there, in hexadecimal or otherwise; its identifier is the certificate's
    assert_runs(&r,
                "openssl ec -in p -noout -text | sed -n '/^priv/,/^pub/p' | grep '^ ' | tr -d ' :\\n' | sed 's/^00//'");
    struct buf secret = {0};
    buf_text(&secret, (const char *)r.out.data);
    assert_true(secret.len >= 60);
    show_of(&r, "p", &text);
    assert_null(strstr((const char *)text.data, (const char *)secret.data));
    assert_runs(&r, "openssl x509 -in c -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' :\\n' | tr A-F a-f");
    assert_shows(&text, (const char *)r.out.data);
    buf_clear(&secret);
    buf_clear(&text);
    run_end(&r);
}

static void several_blocks(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct run r;
    struct buf text = {0};
    run_begin(&r);
    assert_runs(&r,
                "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -subj /CN=one -out c; (cat c; echo '-----BEGIN "
                "CERTIFICATE-----'; cat k; echo '-----BEGIN CERTIFICATE-----'; echo MAA=; echo '-----END "
                "CERTIFICATE-----') > all");
    show_of(&r, "all", &text);
    assert_shows(&text, "certificate\n    version                       3\n");
    assert_shows(&text,
                 "\nunknown\n    content                       malformed: PEM block CERTIFICATE has no END line\n");
    assert_shows(&text, "\nprivate key\n");
    assert_shows(&text,
                 "\ncertificate\n    content                       malformed: TBSCertificate: DER: an element is "
                 "cut short or has a tag of more than one octet\n");
    static const char *const nothing[] = {"", "hello\n", "0", "\x30\x03\x02\x01\x05"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        assert_null(show_file(span_of(nothing[i], strlen(nothing[i])), &options, &e));
        assert_string_equal(e.text,
                            "this is neither PEM nor the DER of a certificate, request, revocation list or key");
        err_clear(&e);
    }
    buf_clear(&text);
    run_end(&r);
}

static void read_any(struct span data)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    json_t *shown = show_file(data, &options, &e);
    if (shown != NULL) {
        show_text(shown, &text);
        for (size_t i = 0; i < text.len; i++) {
            assert_true(text.data[i] == '\n' || text.data[i] >= ' ');
        }
    }
    json_decref(shown);
    buf_clear(&text);
}

static void damaged_files(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct ca ca;
    struct run r;
    struct buf der = {0};
    struct crl_entry entry = {span_of("\x4a\x01", 2), june_2026, REVOCATION_key_compromise, june_2026};
    struct crl_content content = {june_2026, june_2026 + CLOCK_DAY, 41, &entry, 1};
    ca_begin(&ca);
    make_certificate(&ca, "CN=a+UID=b,O=Acme", &der);
    survive(buf_span(&der), 1, read_any);
    buf_clear(&der);
    assert_works(crl_make(&content, &ca.issuer, &ca.rng, &der, &e), &e);
    survive(buf_span(&der), 1, read_any);
    buf_clear(&der);
    run_begin(&r);
    assert_runs(&r,
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out k; openssl req -new "
                "-key k -subj /CN=r -addext subjectAltName=DNS:r.example -outform DER -out r; openssl pkcs8 -topk8 "
                "-in k -passout pass:x -outform DER -out e; openssl pkey -in k -out pem");
    static const struct {
        const char *name;
        size_t step; // requests and private keys cost arithmetic
    } files[] = {{"k", 3}, {"r", 5}, {"e", 1}, {"pem", 3}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        run_read(&r, files[i].name, &der);
        survive(buf_span(&der), files[i].step, read_any);
        buf_clear(&der);
    }
    run_end(&r);
    ca_end(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_text),
        cmocka_unit_test(flawed_certificates),
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(openssls_extensions),
        cmocka_unit_test(revocation_lists),
        cmocka_unit_test(openssls_list),
        cmocka_unit_test(keys),
        cmocka_unit_test(several_blocks),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
