// SPDX-License-Identifier: Apache-2.0
// client/diagnosis*.c: what is said of a refusal, by certificates that openssl made.
#include "base/clock.h"
#include "client/diagnosis.h"
#include "openssl_pki.h"
#include "unit.h"

#define ROOT "CN=Test Root"
static const char *const root[] = {ROOT};
static const char *const issuing[] = {"CN=Somebody", "CN=Test Issuing CA"};
static const char *const others[] = {"CN=A", "CN=B", "CN=C", "CN=D", "CN=E"};

enum { HUNG_UP = 1, TOO_SLOW };

static const struct row {
    const char *own; // our entry; NULL: no certificate
    enum client_outcome outcome;
    int which; // alert, or reason where we refuse; of what was served the status; else as above
    bool requested;
    const char *const *authorities;
    size_t count;
    const char *server; // entry; NULL: none
    int64_t later;      // seconds from now
    const char *what;   // in it; NULL: nothing is said
    const char *mend;
} rows[] = {
    // no certificate
    {NULL, CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_REQUIRED, true, NULL, 0, NULL, 0,
     "the server wants a certificate from us, and none is configured here", "--as NAME"},
    {NULL, CLIENT_REFUSED_BY_SERVER, ALERT_HANDSHAKE_FAILURE, true, NULL, 0, NULL, 0, "none is configured here",
     "--as NAME"},
    {NULL, CLIENT_FAILED, HUNG_UP, true, NULL, 0, NULL, 0,
     "the server asked for a certificate, got none, and ended the connection without saying why", "--as NAME"},
    {NULL, CLIENT_FAILED, TOO_SLOW, true, NULL, 0, NULL, 0, NULL, NULL},
    {NULL, CLIENT_SERVED, 400, true, NULL, 0, NULL, 0, "the server answers 400; it asked for a certificate, and none",
     "--as NAME"},
    {NULL, CLIENT_SERVED, 400, false, NULL, 0, NULL, 0, NULL, NULL},
    {NULL, CLIENT_SERVED, 200, true, NULL, 0, NULL, 0, NULL, NULL},
    // nothing in common
    {NULL, CLIENT_REFUSED_BY_SERVER, ALERT_HANDSHAKE_FAILURE, false, NULL, 0, NULL, 0,
     "nothing among the cipher suites and curves", "leave --ciphers"},
    {NULL, CLIENT_REFUSED_BY_SERVER, ALERT_PROTOCOL_VERSION, false, NULL, 0, NULL, 0,
     "does not speak the versions of TLS", "leave --tls"},
    // our certificate: its time
    {"flaws/client-expired", CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_EXPIRED, true, root, 1, NULL, 0,
     "our certificate, CN=expired, ended at 20", "mtls ca renew NAME"},
    {"flaws/client-expired", CLIENT_REFUSED_BY_SERVER, ALERT_BAD_CERTIFICATE, true, NULL, 0, NULL, 0, "30 days ago",
     "mtls ca renew NAME"},
    {"flaws/client-future", CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_EXPIRED, true, NULL, 0, NULL, 0,
     "our certificate, CN=future, begins at 20", "or mend the clock: timedatectl set-ntp true"},
    {"clients/alice", CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_EXPIRED, true, root, 1, NULL, 0,
     "one of the two clocks is wrong", "date -u"},
    // its path
    {"flaws/client-stranger", CLIENT_REFUSED_BY_SERVER, ALERT_UNKNOWN_CA, true, root, 1, NULL, 0,
     "the server accepts who was issued under: " ROOT "; our certificate, CN=stranger, was issued by CN=Stranger",
     "or have the server trust this one's: mtls serve --ca FILE"},
    {"flaws/client-stranger", CLIENT_REFUSED_BY_SERVER, ALERT_HANDSHAKE_FAILURE, true, others, 5, NULL, 0,
     "issued under: CN=A; CN=B; CN=C; CN=D; and 1 more; our certificate", "--cert FILE --key FILE"},
    {"flaws/client-stranger", CLIENT_REFUSED_BY_SERVER, ALERT_UNKNOWN_CA, true, NULL, 0, NULL, 0,
     "our own judge would refuse what we sent as well: chain_untrusted: ", "trusted CA"},
    {"flaws/client-self-signed", CLIENT_REFUSED_BY_SERVER, ALERT_UNKNOWN_CA, true, root, 1, NULL, 0,
     "was issued by CN=self-signed, which is itself", "--cert FILE"},
    {"flaws/client-no-intermediate", CLIENT_REFUSED_BY_SERVER, ALERT_UNKNOWN_CA, true, root, 1, NULL, 0,
     "we sent our certificate, CN=no intermediate, alone, without that of its issuer, CN=Test Issuing CA, which the "
     "server does not seem to have; it accepts who was issued under: " ROOT,
     "--cert fullchain.pem"},
    {"flaws/client-no-intermediate", CLIENT_REFUSED_BY_SERVER, ALERT_UNKNOWN_CA, true, NULL, 0, NULL, 0,
     "which the server does not seem to have", "--cert fullchain.pem"},
    // Its issuer is one that the server knows: then it is something else.
    {"flaws/client-no-intermediate", CLIENT_REFUSED_BY_SERVER, ALERT_BAD_CERTIFICATE, true, issuing, 2, NULL, 0,
     "our own judge would refuse what we sent as well: chain_incomplete", "fullchain.pem"},
    {"clients/alice", CLIENT_REFUSED_BY_SERVER, ALERT_BAD_CERTIFICATE, true, issuing, 2, NULL, 0, NULL, NULL},
    // whatever else is wrong with it
    {"clients/mallory", CLIENT_REFUSED_BY_SERVER, ALERT_CERTIFICATE_REVOKED, true, root, 1, NULL, 0,
     "our certificate, CN=mallory, serial ", "mtls ca renew NAME --rekey"},
    {"clients/mallory", CLIENT_REFUSED_BY_SERVER, ALERT_ACCESS_DENIED, true, root, 1, NULL, 0,
     "our own judge would refuse what we sent as well: cert_revoked: ", "obtain a new certificate"},
    {"flaws/client-no-eku", CLIENT_REFUSED_BY_SERVER, ALERT_UNSUPPORTED_CERTIFICATE, true, root, 1, NULL, 0,
     "ext_key_usage: ", "issue it for clientAuth"},
    {"clients/alice", CLIENT_REFUSED_BY_SERVER, ALERT_DECRYPT_ERROR, true, root, 1, NULL, 0,
     "not made by the key of our certificate, CN=alice,O=Example\\, Inc.", "the private key that belongs to it"},
    {"clients/alice", CLIENT_REFUSED_BY_SERVER, ALERT_ACCESS_DENIED, true, root, 1, NULL, 0,
     "has no rule that lets us in", "add a rule"},
    {"clients/alice", CLIENT_FAILED, HUNG_UP, true, root, 1, NULL, 0,
     "ended the connection without saying why: that may be how it refuses it", "look into the server's log"},
    {"clients/mallory", CLIENT_SERVED, 400, true, root, 1, NULL, 0,
     "the server answers 400; it asked for a certificate, and our own judge would refuse ours: cert_revoked: ",
     "obtain a new certificate"},
    {"clients/alice", CLIENT_SERVED, 403, true, root, 1, NULL, 0, NULL, NULL},
    // the server: its time, and ours
    {"clients/alice", CLIENT_REFUSED_BY_US, REASON_cert_expired, true, NULL, 0, "flaws/server-expired", 0,
     "the server's certificate, CN=expired, ended at 20", "on the server's side: mtls ca renew asked.example"},
    {"clients/alice", CLIENT_REFUSED_BY_US, REASON_cert_expired, true, NULL, 0, "servers/localhost", 1000 * CLOCK_DAY,
     "either both do need renewing, or the clock is at least 63", "date -u"},
    {"clients/alice", CLIENT_REFUSED_BY_US, REASON_cert_not_yet_valid, true, NULL, 0, "servers/localhost",
     -2 * CLOCK_DAY - 3600, "has begun: the clock is at least 2 days behind", "timedatectl set-ntp true"},
    {"clients/alice", CLIENT_REFUSED_BY_US, REASON_cert_not_yet_valid, true, NULL, 0, "flaws/server-future", 0,
     "either that is at least 29 days behind, or the certificate is for later", "wait until 20"},
    {NULL, CLIENT_REFUSED_BY_US, REASON_cert_not_yet_valid, false, NULL, 0, "servers/localhost", -7200,
     "at least 1 hour behind", "date -u"},
    // the server: its name, its path
    {NULL, CLIENT_REFUSED_BY_US, REASON_name_mismatch, false, NULL, 0, "servers/names", 0,
     "the server was asked for as asked.example; the names in its certificate, CN=cn.example, are: dns:One.example, "
     "dns:*.wild.example,",
     "mtls connect https://One.example:8443/x --resolve One.example:8443:192.0.2.1; "},
    {NULL, CLIENT_REFUSED_BY_US, REASON_name_mismatch, false, NULL, 0, "clients/bob", 0, "are: none",
     "issue it a certificate with that name: mtls ca issue asked.example --profile server --name asked.example"},
    {NULL, CLIENT_REFUSED_BY_US, REASON_chain_untrusted, false, NULL, 0, "flaws/server-self-signed", 0,
     "CN=self-signed, is self-signed, and no trust anchor here", "trust it: --cacert FILE"},
    {NULL, CLIENT_REFUSED_BY_US, REASON_chain_incomplete, false, NULL, 0, "flaws/server-no-intermediate", 0,
     "was issued by CN=Test Issuing CA; the path from there ends before", "must send its certificate too"},
    {NULL, CLIENT_REFUSED_BY_US, REASON_crl_stale, false, NULL, 0, "servers/localhost", 0,
     "the revocation list that we have is out of date (the list of X should have been replaced by then)",
     "mtls ca crl"},
    // no rule: the reason's own hint, or that of an alert which only one reason has
    {NULL, CLIENT_REFUSED_BY_US, REASON_path_too_long, false, NULL, 0, "servers/localhost", 0, "",
     "issue from a CA that may have CAs below it"},
    {"clients/alice", CLIENT_REFUSED_BY_SERVER, ALERT_BAD_RECORD_MAC, true, NULL, 0, NULL, 0, NULL, NULL},
};

static struct tls_context *context_of(const char *entry)
{
    struct err e = ERR_INIT;
    const char *anchor = pki_path("trust.pem", "");
    const char *crl = pki_path("crl.pem", "");
    struct trust_files files = {.anchors = {&anchor, 1}, .crls = {&crl, 1}};
    struct tls_settings settings = {.role = TLS_CLIENT, .snapshot = trust_snapshot_load(&files, &e)};
    if (entry != NULL) {
        settings.credentials =
            tls_credentials_load_as_is(pki_path(entry, "fullchain.pem"), pki_path(entry, "key.pem"), &e);
    }
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

static void try(const struct row *row)
{
    struct err e = ERR_INIT;
    struct pki_chain chain = {.count = 0};
    struct client_target target = {.host = (char[]){"asked.example"}, .port = (char[]){"8443"}, .path = (char[]){"/x"}};
    struct client_call call = {.context = context_of(row->own), .target = &target};
    struct client_result result = {
        .outcome = row->outcome,
        .alert = TLS_ALERT_NONE,
    };
    struct client_asked asked = {.certificate = row->requested, .authorities = row->authorities, .count = row->count};
    struct client_diagnosis d;
    snprintf(result.remote, sizeof result.remote, "192.0.2.1:8443");
    if (row->outcome == CLIENT_REFUSED_BY_US) {
        trust_verdict_set(&result.verdict, (enum reason)row->which, 0,
                          "the list of X should have been replaced by then");
    } else if (row->outcome == CLIENT_SERVED) {
        result.status = row->which;
    } else if (row->outcome == CLIENT_FAILED) {
        result.hung_up = row->which == HUNG_UP;
    } else {
        result.alert = row->which;
    }
    if (row->server != NULL) {
        pki_chain_read(&chain, row->server);
        result.server = trust_identity_new(chain.spans[0], "", false, &e);
        assert_non_null(result.server);
    }
    client_diagnose(&call, &result, &asked, clock_now() + row->later, &d);
    if (row->what == NULL ? d.what[0] != '\0' || d.mend[0] != '\0'
                          : strstr(d.what, row->what) == NULL || strstr(d.mend, row->mend) == NULL) {
        fail_msg("not \"%s\": \"%s\", \"%s\"", row->what != NULL ? row->what : "", d.what, d.mend);
    }
    trust_identity_free(result.server);
    pki_chain_clear(&chain);
    tls_context_free(call.context);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        try(&rows[i]);
    }
}

// What a certificate says cannot steer a terminal, nor stand in a command.
static void test_hostile(void **state)
{
    (void)state;
    const struct row hostile = {"clients/hostile",
                                CLIENT_REFUSED_BY_SERVER,
                                ALERT_CERTIFICATE_REVOKED,
                                true,
                                NULL,
                                0,
                                NULL,
                                0,
                                "CN=\\1B[31mred\\0A\\<b\\>, serial",
                                "--rekey"};
    const struct row bad_name = {NULL,
                                 CLIENT_REFUSED_BY_US,
                                 REASON_name_mismatch,
                                 false,
                                 NULL,
                                 0,
                                 "flaws/client-bad-name",
                                 0,
                                 "dns:a b",
                                 "issue it a certificate with that name: "};
    try(&hostile);
    try(&bad_name);
}

// An entry that `mtls ca` knows by a name is renewed by that.
static void test_who(void **state)
{
    (void)state;
    const struct client_result result = {.outcome = CLIENT_REFUSED_BY_SERVER, .alert = ALERT_CERTIFICATE_REVOKED};
    struct client_asked asked = {.who = "mallory"};
    struct client_call call = {.context = context_of("clients/mallory")};
    struct client_diagnosis d;
    client_diagnose(&call, &result, &asked, clock_now(), &d);
    assert_string_equal(d.mend, "obtain a new certificate: mtls ca renew mallory --rekey");
    tls_context_free(call.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_who),
    };
    return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
