// SPDX-License-Identifier: Apache-2.0
// server/config*.c: everything that is wrong with a configuration, line by line.
#include "config_fixture.h"

struct row {
    const char *text;
    const char *problems;
};

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct server_source source = SERVER_SOURCE_INIT;
        put("f.yaml", rows[i].text);
        source.file = "f.yaml";
        assert_problems(&source, rows[i].problems, ERR_ENVIRONMENT);
    }
}
#define ROWS(rows) assert_rows(rows, sizeof(rows) / sizeof(rows)[0])

static void test_structure(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", "f.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: rules: "
             "[{allow: any-verified}]"},
        {"port: 1\n", "f.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: "
                      "rules: [{allow: any-verified}]"},
        {"port: 1\nrules: []\n", "f.yaml:2: no rule says who is allowed; if every client with a good certificate is, "
                                 "write: rules: [{allow: any-verified}]"},
        {"- a\n", "f.yaml:1: expected a mapping of fields to values, found a list\n"
                  "f.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: rules: "
                  "[{allow: any-verified}]"},
        {"a: [\n", "f.yaml:2: this is not YAML: did not find expected node content"},
        {ANY "prot: 1\n", "f.yaml:2: prot: unknown field (did you mean \"port\"?)"},
        {ANY "port: 1\nport: 2\n", "f.yaml:3: port: given twice (first in line 2)"},
        {ANY "limits.idle: 1s\n",
         "f.yaml:2: limits.idle: unknown field (one of: pki, host, certificate, key, anchors, intermediates, crls, "
         "revocation, unsafe, listen, port, threads, tls, limits, root, control, log, explain, rules)"},
        {ANY "limits: {idel: 1s}\n", "f.yaml:2: limits.idel: unknown field (did you mean \"idle\"?)"},
        {ANY "limits: {size: 1}\n",
         "f.yaml:2: limits.size: unknown field (one of: connections, connections_per_address, handshake, header, "
         "idle, drain, header_size, body_size)"},
        {ANY "limits: 10s\n", "f.yaml:2: limits: expected a mapping of fields to values, found \"10s\""},
        {ANY "log: json\n", "f.yaml:2: log: expected a mapping of fields to values, found \"json\""},
        {ANY "tls: {tickets: [1]}\n", "f.yaml:2: tls.tickets: expected a mapping of fields to values, found a list"},
        {ANY "tls: {tickets: {lifetim: 1h}}\n",
         "f.yaml:2: tls.tickets.lifetim: unknown field (did you mean \"lifetime\"?)"},
        {ANY "host:\n", "f.yaml:2: host: expected a name, found nothing"},
        {ANY "\"p\\x07\": 1\n", "f.yaml:2: control and invisible characters cannot be part of a text"},
    };
    ROWS(rows);
}

static void test_values(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ANY "host: [a]\n", "f.yaml:2: host: expected a name, found a list"},
        {ANY "host: a/b\n", "f.yaml:2: host: \"a/b\" cannot be the name of a host"},
        {ANY "host: 'a\\b'\n", "f.yaml:2: host: \"a\\x5Cb\" cannot be the name of a host"},
        {ANY "port: 65536\n", "f.yaml:2: port: 65536 is out of range (0 to 65535)"},
        {ANY "port: -1\n", "f.yaml:2: port: \"-1\" is not a whole number"},
        {ANY "port: 010\n", "f.yaml:2: port: \"010\" is not a whole number"},
        {ANY "port: http\n", "f.yaml:2: port: \"http\" is not a whole number"},
        {ANY "port: 9999999999999\n", "f.yaml:2: port: \"9999999999999\" is not a whole number"},
        {ANY "threads: 257\n", "f.yaml:2: threads: 257 is out of range (0 to 256)"},
        {ANY "limits: {connections: 0}\n", "f.yaml:2: limits.connections: 0 is out of range (1 to 1000000)"},
        {ANY "limits: {connections_per_address: none}\n",
         "f.yaml:2: limits.connections_per_address: \"none\" is not a whole number"},
        {ANY "limits: {idle: 10}\n",
         "f.yaml:2: limits.idle: \"10\" is not a duration; write it like 500ms, 10s, 2m, 12h or 1d"},
        {ANY "limits: {handshake: 10 s}\n",
         "f.yaml:2: limits.handshake: \"10 s\" is not a duration; write it like 500ms, 10s, 2m, 12h or 1d"},
        {ANY "limits: {header: 99ms}\n", "f.yaml:2: limits.header: 99ms is out of range (100ms to 1h)"},
        {ANY "limits: {drain: 2h}\n", "f.yaml:2: limits.drain: 2h is out of range (0s to 1h)"},
        {ANY "limits: {body_size: 1MB}\n",
         "f.yaml:2: limits.body_size: \"1MB\" is not a size; write bytes, or like 16KiB, 1MiB, 1GiB"},
        {ANY "limits: {body_size: 2GiB}\n", "f.yaml:2: limits.body_size: 2GiB is out of range (0 to 1GiB)"},
        {ANY "limits: {header_size: 100}\n", "f.yaml:2: limits.header_size: 100 is out of range (1KiB to 1MiB)"},
        {ANY "tls: {versions: [1.1]}\n", "f.yaml:2: tls.versions[0]: unknown version \"1.1\" (did you mean \"1.2\"?)"},
        {ANY "tls: {versions: [1.2, 1.2]}\n", "f.yaml:2: tls.versions[1]: \"1.2\" is given twice"},
        {ANY "tls: {versions: 1.3}\n", "f.yaml:2: tls.versions: expected a list, found \"1.3\"; write [\"1.3\"]"},
        {ANY "tls: {versions: []}\n", "f.yaml:2: tls.versions: expected a list with at least one item, found a list"},
        {ANY "tls: {tickets: {lifetime: 8d}}\n", "f.yaml:2: tls.tickets.lifetime: 8d is out of range (0s to 7d)"},
        {ANY "revocation: always\n", "f.yaml:2: revocation: unknown word \"always\" (one of: require, prefer, off)"},
        {ANY "unsafe: [ca-lea, legacy-rsa]\n",
         "f.yaml:2: unsafe[0]: unknown relaxation \"ca-lea\" (did you mean \"ca-leaf\"?)"},
        {ANY "unsafe: true\n", "f.yaml:2: unsafe: expected a list, found \"true\"; write [\"true\"]"},
        {ANY "explain: {connections: many}\n",
         "f.yaml:2: explain.connections: unknown word \"many\" (one of: none, refused, all)"},
        {ANY "explain: {page: yes}\n", "f.yaml:2: explain.page: unknown word \"yes\" (one of: true, false)"},
        {ANY "log: {format: xml}\n", "f.yaml:2: log.format: unknown word \"xml\" (one of: text, json)"},
    };
    ROWS(rows);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ANY "listen: [localhost]\n", "f.yaml:2: listen[0]: \"localhost\" is not an IP address"},
        {ANY "listen: [\"127.0.0.1:x\"]\n",
         "f.yaml:2: listen[0]: \"127.0.0.1:x\" has a port that is not a number from 0 to 65535"},
        {ANY "listen: [\"[::1]:65536\"]\n",
         "f.yaml:2: listen[0]: \"[::1]:65536\" has a port that is not a number from 0 to 65535"},
        {ANY "listen: [\"[::1\"]\n", "f.yaml:2: listen[0]: \"[::1\" is not an IP address"},
        {ANY "listen: [\"[127.0.0.1]\"]\n", "f.yaml:2: listen[0]: \"[127.0.0.1]\" is not an IP address"},
        {ANY "listen: [\"\"]\n", "f.yaml:2: listen[0]: \"\" is not an IP address"},
        {ANY "listen: [\"::1\", \"[0::1]\"]\n", "f.yaml:2: listen[1]: \"[0::1]\" is the same as one before it"},
        {ANY "listen: 127.0.0.1\n", "f.yaml:2: listen: expected a list, found \"127.0.0.1\"; write [\"127.0.0.1\"]"},
        {ANY "listen: [a: b]\n", "f.yaml:2: listen[0]: expected text, found a mapping"},
        {ANY "listen: [127.0.0.1, 127.0.0.2, 127.0.0.3, 127.0.0.4, 127.0.0.5, 127.0.0.6, 127.0.0.7, 127.0.0.8, "
             "127.0.0.9, 127.0.0.10, 127.0.0.11, 127.0.0.12, 127.0.0.13, 127.0.0.14, 127.0.0.15, 127.0.0.16, "
             "127.0.0.17]\n",
         "f.yaml:2: listen: 17 addresses; there may be 16"},
    };
    ROWS(rows);
}

static void test_files(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ANY "pki: nowhere\n", "f.yaml:2: pki: there is no PKI in nowhere; make one: mtls pki -d nowhere"},
        {ANY "host: nobody\n", "f.yaml:2: host: pki/servers/nobody does not exist; mtls pki makes what its plan names"},
        {ANY "certificate: nope.pem\n", "f.yaml:2: certificate: nope.pem: No such file or directory"},
        {ANY "certificate: \"\"\n", "f.yaml:2: certificate: it is empty"},
        {ANY "certificate: folder\n", "f.yaml:2: certificate: folder is not a file"},
        {ANY "certificate: garbage.pem\n", "f.yaml:2: certificate: garbage.pem holds no PEM certificate"},
        {ANY "certificate: pki/servers/localhost/cert.pem\nkey: pki/servers/other/key.pem\n",
         "f.yaml:2: certificate: the key in pki/servers/other/key.pem does not belong to the first certificate in "
         "pki/servers/localhost/cert.pem"},
        {ANY "certificate: pki/servers/localhost/cert.pem\nkey: nope.pem\n",
         "f.yaml:3: key: nope.pem: No such file or directory"},
        {ANY "key: pki/servers/other/key.pem\n", "f.yaml:2: key: it needs certificate beside it"},
        {ANY "anchors: [nope.pem, garbage.pem, pki/trust.pem]\n",
         "f.yaml:2: anchors[0]: nope.pem: No such file or directory\n"
         "f.yaml:2: anchors[1]: garbage.pem holds no certificate"},
        {ANY "anchors: [pki/trust.pem, pki/trust.pem]\n", "f.yaml:2: anchors[1]: \"pki/trust.pem\" is given twice"},
        {ANY "anchors: []\n", "f.yaml:2: anchors: expected a list with at least one item, found a list"},
        {ANY "anchors: pki/trust.pem\n",
         "f.yaml:2: anchors: expected a list, found \"pki/trust.pem\"; write [\"pki/trust.pem\"]"},
        {ANY "intermediates: [nope.pem]\ncrls: [nope.pem, pki/trust.pem]\n",
         "f.yaml:2: intermediates[0]: nope.pem: No such file or directory\n"
         "f.yaml:3: crls[0]: nope.pem: No such file or directory\n"
         "f.yaml:3: crls[1]: pki/trust.pem holds no revocation list"},
        {ANY "anchors: [pki/trust.pem]\nrevocation: require\n",
         "f.yaml:3: revocation: there is no revocation list; name one in crls, or write revocation: off"},
        {ANY "root: f.yaml\n", "f.yaml:2: root: f.yaml is not a folder"},
        {ANY "root: nope\n", "f.yaml:2: root: nope: No such file or directory"},
        {ANY "control: nope/control.sock\n", "f.yaml:2: control: nope/: No such file or directory"},
        {ANY
         "control: "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "a\n",
         "f.yaml:2: control: the path of a socket has at most 107 bytes"},
        {ANY "tls: {tickets: {key_file: nope}}\n", "f.yaml:2: tls.tickets.key_file: nope: No such file or directory"},
        {ANY "tls:\n  tickets:\n    key_file: tickets.bad\n",
         "f.yaml:4: tls.tickets.key_file: tickets.bad:1: this version of mtls knows ticket keys of kind 1 only"},
    };
    ROWS(rows);
}

static void test_rules(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"rules: any-verified\n", "f.yaml:1: rules: expected a list of rules like [{allow: any-verified}], found "
                                  "\"any-verified\""},
        {"rules: [any-verified]\n",
         "f.yaml:1: rules[0]: expected a rule like {allow: any-verified}, found \"any-verified\""},
        {"rules: [{}]\n", "f.yaml:1: rules[0]: it says neither allow nor deny"},
        {"rules: [{methods: [GET]}]\n", "f.yaml:1: rules[0]: it says neither allow nor deny"},
        {"rules:\n- allow: any-verified\n  deny: any-verified\n",
         "f.yaml:2: rules[0]: it says both allow and deny; make two rules of it"},
        {"rules: [{allow: any-verified, alow: any-verified}]\n",
         "f.yaml:1: rules[0].alow: unknown field (did you mean \"allow\"?)"},
        {"rules:\n- allow: any-verified\n  allow: any-verified\n",
         "f.yaml:3: rules[0].allow: given twice (first in line 2)"},
        {"rules: [{allow: any}]\n", "f.yaml:1: rules[0].allow: expected any-verified, or fields of a certificate like "
                                    "{dns: \"*.ops.example\"}, found \"any\""},
        {"rules: [{allow: }]\n", "f.yaml:1: rules[0].allow: expected any-verified, or fields of a certificate like "
                                 "{dns: \"*.ops.example\"}, found nothing"},
        {"rules: [{allow: {}}]\n",
         "f.yaml:1: rules[0].allow: it names no field; write any-verified if every verified client is meant"},
        {"rules: [{allow: {dsn: a}}]\n", "f.yaml:1: rules[0].allow.dsn: unknown field (did you mean \"dns\"?)"},
        {"rules: [{allow: {role: a}}]\n", "f.yaml:1: rules[0].allow.role: unknown field (one of: dns, ip, email, uri, "
                                          "subject, issuer, serial, sha256, key)"},
        {"rules: [{allow: {dns: []}}]\n", "f.yaml:1: rules[0].allow.dns: it must have at least 1 item"},
        {"rules: [{allow: {dns: {a: b}}}]\n",
         "f.yaml:1: rules[0].allow.dns: expected a pattern or a list of patterns, found a mapping"},
        {"rules: [{allow: {dns: a, dns: b}}]\n", "f.yaml:1: rules[0].allow.dns: given twice (first in line 1)"},
        {"rules: [{allow: {dns: [a, a]}}]\n", "f.yaml:1: rules[0].allow.dns[1]: the same pattern is given twice"},
        {"rules: [{allow: {dns: [a, [b]]}}]\n", "f.yaml:1: rules[0].allow.dns[1]: expected a pattern, found a list"},
        {"rules: [{allow: {dns: \"a.*.b\"}}]\n",
         "f.yaml:1: rules[0].allow.dns: \"a.*.b\": a label of a host name is letters, digits and inner hyphens"},
        {"rules: [{allow: {ip: 10.0.0.0/33}}]\n",
         "f.yaml:1: rules[0].allow.ip: \"10.0.0.0/33\": behind the slash is a number of bits from 0 to 32"},
        {"rules: [{allow: {ip: [10.0.0.1/8, here]}}]\n",
         "f.yaml:1: rules[0].allow.ip[0]: \"10.0.0.1/8\": bits of the address are set behind the first 8, which are to "
         "count\n"
         "f.yaml:1: rules[0].allow.ip[1]: \"here\": it is no IP address"},
        {"rules: [{allow: {email: alice}}]\n",
         "f.yaml:1: rules[0].allow.email: \"alice\": there is no @ between mailbox and host"},
        {"rules: [{allow: {uri: \"spiffe://Example/x\"}}]\n",
         "f.yaml:1: rules[0].allow.uri: \"spiffe://Example/x\": the trust domain of a SPIFFE ID is lower-case letters, "
         "digits, dots, hyphens, underscores"},
        {"rules: [{allow: {serial: xyz}}]\n",
         "f.yaml:1: rules[0].allow.serial: \"xyz\": it is not hexadecimal, two digits an octet"},
        {"rules: [{allow: {sha256: \"00:11\"}}]\n",
         "f.yaml:1: rules[0].allow.sha256: \"00:11\": it is not 64 hexadecimal digits"},
        {"rules: [{allow: {key: 0011}}]\n", "f.yaml:1: rules[0].allow.key: \"0011\": it is not 64 hexadecimal digits"},
        {"rules: [{allow: {subject: {}}}]\n",
         "f.yaml:1: rules[0].allow.subject: it names no attribute; write it like {O: Example}"},
        {"rules: [{allow: {subject: {XX: a}}}]\n", "f.yaml:1: rules[0].allow.subject.XX: \"a\": \"XX\" is no "
                                                   "attribute: write CN, O, OU, ..., or a dotted identifier"},
        {"rules: [{allow: {subject: {O: a, O: b}}}]\n",
         "f.yaml:1: rules[0].allow.subject.O: given twice (first in line 1)"},
        {"rules: [{allow: {subject: alice}}]\n",
         "f.yaml:1: rules[0].allow.subject: \"alice\": it is not written like CN=alice,O=Example"},
        {"rules: [{allow: any-verified, methods: GET}]\n",
         "f.yaml:1: rules[0].methods: expected a list with at least one item, found \"GET\""},
        {"rules: [{allow: any-verified, methods: [get, GET, GET]}]\n",
         "f.yaml:1: rules[0].methods[0]: \"get\": a method is a word in upper case, like GET\n"
         "f.yaml:1: rules[0].methods[2]: it is given twice"},
        {"rules: [{allow: any-verified, paths: [x, /a*, \"/%20\", /.., //]}]\n",
         "f.yaml:1: rules[0].paths[0]: \"x\": a path begins with a slash\n"
         "f.yaml:1: rules[0].paths[1]: \"/a*\": a * stands at the end of a path only, and for all that follows a "
         "slash\n"
         "f.yaml:1: rules[0].paths[2]: \"/%20\": a path is decoded before it is compared: write the character itself\n"
         "f.yaml:1: rules[0].paths[3]: \"/..\": a segment of the path is only dots\n"
         "f.yaml:1: rules[0].paths[4]: \"//\": two slashes follow each other in the path"},
        {"rules:\n- allow: any-verified\n- deny: {dns: a}\n- allow: {dns: b}\n",
         "f.yaml:3: rules[1]: it is never reached: the rule in line 2 decides for every client\n"
         "f.yaml:4: rules[2]: it is never reached: the rule in line 2 decides for every client"},
    };
    ROWS(rows);
}

static void test_several_at_once(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"pkii: x\n"
         "port: 70000\n"
         "crls: [nope.pem, nope.pem, pki/trust.pem]\n"
         "revocation: requir\n"
         "listen: [localhost, \"127.0.0.1:99999\"]\n"
         "port: 3\n"
         "limits: {idle: 5ms, header: 3y, conections: 3}\n"
         "root: f.yaml\n"
         "anchors: [garbage.pem]\n"
         "rules:\n"
         "- alow: any-verified\n"
         "- deny: {dns: [], ipp: x, email: alice}\n"
         "  methods: [get]\n"
         "- allow: any-verified\n"
         "- allow: {dns: a}\n",
         "f.yaml:1: pkii: unknown field (did you mean \"pki\"?)\n"
         "f.yaml:2: port: 70000 is out of range (0 to 65535)\n"
         "f.yaml:3: crls[1]: \"nope.pem\" is given twice\n"
         "f.yaml:3: crls[0]: nope.pem: No such file or directory\n"
         "f.yaml:3: crls[2]: pki/trust.pem holds no revocation list\n"
         "f.yaml:4: revocation: unknown word \"requir\" (did you mean \"require\"?)\n"
         "f.yaml:5: listen[0]: \"localhost\" is not an IP address\n"
         "f.yaml:5: listen[1]: \"127.0.0.1:99999\" has a port that is not a number from 0 to 65535\n"
         "f.yaml:6: port: given twice (first in line 2)\n"
         "f.yaml:7: limits.idle: 5ms is out of range (100ms to 1d)\n"
         "f.yaml:7: limits.header: \"3y\" is not a duration; write it like 500ms, 10s, 2m, 12h or 1d\n"
         "f.yaml:7: limits.conections: unknown field (did you mean \"connections\"?)\n"
         "f.yaml:8: root: f.yaml is not a folder\n"
         "f.yaml:9: anchors[0]: garbage.pem holds no certificate\n"
         "f.yaml:11: rules[0].alow: unknown field (did you mean \"allow\"?)\n"
         "f.yaml:11: rules[0]: it says neither allow nor deny\n"
         "f.yaml:12: rules[1].deny.dns: it must have at least 1 item\n"
         "f.yaml:12: rules[1].deny.ipp: unknown field (did you mean \"ip\"?)\n"
         "f.yaml:12: rules[1].deny.email: \"alice\": there is no @ between mailbox and host\n"
         "f.yaml:13: rules[1].methods[0]: \"get\": a method is a word in upper case, like GET\n"
         "f.yaml:15: rules[3]: it is never reached: the rule in line 14 decides for every client"},
        {"rules: []\nhost: nobody\nanchors: [garbage.pem]\n",
         "f.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: rules: [{allow: "
         "any-verified}]\n"
         "f.yaml:2: host: pki/servers/nobody does not exist; mtls pki makes what its plan names\n"
         "f.yaml:3: anchors[0]: garbage.pem holds no certificate"},
        {"rules: []\ncertificate: [a]\nanchors: {a: b}\npki: nowhere\n",
         "f.yaml:1: no rule says who is allowed; if every client with a good certificate is, write: rules: [{allow: "
         "any-verified}]\n"
         "f.yaml:2: certificate: expected a path, found a list\n"
         "f.yaml:3: anchors: expected a list with at least one item, found a mapping\n"
         "f.yaml:4: pki: there is no PKI in nowhere; make one: mtls pki -d nowhere"},
    };
    ROWS(rows);
}

static void test_command_line(void **state)
{
    (void)state;
    static const char *const addresses[] = {"localhost", "::1", "::1"};
    struct server_source source = SERVER_SOURCE_INIT;
    source.port = 65536;
    source.threads = 1000;
    source.connections = 0;
    source.addresses = addresses;
    source.address_count = 3;
    source.versions = "1.1";
    source.log = "xml";
    source.key = "key.pem";
    source.key_log = "-";
    source.pki = "nowhere";
    assert_problems(&source,
                    "--port: 65536 is out of range (0 to 65535)\n"
                    "--threads: 1000 is out of range (0 to 256)\n"
                    "--tls: unknown version \"1.1\" (one of: 1.2, 1.3)\n"
                    "--max-connections: 0 is out of range (1 to 1000000)\n"
                    "--log: unknown word \"xml\" (one of: text, json)\n"
                    "--bind: \"::1\" is given twice\n"
                    "--bind: \"localhost\" is not an IP address\n"
                    "--pki: there is no PKI in nowhere; make one: mtls pki -d nowhere\n"
                    "--key: it needs --cert\n"
                    "--unsafe-key-log: SSLKEYLOGFILE is not set; name a file",
                    ERR_USAGE);
    source = (struct server_source)SERVER_SOURCE_INIT;
    source.certificate = "nope.pem"; // a file that is missing is no mistake in the command line's form
    source.anchors = "garbage.pem";
    assert_problems(&source, "--cert: nope.pem: No such file or directory\n--ca: garbage.pem holds no certificate",
                    ERR_ENVIRONMENT);
    source = (struct server_source)SERVER_SOURCE_INIT;
    source.pki = "nowhere";
    put("f.yaml", ANY "port: x\n");
    source.file = "f.yaml";
    assert_problems(&source,
                    "--pki: there is no PKI in nowhere; make one: mtls pki -d nowhere\n"
                    "f.yaml:2: port: \"x\" is not a whole number",
                    ERR_ENVIRONMENT);
    source = (struct server_source)SERVER_SOURCE_INIT;
    source.file = "nope.yaml";
    assert_problems(&source, "opening nope.yaml: No such file or directory", ERR_ENVIRONMENT);
    put("a\xff\nb.yaml", "");
    source.file = "a\xff\nb.yaml"; // hostile names are no way into a message either
    assert_problems(&source,
                    "a\\xFF\\x0Ab.yaml:1: no rule says who is allowed; if every client with a good certificate is, "
                    "write: rules: [{allow: any-verified}]",
                    ERR_ENVIRONMENT);
}

// The error itself has whole lines, as many as fit, and says how many are missing.
static void test_more_than_an_error_holds(void **state)
{
    (void)state;
    struct buf text = {0};
    struct buf problems = {0};
    struct err e = ERR_INIT;
    struct server_source source = SERVER_SOURCE_INIT;
    buf_text(&text, ANY);
    for (int i = 0; i < 50; i++) {
        buf_printf(&text, "unknown-key-number-%d: 1\n", i);
    }
    put("f.yaml", (const char *)text.data);
    source.file = "f.yaml";
    source.problems = &problems;
    assert_null(server_config_read(&source, &e));
    size_t lines = 0;
    for (size_t i = 0; i < problems.len; i++) {
        lines += problems.data[i] == '\n';
    }
    assert_int_equal(lines, 50);
    size_t kept = 0;
    for (const char *p = e.text; *p != '\0'; p++) {
        kept += *p == '\n';
    }
    const char *last = strrchr(e.text, '\n') + 1;
    char *expected = mem_printf("(and %zu more)", 50 - kept);
    assert_true(kept > 1);
    assert_string_equal(last, expected);
    assert_memory_equal(e.text, problems.data, (size_t)(last - e.text));
    free(expected);
    buf_clear(&text);
    buf_clear(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structure),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_addresses),    cmocka_unit_test(test_files),
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_several_at_once),
        cmocka_unit_test(test_command_line), cmocka_unit_test(test_more_than_an_error_holds),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
