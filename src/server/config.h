// SPDX-License-Identifier: Apache-2.0
// The server's configuration: a YAML file (configs/server.yaml, docs/server.md) and what the command line puts over it,
// read, checked and resolved. Every mistake in it is found at once. What was read never changes: a reload reads anew.
#ifndef MTLS_SERVER_CONFIG_H
#define MTLS_SERVER_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "tls/tls.h"
#include "trust/trust.h"

enum { SERVER_ADDRESSES_MOST = 16, SERVER_ALLOWED_TEXT = 120 };

// Whose handshakes are explained (docs/explain.md), once they are over.
enum server_explains { SERVER_EXPLAINS_NONE, SERVER_EXPLAINS_REFUSED, SERVER_EXPLAINS_ALL };

struct server_limits {
    unsigned connections;             // in all
    unsigned connections_per_address; // from one IP address
    unsigned handshake_ms;            // from accept to the end of the handshake
    unsigned header_ms;               // for a whole request header to arrive
    unsigned idle_ms;                 // between two requests, and for any progress within one
    unsigned drain_ms;                // for requests in flight once the server stops
    size_t header;                    // bytes
    size_t body;                      // bytes
};

// Where the configuration comes from. All text is borrowed; NULL or -1: as the file says. What the command line says
// goes before the key of the same name in the file, and its relative paths are relative to the working directory.
struct server_source {
    const char *file;             // NULL: the built-in configuration, which says allow: any-verified
    const char *pki;              // --pki
    const char *host;             // --host
    const char *as;               // --as: another entry below the PKI's directory, presented as it is
    const char *certificate;      // --cert
    const char *key;              // --key
    const char *anchors;          // --ca
    const char *crls;             // --crl
    const char *const *addresses; // --bind, without port
    size_t address_count;         // 0: as the file says
    long port;                    // --port
    const char *root;             // --root
    long threads;                 // --threads
    const char *versions;         // --tls: "1.2" or "1.3"
    const char *log;              // --log: "text" or "json"
    const char *explain;          // --explain: "refused", "all"
    const char *key_log;          // --unsafe-key-log; "-": the file that $SSLKEYLOGFILE names
    bool legacy_rsa;              // --unsafe-legacy-rsa
    const char *control;          // --control
    long connections;             // --max-connections
    struct buf *problems;         // gets everything that is wrong, one a line; or NULL
};
#define SERVER_SOURCE_INIT                                                                                             \
    {                                                                                                                  \
        .port = -1, .threads = -1, .connections = -1                                                                   \
    }

struct server_address {
    char *ip; // "127.0.0.1", "::1"
    unsigned port;
};

struct server_config {
    char *name; // of the file, for messages; "built-in configuration"

    // A change of these needs a restart.
    struct server_address *addresses; // where to listen
    size_t address_count; // at most SERVER_ADDRESSES_MOST; 0: loopback, both families as far as there are two
    unsigned port;        // of addresses without one of their own; 0: any that is free
    unsigned threads;     // 0: as many as there are processors
    char *control;        // path of the control socket; NULL: none
    struct tls_ticket_settings tickets;
    char *key_log; // file that gets the keys of every connection; NULL: none

    // A reload may change these.
    char *host;        // what the server is called
    char *certificate; // file
    char *key;         // file; the same as `certificate` if the key is in it too
    bool as_is;        // present the certificate unchecked: it is wrong on purpose
    bool legacy_rsa;   // RSA key exchange and CBC in TLS 1.2
    enum tls_versions versions;
    struct trust_files trust; // its paths and rules are this configuration's
    struct server_limits limits;
    char *root; // folder that is served; NULL: none
    enum log_format log;
    enum server_explains explains;
    char *explain_file;             // gets the explanations; NULL: standard error
    bool explain_page;              // the page shows visitors their handshake: a few KiB a connection
    const struct trust_rule *rules; // at least one
    size_t rule_count;
    bool any_verified; // a rule allows any verified client everything that no rule before it denies

    // What this was made of, for watching: the configuration, certificates, keys, lists, ticket keys; also files that
    // do not exist yet and will count once they do.
    const char *const *files;
    size_t file_count;
    struct config_memory *memory; // private to config*.c
};

// Reads and checks; on failure the error has all that is wrong, one a line by line number, as many lines as fit (then
// "(and N more)"), and source->problems has it whole. Kind: ERR_USAGE when the command line is at fault.
struct server_config *server_config_read(const struct server_source *source, struct err *e);
void server_config_free(struct server_config *config);

// The context that the configuration describes: its certificate, and a snapshot of what it trusts. `previous`: the
// snapshot whose memory of good signatures is carried over; or NULL. Files that cannot be used are an error that names
// them all, as above.
struct tls_context *server_config_context(const struct server_config *config, struct tls_tickets *tickets,
                                          const struct trust_snapshot *previous, struct err *e);

// Who is allowed, for the line that says that the server listens: "any verified client is allowed", "3 rules decide who
// is allowed".
const char *server_config_allowed(const struct server_config *config, char text[SERVER_ALLOWED_TEXT]);
// Appends one line for each thing that is unsafe.
void server_config_unsafe(const struct server_config *config, struct buf *lines);
// Appends the keys, comma-separated, that differ and that a reload cannot change; nothing if there are none.
void server_config_fixed_changes(const struct server_config *from, const struct server_config *to, struct buf *keys);

// The configuration without a file, as YAML text: configs/server_builtin.yaml.
extern const char server_config_builtin[];

#endif
