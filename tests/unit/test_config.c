// SPDX-License-Identifier: Apache-2.0
// server/config*.c: what a configuration comes to. What is wrong with one is in test_config_errors.c.
#include "config_fixture.h"
#include "server/config_internal.h"

static void test_builtin(void **state)
{
    (void)state;
    struct server_source source = SERVER_SOURCE_INIT;
    char allowed[SERVER_ALLOWED_TEXT];
    struct buf text = {0};
    struct err e = ERR_INIT;
    assert_works(file_read(MTLS_SOURCE_DIR "/configs/server_builtin.yaml", FILE_LIMIT, &text, &e), &e);
    assert_string_equal(server_config_builtin, (char *)text.data);
    assert_non_null(strstr((char *)text.data, "\nrules:\n  - allow: any-verified\n"));
    buf_clear(&text);

    struct server_config *c = read_good(&source);
    assert_string_equal(c->name, "built-in configuration");
    assert_string_equal(c->host, "localhost");
    assert_string_equal(c->certificate, "pki/servers/localhost/fullchain.pem");
    assert_string_equal(c->key, "pki/servers/localhost/key.pem");
    assert_string_equal(c->trust.anchors.items[0], "pki/trust.pem");
    assert_string_equal(c->trust.crls.items[0], "pki/crl.pem");
    assert_int_equal(c->trust.revocation, TRUST_REVOCATION_REQUIRE);
    assert_int_equal(c->trust.unsafe, 0);
    assert_int_equal(c->address_count, 0);
    assert_int_equal(c->port, 8443);
    assert_int_equal(c->threads, 0);
    assert_int_equal(c->versions, TLS_1_2_AND_1_3);
    assert_int_equal(c->tickets.lifetime, 3600);
    assert_null(c->tickets.key_file);
    assert_null(c->root);
    assert_null(c->control);
    assert_null(c->key_log);
    assert_false(c->as_is);
    assert_false(c->legacy_rsa);
    assert_int_equal(c->log, LOG_TEXT);
    assert_int_equal(c->explains, SERVER_EXPLAINS_NONE);
    assert_null(c->explain_file);
    assert_true(c->explain_page);
    assert_int_equal(c->limits.connections, 16384);
    assert_int_equal(c->limits.connections_per_address, 4096);
    assert_int_equal(c->limits.handshake_ms, 10000);
    assert_int_equal(c->limits.header_ms, 10000);
    assert_int_equal(c->limits.idle_ms, 60000);
    assert_int_equal(c->limits.drain_ms, 10000);
    assert_int_equal(c->limits.header, 16384);
    assert_int_equal(c->limits.body, 1048576);
    assert_int_equal(c->rule_count, 1);
    assert_true(c->rules[0].allow);
    assert_int_equal(c->rules[0].match_count, 0);
    assert_int_equal(c->file_count, 4);
    assert_string_equal(server_config_allowed(c, allowed), "any verified client is allowed");
    server_config_unsafe(c, &text);
    assert_int_equal(text.len, 0);
    server_config_free(c);
}

static void test_every_field(void **state)
{
    (void)state;
    struct server_source source = SERVER_SOURCE_INIT;
    static const char text[] = "host: other\n"
                               "certificate: ../pki/servers/other/cert.pem\n"
                               "key: ../pki/servers/other/key.pem\n"
                               "anchors: [../pki/trust.pem, ../pki/clients/alice/cert.pem]\n"
                               "intermediates: [../pki/authorities/root/cert.pem]\n"
                               "crls: [../pki/crl.pem]\n"
                               "revocation: prefer\n"
                               "unsafe: [ca-leaf, legacy-rsa]\n"
                               "listen: [127.0.0.1, \"127.0.0.1:1\", \"::1\", \"[::1]:2\", \"[::2]\"]\n"
                               "port: 0\n"
                               "threads: 3\n"
                               "tls:\n"
                               "  versions: [1.3]\n"
                               "  tickets: {lifetime: 90m, key_file: tickets.key}\n"
                               "limits: {connections: 5, connections_per_address: 4, handshake: 500ms, header: 1m,\n"
                               "  idle: 1d, drain: 0s, header_size: 2KiB, body_size: 77}\n"
                               "root: sub\n"
                               "control: control.sock\n"
                               "log: {format: json}\n"
                               "explain: {connections: refused, file: explained.txt, page: true}\n"
                               "rules: [deny: {dns: a}, allow: any-verified]\n";
    static const struct server_address addresses[] = {
        {(char *)"127.0.0.1", 0}, {(char *)"127.0.0.1", 1}, {(char *)"::1", 0}, {(char *)"::1", 2}, {(char *)"::2", 0}};
    char allowed[SERVER_ALLOWED_TEXT];
    struct buf lines = {0};
    struct err e = ERR_INIT;
    int64_t from;
    assert_works(tls_ticket_keys_rotate("folder/tickets.key", &from, clock_now(), &e), &e);
    put("folder/f.yaml", text);
    source.file = "folder/f.yaml";
    struct server_config *c = read_good(&source);
    assert_string_equal(c->host, "other");
    assert_string_equal(c->certificate, "folder/../pki/servers/other/cert.pem");
    assert_string_equal(c->key, "folder/../pki/servers/other/key.pem");
    assert_int_equal(c->trust.anchors.count, 2);
    assert_string_equal(c->trust.anchors.items[1], "folder/../pki/clients/alice/cert.pem");
    assert_string_equal(c->trust.intermediates.items[0], "folder/../pki/authorities/root/cert.pem");
    assert_string_equal(c->trust.crls.items[0], "folder/../pki/crl.pem");
    assert_int_equal(c->trust.revocation, TRUST_REVOCATION_PREFER);
    assert_int_equal(c->trust.unsafe, TRUST_UNSAFE_CA_LEAF);
    assert_true(c->legacy_rsa);
    assert_int_equal(c->address_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(c->addresses[i].ip, addresses[i].ip);
        assert_int_equal(c->addresses[i].port, addresses[i].port);
    }
    assert_int_equal(c->threads, 3);
    assert_int_equal(c->versions, TLS_1_3_ONLY);
    assert_int_equal(c->tickets.lifetime, 5400);
    assert_string_equal(c->tickets.key_file, "folder/tickets.key");
    assert_int_equal(c->explains, SERVER_EXPLAINS_REFUSED);
    assert_string_equal(c->explain_file, "folder/explained.txt");
    assert_true(c->explain_page);
    assert_int_equal(c->limits.connections, 5);
    assert_int_equal(c->limits.connections_per_address, 4);
    assert_int_equal(c->limits.handshake_ms, 500);
    assert_int_equal(c->limits.header_ms, 60000);
    assert_int_equal(c->limits.idle_ms, 86400000);
    assert_int_equal(c->limits.drain_ms, 0);
    assert_int_equal(c->limits.header, 2048);
    assert_int_equal(c->limits.body, 77);
    assert_string_equal(c->root, "folder/sub");
    assert_string_equal(c->control, "folder/control.sock");
    assert_int_equal(c->log, LOG_JSON);
    assert_string_equal(server_config_allowed(c, allowed),
                        "any verified client is allowed, where 1 rule before does not decide otherwise");
    server_config_unsafe(c, &lines);
    assert_string_equal((char *)lines.data,
                        "ca-leaf: a CA's certificate is taken for a client's\n"
                        "legacy-rsa: in TLS 1.2 the RSA key exchange is offered, without forward secrecy\n");
    static const char *const files[] = {"folder/f.yaml",
                                        "folder/../pki/servers/other/cert.pem",
                                        "folder/../pki/servers/other/key.pem",
                                        "folder/../pki/trust.pem",
                                        "folder/../pki/clients/alice/cert.pem",
                                        "folder/../pki/authorities/root/cert.pem",
                                        "folder/../pki/crl.pem",
                                        "folder/tickets.key"};
    assert_int_equal(c->file_count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_string_equal(c->files[i], files[i]);
    }
    buf_clear(&lines);
    server_config_free(c);
}

static void test_options_go_before_the_file(void **state)
{
    (void)state;
    static const char *const addresses[] = {"::1"};
    struct server_source source = SERVER_SOURCE_INIT;
    struct buf lines = {0};
    put("folder/f.yaml",
        ANY "pki: nowhere\nhost: nobody\nport: 1\nlisten: [127.0.0.2]\nthreads: 2\nroot: nope\n"
            "control: nope/a\nlog: {format: json}\ntls: {versions: [1.2]}\nlimits: {connections: 9}\n");
    source.file = "folder/f.yaml";
    source.pki = "pki"; // relative to where we are, not to the file
    source.host = "localhost";
    source.port = 0;
    source.addresses = addresses;
    source.address_count = 1;
    source.threads = 0;
    source.root = "folder";
    source.control = "a";
    source.log = "text";
    source.versions = "1.3";
    source.connections = 7;
    source.key_log = "keys.log";
    source.legacy_rsa = true;
    struct server_config *c = read_good(&source);
    assert_string_equal(c->certificate, "pki/servers/localhost/fullchain.pem");
    assert_int_equal(c->port, 0);
    assert_int_equal(c->address_count, 1);
    assert_string_equal(c->addresses[0].ip, "::1");
    assert_int_equal(c->threads, 0);
    assert_string_equal(c->root, "folder");
    assert_string_equal(c->control, "a");
    assert_int_equal(c->log, LOG_TEXT);
    assert_int_equal(c->versions, TLS_1_3_ONLY);
    assert_int_equal(c->limits.connections, 7);
    assert_string_equal(c->key_log, "keys.log");
    assert_true(c->legacy_rsa);
    server_config_unsafe(c, &lines);
    assert_non_null(strstr((char *)lines.data, "key log: who reads keys.log reads every connection\n"));
    buf_clear(&lines);
    server_config_free(c);
    assert_int_equal(setenv("SSLKEYLOGFILE", "of-environment.log", 1), 0);
    source.key_log = NULL; // the variable alone does nothing
    c = read_good(&source);
    assert_null(c->key_log);
    server_config_free(c);
    source.key_log = "-";
    c = read_good(&source);
    assert_string_equal(c->key_log, "of-environment.log");
    server_config_free(c);
    unsetenv("SSLKEYLOGFILE");
}

static void test_credentials_on_purpose(void **state)
{
    (void)state;
    struct server_source source = SERVER_SOURCE_INIT;
    source.as = "flaws/server-expired";
    struct server_config *c = read_good(&source);
    assert_string_equal(c->certificate, "pki/flaws/server-expired/fullchain.pem");
    assert_true(c->as_is);
    server_config_free(c);
    source.as = "flaws/none";
    assert_problems(&source, "--as: pki/flaws/none does not exist; mtls pki makes what its plan names",
                    ERR_ENVIRONMENT);
}

// The PKI's list counts as soon as there is one.
static void test_list_that_is_not_there_yet(void **state)
{
    (void)state;
    assert_int_equal(rename("pki/crl.pem", "crl.away"), 0);
    struct server_config *c = read_file(ANY);
    assert_int_equal(rename("crl.away", "pki/crl.pem"), 0);
    assert_int_equal(c->trust.crls.count, 0);
    assert_string_equal(c->files[c->file_count - 2], "pki/crl.pem");
    server_config_free(c);
}

static void test_rules_with_lists(void **state)
{
    (void)state;
    char allowed[SERVER_ALLOWED_TEXT];
    struct server_config *c = read_file("rules:\n"
                                        "- deny: {serial: \"3A:97\"}\n"
                                        "- allow: {dns: [a.example, \"*.b.example\"], subject: {O: [X, Y], CN: z}}\n"
                                        "  methods: [GET, HEAD]\n"
                                        "  paths: [/, /files/*]\n"
                                        "- allow: {subject: \"CN=alice,O=Example\"}\n");
    static const char *const expected[] = {"1 deny serial=3A:97",
                                           "2 allow dns=a.example O=X CN=z",
                                           "2 allow dns=*.b.example O=X CN=z",
                                           "2 allow dns=a.example O=Y CN=z",
                                           "2 allow dns=*.b.example O=Y CN=z",
                                           "3 allow subject=CN=alice,O=Example"};
    assert_int_equal(c->rule_count, 6);
    for (size_t i = 0; i < 6; i++) {
        static const char *const words[] = {
            [TRUST_MATCH_DNS] = "dns", [TRUST_MATCH_SERIAL] = "serial", [TRUST_MATCH_SUBJECT] = "subject"};
        const struct trust_rule *rule = &c->rules[i];
        struct buf b = {0};
        buf_printf(&b, "%zu %s", rule->number, rule->allow ? "allow" : "deny");
        for (size_t k = 0; k < rule->match_count; k++) {
            const struct trust_match *m = &rule->matches[k];
            buf_printf(&b, " %s=%s", m->attribute != NULL ? m->attribute : words[m->field], m->pattern);
        }
        assert_string_equal((char *)b.data, expected[i]);
        assert_int_equal(rule->method_count, i > 0 && i < 5 ? 2 : 0);
        assert_int_equal(rule->path_count, i > 0 && i < 5 ? 2 : 0);
        buf_clear(&b);
    }
    assert_string_equal(c->rules[1].methods[1], "HEAD");
    assert_string_equal(c->rules[4].paths[1], "/files/*");
    assert_false(c->any_verified);
    assert_string_equal(server_config_allowed(c, allowed), "3 rules decide who is allowed");
    server_config_free(c);
    c = read_file("rules: [{allow: any-verified, paths: [/]}]\n"); // something for everybody is not everything
    assert_false(c->any_verified);
    assert_string_equal(server_config_allowed(c, allowed), "1 rule decides who is allowed");
    server_config_free(c);

    struct buf text = {0};
    buf_text(&text, "rules:\n- allow:\n    dns: [a0");
    for (int i = 1; i < 65; i++) {
        buf_printf(&text, ", a%d", i);
    }
    buf_text(&text, "]\n    subject:\n      O: [o0");
    for (int i = 1; i < 64; i++) {
        buf_printf(&text, ", o%d", i);
    }
    buf_text(&text, "]\n");
    struct server_source many = SERVER_SOURCE_INIT;
    put("f.yaml", (char *)text.data);
    many.file = "f.yaml";
    assert_problems(&many, "f.yaml:2: rules[0]: its lists make more than 4096 combinations; make several rules of it",
                    ERR_ENVIRONMENT);
    buf_clear(&text);
}

static void test_changes_that_need_a_restart(void **state)
{
    (void)state;
    struct buf keys = {0};
    struct server_config *a = read_file(ANY "listen: [127.0.0.1]\n");
    struct server_config *b = read_file(
        ANY "listen: [127.0.0.2]\nport: 1\nthreads: 2\ncontrol: c\ntls: {tickets: {lifetime: 2h}}\nroot: folder\n");
    server_config_fixed_changes(a, a, &keys);
    assert_int_equal(keys.len, 0);
    server_config_fixed_changes(a, b, &keys);
    assert_string_equal((char *)keys.data, "listen, port, threads, control, tls.tickets.lifetime");
    buf_clear(&keys);
    server_config_free(a);
    server_config_free(b);
}

// --- the context ---

static void test_context(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct server_config *c = read_file("rules: [{allow: {dns: a}}]\n");
    struct tls_context *context = server_config_context(c, NULL, NULL, &e);
    if (context == NULL) {
        fail_msg("%s", e.text);
    }
    tls_context_free(context);
    server_config_free(c);
}

// Files may go bad between the reading and the loading, and at every reload.
static void test_context_of_bad_files(void **state)
{
    (void)state;
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    assert_runs(&f->run, "cp pki/servers/other/cert.pem c.pem && cp pki/trust.pem a.pem && cp pki/crl.pem l.pem");
    struct server_config *c = read_file(ANY "certificate: c.pem\n"
                                            "key: pki/servers/other/key.pem\n"
                                            "anchors: [pki/clients/alice/cert.pem,\n a.pem]\n"
                                            "crls: [l.pem]\n");
    put("c.pem", "garbage\n");
    put("a.pem", "garbage\n");
    put("l.pem", "garbage\n");
    assert_null(server_config_context(c, NULL, NULL, &e));
    assert_string_equal(e.text, "f.yaml:2: certificate: c.pem holds no PEM certificate\n"
                                "f.yaml:5: anchors[1]: a.pem holds no certificate\n"
                                "f.yaml:6: crls[0]: l.pem holds no revocation list");
    assert_int_equal(e.kind, ERR_ENVIRONMENT);
    err_clear(&e);
    assert_runs(&f->run, "cp pki/servers/other/cert.pem c.pem && cp pki/trust.pem a.pem && rm l.pem");
    assert_null(server_config_context(c, NULL, NULL, &e));
    assert_string_equal(e.text, "f.yaml:6: crls[0]: opening l.pem: No such file or directory");
    err_clear(&e);
    assert_runs(&f->run, "cp pki/crl.pem l.pem");
    struct tls_context *context = server_config_context(c, NULL, NULL, &e);
    assert_non_null(context);
    tls_context_free(context);
    server_config_free(c);
}

// --- what is written about it ---

// configs/server.yaml is good, and what it only shows in comments is as good as the rest of it.
static void test_example(void **state)
{
    (void)state;
    struct buf text = {0};
    struct buf uncommented = {0};
    struct err e = ERR_INIT;
    int64_t from;
    assert_works(file_read(MTLS_SOURCE_DIR "/configs/server.yaml", FILE_LIMIT, &text, &e), &e);
    struct server_config *c = read_file((char *)text.data);
    assert_true(c->any_verified);
    server_config_free(c);

    assert_runs((struct run *)*state,
                "cp pki/servers/localhost/cert.pem server.pem && cp pki/servers/localhost/key.pem server.key && "
                "cp pki/trust.pem ca.pem && cp pki/trust.pem sub.pem && cp pki/crl.pem . && mkdir -p files");
    assert_works(tls_ticket_keys_rotate("tickets.key", &from, clock_now(), &e), &e);
    for (const char *line = (char *)text.data, *end; *line != '\0'; line = end) {
        end = strchr(line, '\n') + 1;
        size_t indent = strspn(line, " ");
        const char *field = line + indent + strspn(line + indent, "#");
        field += strspn(field, " -");
        size_t word = strspn(field, "abcdefghijklmnopqrstuvwxyz_-");
        bool key = field[word] == ':' && (field[word + 1] == ' ' || field[word + 1] == '\n');
        bool relaxation =
            strncmp(field - 2, "- ", 2) == 0 && strstr(line, "  # ") != NULL && strstr(line, "  # ") < end;
        if (line[indent] == '#' && word > 0 && (key || relaxation)) {
            buf_add(&uncommented, line, indent);
            line += indent + strlen("# ");
        }
        buf_add(&uncommented, line, (size_t)(end - line));
    }
    c = read_file((char *)uncommented.data);
    assert_string_equal(c->certificate, "server.pem");
    assert_string_equal(c->root, "files");
    assert_string_equal(c->tickets.key_file, "tickets.key");
    assert_int_equal(c->address_count, 3);
    assert_int_equal(c->trust.unsafe, 15);
    assert_true(c->legacy_rsa);
    assert_int_equal(c->rules[c->rule_count - 1].number, 4);
    for (size_t i = 0; i < config_key_count; i++) { // it shows every key
        const char *dot = strrchr(config_keys[i].path, '.');
        char *key = mem_printf("%s:", dot == NULL ? config_keys[i].path : dot + 1);
        if (strstr((char *)uncommented.data, key) == NULL) {
            fail_msg("configs/server.yaml does not show %s", config_keys[i].path);
        }
        free(key);
    }
    server_config_free(c);
    buf_clear(&text);
    buf_clear(&uncommented);
}

// docs/server.md has a row for each key, and no other: key, default, limits, option.
static void test_reference(void **state)
{
    (void)state;
    struct buf text = {0};
    struct err e = ERR_INIT;
    size_t rows = 0;
    assert_works(file_read(MTLS_SOURCE_DIR "/docs/server.md", FILE_LIMIT, &text, &e), &e);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        char limits[VALUE_LIMITS];
        struct buf row = {0};
        buf_printf(&row, "\n| `%s` | %s | %s | %s%s%s | ", key->path, key->normal != NULL ? key->normal : "",
                   value_limits(key, limits), key->option != NULL ? "`" : "", key->option != NULL ? key->option : "",
                   key->option != NULL ? "`" : "");
        if (strstr((char *)text.data, (char *)row.data) == NULL) {
            fail_msg("docs/server.md has no row that begins with%s", (char *)row.data);
        }
        buf_clear(&row);
    }
    const char *section = strstr((char *)text.data, "\n## Keys\n");
    assert_non_null(section);
    const char *next = strstr(section + 1, "\n## ");
    for (const char *p = strstr(section, "\n| `"); p != NULL && p < next; p = strstr(p + 1, "\n| `")) {
        rows++;
    }
    assert_int_equal(rows, config_key_count);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_options_go_before_the_file),
        cmocka_unit_test(test_credentials_on_purpose),
        cmocka_unit_test(test_list_that_is_not_there_yet),
        cmocka_unit_test(test_rules_with_lists),
        cmocka_unit_test(test_changes_that_need_a_restart),
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_context_of_bad_files),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
