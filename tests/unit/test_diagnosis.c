// SPDX-License-Identifier: Apache-2.0
// explain/diagnosis.c: what is said of a handshake that was refused, of certificates that openssl made; and that
// nothing is said where nothing can be seen to be wrong.
#include "base/clock.h"
#include "base/reason.h"
#include "explain/internal.h"
#include "run.h"

enum { LEAF = 1, ISSUING = 2, ROOT = 4, SELF = 8, WEAK = 16, OLD = 32, PURPOSE = 64, BROKEN = 128, ALL = 8 };

static struct run tools;
static struct buf certificates[ALL];
static const char *const subjects[] = {"alice", "issuing", "root", "itself", "weak", "old", "purpose"};

static void make(const char *subject, const char *issuer, const char *key, const char *extensions)
{
    if (issuer == NULL) {
        assert_int_equal(
            run(&tools, "openssl req -x509 %s -keyout %s.key -out %s.pem -subj /CN=%s", key, subject, subject, subject),
            0);
    } else {
        assert_int_equal(run(&tools,
                             "openssl req %s -keyout %s.key -out %s.csr -subj /CN=%s && openssl x509 -req -in %s.csr "
                             "-CA %s.pem -CAkey %s.key -CAcreateserial -days 30 -extfile %s -out %s.pem",
                             key, subject, subject, subject, subject, issuer, issuer, extensions, subject),
                         0);
    }
    assert_int_equal(run(&tools, "openssl x509 -in %s.pem -outform DER -out %s.der", subject, subject), 0);
}

static int make_certificates(void **state)
{
    (void)state;
    static const char key[] = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
    run_begin(&tools);
    assert_int_equal(run(&tools, "printf 'subjectAltName=DNS:*.example.com,DNS:other.org\n' >names && "
                                 "printf 'extendedKeyUsage=serverAuth\n' >purpose && : >none"),
                     0);
    make("root", NULL, key, "names");
    make("itself", NULL, key, "names");
    make("issuing", "root", key, "names");
    make("alice", "issuing", key, "names");
    make("weak", "issuing", "-newkey rsa:1024 -nodes -days 30", "names");
    make("old", "issuing", key, "none");
    make("purpose", "issuing", key, "purpose");
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s.der", subjects[i]);
        run_read(&tools, name, &certificates[i]);
    }
    buf_add(&certificates[ALL - 1], certificates[0].data, certificates[0].len);
    buf_add(&certificates[ALL - 1], "more", 4);
    return 0;
}

static int forget_certificates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL; i++) {
        buf_clear(&certificates[i]);
    }
    run_end(&tools);
    return 0;
}

// --- a handshake of TLS 1.2, as it is on the wire ---

static void number(struct buf *b, size_t value, size_t octets)
{
    while (octets-- > 0) {
        uint8_t octet = (uint8_t)(value >> (8 * octets));
        buf_add(b, &octet, 1);
    }
}

static void record(struct explain *x, enum explain_side from, unsigned type, struct span content)
{
    struct buf b = {0};
    number(&b, type, 1);
    number(&b, 0x0303, 2);
    number(&b, content.len, 2);
    buf_add(&b, content.data, content.len);
    explain_bytes(x, from, 0, b.data, b.len);
    buf_clear(&b);
}

static void message(struct explain *x, enum explain_side from, unsigned type, struct span body)
{
    struct buf b = {0};
    number(&b, type, 1);
    number(&b, body.len, 3);
    buf_add(&b, body.data, body.len);
    record(x, from, RECORD_HANDSHAKE, buf_span(&b));
    buf_clear(&b);
}

static void message_hex(struct explain *x, enum explain_side from, unsigned type, const char *hex)
{
    struct buf b = {0};
    assert_true(text_unhex(hex, &b));
    message(x, from, type, buf_span(&b));
    buf_clear(&b);
}

static void send_certificates(struct explain *x, enum explain_side from, unsigned which)
{
    struct buf list = {0};
    struct buf body = {0};
    for (unsigned i = 0; i < ALL; i++) {
        if ((which & 1U << i) != 0) {
            number(&list, certificates[i].len, 3);
            buf_add(&list, certificates[i].data, certificates[i].len);
        }
    }
    number(&body, list.len, 3);
    buf_add(&body, list.data, list.len);
    message(x, from, MESSAGE_CERTIFICATE, buf_span(&body));
    buf_clear(&list);
    buf_clear(&body);
}

// CN=NAME, one of four letters, as DER in a list of one.
static void send_request(struct explain *x, const char *name)
{
    struct buf body = {0};
    static const uint8_t head[] = {1, 64, 0, 2, 4, 3};
    static const uint8_t der[] = {0, 17, 0x30, 15, 0x31, 13, 0x30, 11, 6, 3, 0x55, 4, 3, 12, 4};
    buf_add(&body, head, sizeof head);
    number(&body, name != NULL ? sizeof der + 4 : 0, 2);
    if (name != NULL) {
        buf_add(&body, der, sizeof der);
        buf_add(&body, name, 4);
    }
    message(x, EXPLAIN_SERVER, MESSAGE_CERTIFICATE_REQUEST, buf_span(&body));
    buf_clear(&body);
}

struct course {
    const char *asked; // of 15 letters, or NULL
    unsigned server;   // certificates
    const char *named; // the acceptable CA
    unsigned client;
    bool answers; // the client does
    enum explain_side refuses;
    int alert; // -1: it closes
    int days;  // from now
    const char *hint;
};

enum { UNKNOWN_DAY = -10000 };
#define RANDOM "0000000000000000000000000000000000000000000000000000000000000000"

// `known`: who refuses is here, and has said why; or REASON_ok.
static void check(const struct course *c, enum reason known)
{
    struct explain *x = explain_new(NULL);
    struct explain_story story;
    char hello[512] = "0303" RANDOM "00 0002 c02b 0100";
    if (c->asked != NULL) {
        struct buf hex = {0};
        text_hex(&hex, c->asked, strlen(c->asked), '\0');
        snprintf(hello + strlen(hello), sizeof hello - strlen(hello), "0018 0000 0014 0012 00 000f %s",
                 (char *)hex.data);
        buf_clear(&hex);
    }
    explain_begin_at(x, c->days == UNKNOWN_DAY ? 0 : clock_now() + c->days * (int64_t)CLOCK_DAY);
    message_hex(x, EXPLAIN_CLIENT, MESSAGE_CLIENT_HELLO, hello);
    message_hex(x, EXPLAIN_SERVER, MESSAGE_SERVER_HELLO, "0303" RANDOM "00 c02b 00");
    send_certificates(x, EXPLAIN_SERVER, c->server);
    send_request(x, c->named);
    if (c->answers) {
        send_certificates(x, EXPLAIN_CLIENT, c->client);
    }
    if (c->alert >= 0) {
        const uint8_t alert[] = {2, (uint8_t)c->alert};
        record(x, c->refuses, RECORD_ALERT, span_of(alert, 2));
    } else {
        explain_closed(x, c->refuses, false);
    }
    if (known != REASON_ok) {
        explain_judged(x, c->refuses, known, 0, "it is so");
    }
    explain_story_init(&story, x);
    assert_int_not_equal(story.failed, 0);
    struct buf told = {0};
    buf_text(&told, story.hint.len > 0 ? (const char *)story.hint.data : "");
    char *time = (char *)told.data;
    for (; (time = strstr(time, "20")) != NULL && strlen(time) >= 20 && time[19] == 'Z'; time += 20) {
        memset(time, '#', 20);
    }
    assert_string_equal((const char *)told.data, c->hint);
    buf_clear(&told);
    explain_story_clear(&story);
    explain_free(x);
}

static void test_client(void **state)
{
    (void)state;
    static const struct course courses[] = {
        // nothing is wrong that could be seen
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_CERTIFICATE_REVOKED, 0, ""},
        {NULL, LEAF, NULL, LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, 0, ""},
        {NULL, LEAF, NULL, LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_UNKNOWN_CA, 0,
         "The certificates that the client sent lead to CN=root, which the server does not trust."},
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, -1, 0, ""},
        // nor is it about certificates
        {NULL, LEAF, "moon", SELF, true, EXPLAIN_SERVER, ALERT_INTERNAL_ERROR, 40, ""},
        // time
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_CERTIFICATE_EXPIRED, 0,
         "None of the certificates that the client sent had expired at ####################: it may be the clock of "
         "the "
         "server that is wrong."},
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_CERTIFICATE_EXPIRED, UNKNOWN_DAY, ""},
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_CERTIFICATE_EXPIRED, 40,
         "The certificate CN=alice that the client sent had expired: it was valid until ####################, and this "
         "was ####################. The certificate CN=issuing that the client sent had expired: it was valid until "
         "####################, and this was ####################."},
        {NULL, LEAF, "alic", LEAF, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, -10,
         "The certificate CN=alice that the client sent was not valid yet: it is from #################### on, and "
         "this "
         "was ####################. The client sent CN=alice without the certificate of its issuer, CN=issuing, which "
         "is "
         "not among the acceptable CAs that the server named (CN=alic): if that is an intermediate CA, it must be sent "
         "too (fullchain.pem)."},
        // the path
        {NULL, LEAF, "root", LEAF, true, EXPLAIN_SERVER, ALERT_UNKNOWN_CA, 0,
         "The client sent CN=alice without the certificate of its issuer, CN=issuing, which is not among the "
         "acceptable "
         "CAs that the server named (CN=root): if that is an intermediate CA, it must be sent too (fullchain.pem)."},
        {NULL, LEAF, NULL, LEAF, true, EXPLAIN_SERVER, ALERT_UNKNOWN_CA, 0,
         "The client sent CN=alice without the certificate of its issuer, CN=issuing: if that is an intermediate CA, "
         "it "
         "must be sent too (fullchain.pem)."},
        {NULL, LEAF, "moon", LEAF | ISSUING, true, EXPLAIN_SERVER, -1, 0,
         "None of the acceptable CAs that the server named (CN=moon) is an issuer of the client's certificate "
         "CN=alice, "
         "which CN=issuing issued."},
        {NULL, LEAF, "root", SELF, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, 0,
         "The certificate CN=itself that the client sent as its own is a CA's (CA:TRUE). The client's certificate "
         "CN=itself names itself as its issuer: no CA vouches for it."},
        // the leaf
        {NULL, LEAF, NULL, WEAK, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, 0,
         "The key of the client's certificate CN=weak is RSA of 1024 bits."},
        {NULL, LEAF, NULL, OLD, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, 0,
         "The client's certificate CN=old is of version 1, and has no extensions that say what it is for."},
        {NULL, LEAF, NULL, PURPOSE, true, EXPLAIN_SERVER, ALERT_UNSUPPORTED_CERTIFICATE, 0,
         "The extendedKeyUsage of the client's certificate CN=purpose lacks clientAuth."},
        {NULL, LEAF, NULL, BROKEN, true, EXPLAIN_SERVER, ALERT_BAD_CERTIFICATE, 0,
         "The client's certificate is malformed and cannot be read."},
        // none, and another key
        {NULL, LEAF, "root", 0, true, EXPLAIN_SERVER, ALERT_HANDSHAKE_FAILURE, 0,
         "The server named the CAs whose certificates it accepts: CN=root. The client had none from them, or none at "
         "all."},
        {NULL, LEAF, NULL, 0, true, EXPLAIN_SERVER, ALERT_HANDSHAKE_FAILURE, 0, ""},
        {NULL, LEAF, "root", LEAF | ISSUING, true, EXPLAIN_SERVER, ALERT_DECRYPT_ERROR, 0,
         "A signature or Finished of the client's is wrong: its private key may not be that of its certificate "
         "CN=alice."},
    };
    for (size_t i = 0; i < sizeof courses / sizeof courses[0]; i++) {
        check(&courses[i], REASON_ok);
    }
}

static void test_server(void **state)
{
    (void)state;
    static const struct course courses[] = {
        {NULL, PURPOSE, "root", 0, false, EXPLAIN_CLIENT, ALERT_BAD_CERTIFICATE, 0, ""},
        {"www.example.com", LEAF | ISSUING, "root", 0, false, EXPLAIN_CLIENT, ALERT_BAD_CERTIFICATE, 0, ""},
        {"a.b.example.com", LEAF | ISSUING, "root", 0, false, EXPLAIN_CLIENT, ALERT_BAD_CERTIFICATE, 0,
         "The client asked for a.b.example.com; the server's certificate is for dns:*.example.com, dns:other.org."},
        {"www.example.org", ROOT, NULL, 0, false, EXPLAIN_CLIENT, ALERT_BAD_CERTIFICATE, 0,
         "The certificate CN=root that the server sent as its own is a CA's (CA:TRUE). The client asked for "
         "www.example.org; the server's certificate is for no name (subjectAltName) at all."},
        {"www.example.com", LEAF, "root", 0, false, EXPLAIN_CLIENT, ALERT_UNKNOWN_CA, 0,
         "The server sent CN=alice without the certificate of its issuer, CN=issuing: if that is an intermediate CA, "
         "it must be sent too (fullchain.pem)."},
        {NULL, LEAF | ISSUING, "moon", 0, false, EXPLAIN_CLIENT, ALERT_CERTIFICATE_UNKNOWN, 40,
         "The certificate CN=alice that the server sent had expired: it was valid until ####################, and this "
         "was ####################. The certificate CN=issuing that the server sent had expired: it was valid until "
         "####################, and this was ####################."},
    };
    for (size_t i = 0; i < sizeof courses / sizeof courses[0]; i++) {
        check(&courses[i], REASON_ok);
    }
}

// What would be said, were the reason not known.
static void test_known(void **state)
{
    (void)state;
    struct course course = {NULL, LEAF, "moon", SELF, true, EXPLAIN_SERVER, ALERT_UNKNOWN_CA, 40, ""};
    check(&course, REASON_chain_untrusted);
    course.client = 0;
    check(&course, REASON_no_certificate);
}

// A server that agrees to nothing.
static void test_offer(void **state)
{
    (void)state;
    static const char offer[] =
        "The client offered TLS 1.3, 2 cipher suites and the groups secp256r1, secp384r1: the server may do with none "
        "of them.";
    static const struct {
        int alert;
        const char *hint;
    } cases[] = {
        {ALERT_PROTOCOL_VERSION, offer},
        {ALERT_HANDSHAKE_FAILURE, offer},
        {ALERT_INSUFFICIENT_SECURITY, offer},
        {ALERT_UNRECOGNIZED_NAME, "The client asked for the name a.example."},
        {ALERT_NO_APPLICATION_PROTOCOL, "The client asked for the application protocols h2, h3."},
        {ALERT_DECODE_ERROR, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t alert[] = {2, (uint8_t)cases[i].alert};
        struct explain *x = explain_new(NULL);
        struct explain_story story;
        message_hex(x, EXPLAIN_CLIENT, MESSAGE_CLIENT_HELLO,
                    "0303" RANDOM "00 0004 1301 1302 0100 002f 002b 0003 02 0304 000a 0006 0004 0017 0018"
                    "0000 000e 000c 00 0009 612e6578616d706c65 0010 0008 0006 02 6832 02 6833");
        record(x, EXPLAIN_SERVER, RECORD_ALERT, span_of(alert, 2));
        explain_story_init(&story, x);
        assert_null(explain_message(x, 0)->problem);
        assert_int_equal(story.failed, 2);
        assert_string_equal(story.hint.len > 0 ? (const char *)story.hint.data : "", cases[i].hint);
        explain_story_clear(&story);
        explain_free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_offer),
    };
    return cmocka_run_group_tests(tests, make_certificates, forget_certificates);
}
