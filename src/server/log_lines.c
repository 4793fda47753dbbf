// SPDX-License-Identifier: Apache-2.0
#include "server/log_lines.h"

#include "base/log.h"
#include "base/print.h"
#include "base/reason.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 4, NAMES_SHOWN = 300 }; // a certificate may have hundreds

static json_t *object_of(const struct log_line_connection *c)
{
    json_t *o = json_pack("{s:s}", "peer", c->address);
    const char *version = tls_version(c->tls);
    const char *suite = tls_cipher(c->tls);
    if (version[0] != '\0') {
        json_object_set_new(o, "protocol", json_string(version));
    }
    if (suite[0] != '\0') {
        json_object_set_new(o, "suite", json_string(suite));
    }
    return o;
}

static void add_identity(json_t *o, const struct trust_identity *who)
{
    json_t *names = json_array();
    for (size_t i = 0; i < who->name_count && i < NAMES_MOST; i++) {
        struct buf name = {0};
        buf_printf(&name, "%s:%s", trust_name_word(who->names[i].type), who->names[i].text);
        json_array_append_new(names, json_string((const char *)name.data));
        buf_clear(&name);
    }
    json_object_set_new(o, "subject", json_string(who->subject));
    json_object_set_new(o, "names", names);
    json_object_set_new(o, "serial", json_string(who->serial));
    json_object_set_new(o, "resumed", json_boolean(who->resumed));
}

static void add_number(json_t *o, const char *key, uint64_t number)
{
    json_object_set_new(o, key, json_integer((json_int_t)number));
}

static const char *subject_of(const struct trust_identity *who)
{
    return who == NULL ? "nobody" : who->subject[0] != '\0' ? who->subject : "(empty subject)";
}

void log_line_accepted(const struct log_line_connection *c)
{
    const struct trust_identity *who = tls_peer(c->tls);
    if (who == NULL) { // then nobody was accepted
        return;
    }
    if (log_format() == LOG_JSON) {
        json_t *o = object_of(c);
        add_identity(o, who);
        add_number(o, "duration_ms", c->duration_ms);
        log_object("accepted", o);
        return;
    }
    struct buf names = {0};
    for (size_t i = 0; i < who->name_count && names.len < NAMES_SHOWN; i++) {
        buf_printf(&names, "%s%s:%.200s", i > 0 ? " " : "", trust_name_word(who->names[i].type), who->names[i].text);
    }
    log_event("%s accepted %.300s (%s) %s %s%s, %" PRIu64 " ms", c->address, subject_of(who),
              names.len > 0 ? (const char *)names.data : "no names", who->tls_version, tls_cipher(c->tls),
              who->resumed ? " resumed" : "", c->duration_ms);
    buf_clear(&names);
}

// Who it was that was refused, as the certificate says that nobody believes.
static void add_refused_subject(json_t *o, const struct tls_connection *tls)
{
    struct err ignored = ERR_INIT;
    struct span leaf = tls_peer_certificate(tls);
    struct trust_identity *claimed = leaf.len > 0 ? trust_identity_new(leaf, "", false, &ignored) : NULL;
    if (claimed != NULL) {
        json_object_set_new(o, "claimed_subject", json_string(claimed->subject));
        json_object_set_new(o, "serial", json_string(claimed->serial));
    }
    trust_identity_free(claimed);
}

static void refused_object(const struct log_line_connection *c)
{
    const struct trust_verdict *verdict = tls_verdict(c->tls);
    int alert = tls_alert_sent(c->tls);
    bool by_us = tls_ended_by(c->tls) == TLS_END_US;
    json_t *o = object_of(c);
    json_object_set_new(o, "reason", json_string(by_us ? reason_token(verdict->reason) : "handshake"));
    if (by_us) {
        json_object_set_new(o, "depth", json_integer(verdict->depth));
    }
    json_object_set_new(o, "detail", json_string(by_us ? verdict->detail : tls_failure(c->tls)));
    add_refused_subject(o, c->tls);
    if (alert >= 0) {
        json_object_set_new(o, "alert", json_string(alert_name(alert)));
    }
    json_object_set_new(o, "by_peer", json_boolean(tls_ended_by(c->tls) == TLS_END_PEER));
    add_number(o, "duration_ms", c->duration_ms);
    log_object("refused", o);
}

void log_line_refused(const struct log_line_connection *c)
{
    if (log_format() == LOG_JSON) {
        refused_object(c);
        return;
    }
    const struct trust_verdict *verdict = tls_verdict(c->tls);
    int alert = tls_alert_sent(c->tls);
    char sent[64] = "";
    if (alert >= 0) {
        snprintf(sent, sizeof sent, "; alert %s (%d)", alert_name(alert), alert);
    }
    switch (tls_ended_by(c->tls)) {
    case TLS_END_US:
        log_event("%s refused %s depth %d: %s%s, %" PRIu64 " ms", c->address, reason_token(verdict->reason),
                  verdict->depth, verdict->detail, sent, c->duration_ms);
        break;
    case TLS_END_PEER:
        log_event("%s left by the peer: %s, %" PRIu64 " ms", c->address, tls_failure(c->tls), c->duration_ms);
        break;
    default:
        log_event("%s refused handshake: %s%s, %" PRIu64 " ms", c->address, tls_failure(c->tls), sent, c->duration_ms);
        break;
    }
}

void log_line_closed(const struct log_line_connection *c, const char *why)
{
    const struct trust_identity *who = tls_peer(c->tls);
    if (log_format() == LOG_JSON) {
        json_t *o = object_of(c);
        if (who != NULL) {
            add_identity(o, who);
        }
        json_object_set_new(o, "why", json_string(why));
        add_number(o, "requests", c->requests);
        add_number(o, "bytes_in", c->bytes_in);
        add_number(o, "bytes_out", c->bytes_out);
        add_number(o, "duration_ms", c->duration_ms);
        log_object("closed", o);
        return;
    }
    log_event("%s closed %.300s %s: %" PRIu64 " request%s, %" PRIu64 " bytes in, %" PRIu64 " out, %" PRIu64 " ms",
              c->address, subject_of(who), why, c->requests, plural((size_t)c->requests), c->bytes_in, c->bytes_out,
              c->duration_ms);
}

void log_line_denied(const char *address, const struct trust_verdict *verdict)
{
    if (log_format() == LOG_JSON) {
        log_object("denied", json_pack("{s:s, s:s, s:s}", "peer", address, "reason", reason_token(verdict->reason),
                                       "detail", verdict->detail));
    } else {
        log_event("%s denied %s: %s", address, reason_token(verdict->reason), verdict->detail);
    }
}

void log_line_limit(const char *address, const char *limit, const char *what)
{
    if (log_format() == LOG_JSON) {
        log_object("limit", json_pack("{s:s, s:s, s:s}", "peer", address, "limit", limit, "detail", what));
    } else {
        log_event("%s limit %s: %s", address, limit, what);
    }
}

void log_line_listening(const struct server_config *config, const char *addresses)
{
    char allowed[SERVER_ALLOWED_TEXT];
    server_config_allowed(config, allowed);
    if (log_format() == LOG_JSON) {
        log_object("listening", json_pack("{s:o, s:s, s:o, s:s}", "host", log_text(config->host), "addresses",
                                          addresses, "configuration", log_text(config->name), "allowed", allowed));
    } else {
        log_event("listening on %s as %s, by the %s; %s", addresses, config->host, config->name, allowed);
    }
}

void log_line_unsafe(const struct server_config *config)
{
    struct buf lines = {0};
    server_config_unsafe(config, &lines);
    for (char *line = (char *)lines.data, *end = NULL; line != NULL && *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        if (log_format() == LOG_JSON) {
            log_object("unsafe", json_pack("{s:o}", "detail", log_text(line)));
        } else {
            print_coloured(stderr, COLOUR_RED, "mtls: UNSAFE %s\n", line);
        }
    }
    buf_clear(&lines);
}

void log_line_reloaded(unsigned generation, size_t judged, size_t refused, const char *fixed)
{
    if (log_format() == LOG_JSON) {
        json_t *o = json_pack("{s:I, s:s}", "generation", (json_int_t)generation, "needs_restart", fixed);
        add_number(o, "judged", judged);
        add_number(o, "refused", refused);
        log_object("reloaded", o);
    } else {
        log_event("reloaded: generation %u, %zu connection%s judged again, %zu refused%s%s", generation, judged,
                  plural(judged), refused, fixed[0] != '\0' ? "; a restart is needed for " : "", fixed);
    }
}

// An error has a line for each thing that is wrong; here they are one.
void log_line_reload_failed(unsigned generation, const struct err *e)
{
    char why[2 * sizeof e->text];
    size_t n = 0;
    for (const char *p = e->text; *p != '\0'; p++) {
        if (*p == '\n') {
            why[n++] = ';';
            why[n++] = ' ';
        } else {
            why[n++] = *p;
        }
    }
    why[n] = '\0';
    if (log_format() == LOG_JSON) {
        log_object("reload_failed",
                   json_pack("{s:I, s:o}", "generation", (json_int_t)generation, "detail", log_text(why)));
    } else {
        log_event("reload_failed: generation %u goes on: %s", generation, why);
    }
}

void log_line_stopping(const char *why, size_t connections)
{
    if (log_format() == LOG_JSON) {
        json_t *o = json_pack("{s:s}", "why", why);
        add_number(o, "connections", connections);
        log_object("stopping", o);
    } else {
        log_event("stopping: %s, %zu connection%s open", why, connections, plural(connections));
    }
}
