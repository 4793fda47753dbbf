// SPDX-License-Identifier: Apache-2.0
// Sessions that our client keeps and OpenSSL's server resumes, and when they are not offered. Link with
// --wrap=clock_now.
#include "base/clock.h"
#include "openssl_pki.h"
#include "tls/internal.h"
#include "unit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static int64_t later; // our clock, but not mbedTLS's nor OpenSSL's
int64_t clock_real(void) __asm__("__real_clock_now");
int64_t clock_wrapped(void) __asm__("__wrap_clock_now");
int64_t clock_wrapped(void)
{
    return clock_real() + later;
}

static int setup(void **state)
{
    (void)state;
    if (!temporary_make(pki_dir)) {
        return -1;
    }
    char *command =
        mem_printf("bash -c 'set -e; . %s/tests/e2e/openssl_pki.bash; d=%s; pki_begin $d\n"
                   "pki_ca root /CN=Root -; pki_ca issuing /CN=Issuing root; pki_ca stranger /CN=Stranger -\n"
                   "pki_leaf servers/localhost /CN=localhost issuing \"$SERVER_EXT\n$LOCALHOST\"\n"
                   "for who in alice bob; do pki_leaf clients/$who /CN=$who issuing \"$CLIENT_EXT\"; done\n"
                   "for ca in root issuing; do pki_crl $ca; done > $d/crl.pem\n"
                   "pki_revoke servers/localhost issuing\n"
                   "for ca in root issuing; do pki_crl $ca; done > $d/crl-server.pem'",
                   MTLS_SOURCE_DIR, pki_dir);
    int rc = system(command);
    free(command);
    return rc;
}

// --- OpenSSL's server ---

struct server {
    SSL_CTX *ctx;
    SSL *ssl; // of the visit that is on
};

static void server_begin(struct server *s, int version, uint64_t options)
{
    s->ctx = SSL_CTX_new(TLS_server_method());
    assert_true(SSL_CTX_set_min_proto_version(s->ctx, version));
    assert_true(SSL_CTX_set_max_proto_version(s->ctx, version));
    SSL_CTX_set_options(s->ctx, options);
    SSL_CTX_set_session_id_context(s->ctx, (const unsigned char *)"mtls", 4);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(s->ctx, pki_path("servers/localhost", "fullchain.pem")), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(s->ctx, pki_path("servers/localhost", "key.pem"), SSL_FILETYPE_PEM),
                     1);
    assert_int_equal(SSL_CTX_load_verify_locations(s->ctx, pki_path("authorities/root", "cert.pem"), NULL), 1);
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static long server_receive(void *arg, uint8_t *data, size_t len)
{
    struct server *s = arg;
    int n = BIO_read(SSL_get_wbio(s->ssl), data, (int)len);
    return n > 0 ? n : TLS_IO_AGAIN;
}

static long server_send(void *arg, const uint8_t *data, size_t len)
{
    struct server *s = arg;
    return BIO_write(SSL_get_rbio(s->ssl), data, (int)len);
}

// --- our client ---

struct client_of {
    const char *who;
    const char *crl;
    enum tls_versions versions;
    bool without_sessions;
    bool unsafe;
};

static struct tls_context *client(const struct client_of *of)
{
    struct err e = ERR_INIT;
    const char *anchor = pki_path("authorities/root", "cert.pem");
    const char *crl = pki_path(of->crl != NULL ? of->crl : "crl.pem", "");
    struct trust_files files = {.anchors = {&anchor, 1}, .crls = {&crl, 1}};
    struct tls_settings settings = {
        .role = TLS_CLIENT,
        .versions = of->versions,
        .credentials = tls_credentials_load(pki_path(of->who != NULL ? of->who : "clients/alice", "fullchain.pem"),
                                            pki_path(of->who != NULL ? of->who : "clients/alice", "key.pem"), &e),
        .snapshot = trust_snapshot_load(&files, &e),
        .sessions = !of->without_sessions,
        .verification = of->unsafe ? TLS_UNSAFE_NO_VERIFY : TLS_VERIFY,
    };
    struct tls_context *made = tls_context_new(&settings, &e);
    assert_string_equal(e.text, "");
    trust_snapshot_free(settings.snapshot);
    return made;
}

// --- a visit ---

struct visit {
    struct server *at;
    struct tls_context *context;
    const char *name;          // NULL: "localhost"
    struct tls_session *offer; // or NULL
    bool unbound;              // no extended_master_secret is seen in the ServerHello
};

struct visited {
    struct tls_connection *tls;
    struct err not_offered;
    enum tls_status status;
    bool reused; // says the server
    bool served;
    struct tls_session *session; // that it left
};

static void shake(const struct visit *v, struct visited *result)
{
    for (int i = 0; i < 30; i++) {
        if (v->unbound && result->tls->hello != NULL) {
            result->tls->hello->done = true;
        }
        result->status = tls_handshake(result->tls);
        SSL_do_handshake(v->at->ssl);
    }
}

static void visit(const struct visit *v, struct visited *result)
{
    struct err e = ERR_INIT;
    char data[16] = "";
    size_t got = 0;
    struct tls_io io = {.arg = v->at, .receive = server_receive, .send = server_send};
    *result = (struct visited){.status = TLS_WANT_READ};
    v->at->ssl = SSL_new(v->at->ctx);
    SSL_set_bio(v->at->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(v->at->ssl);
    result->tls = tls_connection_new(v->context, io, v->name != NULL ? v->name : "localhost", &e);
    assert_string_equal(e.text, "");
    if (v->offer != NULL) {
        (void)tls_connection_resume(result->tls, v->offer, &result->not_offered);
    }
    shake(v, result);
    (void)SSL_write(v->at->ssl, "hello", 5);
    for (int i = 0; i < 5 && got == 0; i++) { // tickets may come first
        (void)tls_read(result->tls, data, sizeof data, &got);
    }
    result->served = got == 5 && memcmp(data, "hello", 5) == 0;
    result->reused = SSL_session_reused(v->at->ssl) == 1;
    result->session = tls_session_of(result->tls);
    SSL_set_shutdown(v->at->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(v->at->ssl);
    v->at->ssl = NULL;
    ERR_clear_error();
}

static void visited_clear(struct visited *result)
{
    tls_connection_free(result->tls);
    tls_session_free(result->session);
}

// As it comes out of the file that it was written to.
static struct tls_session *written_and_read(const struct tls_session *session)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    assert_non_null(session);
    tls_session_write(session, &text);
    assert_non_null(strstr((const char *)text.data, "-----BEGIN MTLS SESSION-----"));
    struct tls_session *read = tls_session_read(buf_span(&text), &e);
    assert_string_equal(e.text, "");
    assert_non_null(read);
    buf_clear(&text);
    return read;
}

// The session of a full handshake.
static struct tls_session *first(struct server *at, struct tls_context *context)
{
    struct visited v;
    visit(&(struct visit){.at = at, .context = context}, &v);
    assert_int_equal(v.status, TLS_DONE);
    assert_true(v.served);
    assert_false(v.reused);
    assert_false(tls_resumed(v.tls));
    struct tls_session *session = written_and_read(v.session);
    visited_clear(&v);
    return session;
}

// A visit with the session that must become a full handshake, because of `why`.
static void expect_full(struct visit v, const char *why)
{
    struct visited full;
    visit(&v, &full);
    assert_non_null(strstr(full.not_offered.text, why));
    assert_int_equal(full.status, TLS_DONE);
    assert_true(full.served);
    assert_false(full.reused);
    assert_false(tls_resumed(full.tls));
    visited_clear(&full);
}

static void expect_resumed(struct visit v)
{
    struct visited resumed;
    visit(&v, &resumed);
    assert_string_equal(resumed.not_offered.text, "");
    assert_int_equal(resumed.status, TLS_DONE);
    assert_true(resumed.served);
    assert_true(resumed.reused);
    assert_true(tls_resumed(resumed.tls));
    assert_true(tls_peer(resumed.tls)->resumed);
    assert_string_equal(tls_peer(resumed.tls)->subject, "CN=localhost");
    assert_int_equal(tls_accepted_until(resumed.tls), tls_peer(resumed.tls)->not_after);
    visited_clear(&resumed);
}

struct version {
    int openssl;
    enum tls_versions ours, other;
};
static const struct version each[] = {{TLS1_2_VERSION, TLS_1_2_ONLY, TLS_1_3_ONLY},
                                      {TLS1_3_VERSION, TLS_1_3_ONLY, TLS_1_2_ONLY}};

static void test_resumed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server at;
        server_begin(&at, each[i].openssl, 0);
        struct tls_context *context = client(&(struct client_of){.versions = TLS_1_2_AND_1_3});
        struct tls_context *exactly = client(&(struct client_of){.versions = each[i].ours});
        struct tls_context *without = client(&(struct client_of){.without_sessions = true});
        struct tls_session *session = first(&at, context);
        expect_resumed((struct visit){.at = &at, .context = context, .offer = session});
        expect_resumed((struct visit){.at = &at, .context = exactly, .offer = session});
        expect_full((struct visit){.at = &at, .context = context}, "");
        expect_full((struct visit){.at = &at, .context = without, .offer = session}, "cannot be offered");

        // What a resumed handshake leaves can be resumed too.
        struct visited again;
        visit(&(struct visit){.at = &at, .context = context, .offer = session}, &again);
        struct tls_session *second = written_and_read(again.session);
        expect_resumed((struct visit){.at = &at, .context = context, .offer = second});
        tls_session_free(second);
        visited_clear(&again);

        tls_session_free(session);
        tls_context_free(context);
        tls_context_free(exactly);
        tls_context_free(without);
        SSL_CTX_free(at.ctx);
    }
}

static void test_not_offered(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server at;
        struct server elsewhere;
        server_begin(&at, each[i].openssl, 0);
        server_begin(&elsewhere, each[1 - i].openssl, 0);
        struct tls_context *alice = client(&(struct client_of){0});
        struct tls_context *bob = client(&(struct client_of){.who = "clients/bob"});
        struct tls_context *other = client(&(struct client_of){.versions = each[i].other});
        struct tls_session *session = first(&at, alice);
        const struct visit usual = {.at = &at, .context = alice, .offer = session};
        expect_resumed(usual);
        struct visit v = usual;
        v.context = bob;
        expect_full(v, "another certificate of ours");
        v = usual;
        v.name = "127.0.0.1";
        expect_full(v, "a server by another name");
        v = (struct visit){.at = &elsewhere, .context = other, .offer = session};
        expect_full(v, "a version of TLS that is not to be spoken");
        later = 7 * CLOCK_DAY;
        expect_full(usual, "more than seven days old");
        later = 0;
        session->ticket.data[2] = 0x7f; // when it was made
        expect_full(usual, "of the future");
        session->ticket.len--;
        expect_full(usual, "damaged");
        tls_session_free(session);
        tls_context_free(alice);
        tls_context_free(bob);
        tls_context_free(other);
        SSL_CTX_free(at.ctx);
        SSL_CTX_free(elsewhere.ctx);
    }
}

// The server has been revoked since: it is not even asked to resume, and refused when it shows itself.
static void test_judged_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server at;
        struct visited v;
        server_begin(&at, each[i].openssl, 0);
        struct tls_context *context = client(&(struct client_of){0});
        struct tls_context *informed = client(&(struct client_of){.crl = "crl-server.pem"});
        struct tls_session *session = first(&at, context);
        expect_resumed((struct visit){.at = &at, .context = context, .offer = session});
        visit(&(struct visit){.at = &at, .context = informed, .offer = session}, &v);
        assert_int_equal(v.not_offered.kind, ERR_REFUSED);
        assert_non_null(strstr(v.not_offered.text, "no longer acceptable: cert_revoked"));
        assert_int_equal(v.status, TLS_FAILED);
        assert_false(v.reused);
        assert_int_equal(tls_ended_by(v.tls), TLS_END_US);
        assert_int_equal(tls_verdict(v.tls)->reason, REASON_cert_revoked);
        assert_null(tls_peer(v.tls));
        assert_null(v.session);
        visited_clear(&v);
        tls_session_free(session);
        tls_context_free(context);
        tls_context_free(informed);
        SSL_CTX_free(at.ctx);
    }
}

// RFC 7627 section 5.3.
static void test_extended_master_secret(void **state)
{
    (void)state;
    struct server at;
    struct visited v;
    struct tls_context *context = client(&(struct client_of){.versions = TLS_1_2_ONLY});
    server_begin(&at, TLS1_2_VERSION, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    visit(&(struct visit){.at = &at, .context = context}, &v);
    assert_true(v.served);
    assert_null(v.session);
    visited_clear(&v);
    SSL_CTX_free(at.ctx);

    server_begin(&at, TLS1_2_VERSION, 0);
    struct tls_session *session = first(&at, context);
    visit(&(struct visit){.at = &at, .context = context, .offer = session, .unbound = true}, &v);
    assert_int_equal(v.status, TLS_FAILED);
    assert_false(v.served);
    assert_null(tls_peer(v.tls));
    assert_non_null(strstr(tls_failure(v.tls), "resumed without extended_master_secret"));
    visited_clear(&v);
    expect_resumed((struct visit){.at = &at, .context = context, .offer = session});
    tls_session_free(session);
    tls_context_free(context);
    SSL_CTX_free(at.ctx);
}

// Told to go on with anybody, the client says who it was that it spoke to: nobody.
static void test_unsafe(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server at;
        struct visited v;
        server_begin(&at, each[i].openssl, 0);
        struct tls_context *strict = client(&(struct client_of){.crl = "crl-server.pem"});
        struct tls_context *unsafe = client(&(struct client_of){.crl = "crl-server.pem", .unsafe = true});
        visit(&(struct visit){.at = &at, .context = strict}, &v);
        assert_int_equal(v.status, TLS_FAILED);
        assert_false(v.served);
        visited_clear(&v);
        visit(&(struct visit){.at = &at, .context = unsafe}, &v);
        assert_int_equal(v.status, TLS_DONE);
        assert_true(v.served);
        assert_int_equal(tls_ended_by(v.tls), TLS_END_NONE);
        assert_int_equal(tls_verdict(v.tls)->reason, REASON_cert_revoked);
        assert_null(tls_peer(v.tls));
        assert_null(v.session);
        visited_clear(&v);
        tls_context_free(unsafe);
        unsafe = client(&(struct client_of){.unsafe = true});
        visit(&(struct visit){.at = &at, .context = unsafe, .name = "elsewhere.example"}, &v);
        assert_true(v.served);
        assert_int_equal(tls_verdict(v.tls)->reason, REASON_name_mismatch);
        visited_clear(&v);
        tls_context_free(strict);
        tls_context_free(unsafe);
        SSL_CTX_free(at.ctx);
    }
}

static void test_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "mtls",
        "-----BEGIN MTLS SESSION-----\n-----END MTLS SESSION-----\n",
        "-----BEGIN MTLS SESSION-----\nAQ==\n-----END MTLS SESSION-----\n",
        "-----BEGIN MTLS SESSION-----\nAQ==\n",
        "-----BEGIN CERTIFICATE-----\nAQ==\n-----END CERTIFICATE-----\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = ERR_INIT;
        assert_null(tls_session_read(span_of(texts[i], strlen(texts[i])), &e));
        assert_int_equal(e.kind, ERR_ENVIRONMENT);
    }
    struct server at;
    struct err e = ERR_INIT;
    struct buf text = {0};
    server_begin(&at, TLS1_3_VERSION, 0);
    struct tls_context *context = client(&(struct client_of){0});
    struct tls_session *session = first(&at, context);
    tls_session_write(session, &text);
    char *format = strstr((char *)text.data, "\n") + 1;
    assert_int_equal(format[0], 'A'); // the first octet is the format, 1: "AQ" or "AR" ..
    format[0] = 'B';
    assert_null(tls_session_read(buf_span(&text), &e));
    assert_string_equal(e.text, "there is no session in it that this program wrote");
    buf_clear(&text);
    tls_session_free(session);
    tls_session_free(NULL);
    tls_context_free(context);
    SSL_CTX_free(at.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resumed),      cmocka_unit_test(test_not_offered),
        cmocka_unit_test(test_judged_again), cmocka_unit_test(test_extended_master_secret),
        cmocka_unit_test(test_unsafe),       cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, setup, pki_teardown);
}
