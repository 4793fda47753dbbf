// SPDX-License-Identifier: Apache-2.0
#include "cmd/connect_show.h"

#include "base/clock.h"
#include "base/print.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

// --- what the person reads: on stderr ---

static const char *mark(const struct connect_show *show)
{
    return show->verbose ? "* " : "";
}

static void show_certificate(const struct connect_show *show, const struct trust_identity *server)
{
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    print_coloured(stderr, COLOUR_DIM, "%sserver   %s\n", mark(show),
                   server->subject[0] != '\0' ? server->subject : "(empty)");
    print_coloured(stderr, COLOUR_DIM, "%sissuer   %s\n", mark(show), server->issuer);
    print_coloured(stderr, COLOUR_DIM, "%svalid    %s to %s\n", mark(show), clock_rfc3339(server->not_before, from),
                   clock_rfc3339(server->not_after, to));
    print_coloured(stderr, COLOUR_DIM, "%snames   ", mark(show));
    for (size_t i = 0; i < server->name_count; i++) {
        print_coloured(stderr, COLOUR_DIM, " %s:%s", trust_name_word(server->names[i].type), server->names[i].text);
    }
    print_coloured(stderr, COLOUR_DIM, "%s\n", server->name_count == 0 ? " none" : "");
}

static void warn_unverified(const struct client_result *result)
{
    print_coloured(stderr, COLOUR_RED,
                   "mtls: NOT VERIFIED: %s: %s; going on as --unsafe-no-verify says, and anybody may be listening\n",
                   reason_token(result->verdict.reason), result->verdict.detail);
}

void connect_show_server(void *arg, const struct client_result *result)
{
    const struct connect_show *show = arg;
    if (!show->silent && result->server != NULL) {
        show_certificate(show, result->server);
    }
    if (!show->silent && result->cipher[0] != '\0') {
        print_coloured(stderr, COLOUR_DIM, "%ssecured  %s, %s%s\n", mark(show), result->tls, result->cipher,
                       result->resumed ? ", resumed" : "");
    }
    if (show->verbose && result->cipher[0] != '\0') {
        fprintf(stderr, "* ALPN: %s\n", result->alpn[0] != '\0' ? result->alpn : "the server chose none");
    }
    if (show->verbose && result->verdict.reason == REASON_ok) {
        fprintf(stderr, "* the server is verified: chain, name, revocation, purpose\n");
    }
    if (result->unverified) {
        warn_unverified(result);
    }
}

void connect_show_line(void *arg, enum client_line kind, const char *line)
{
    static const char *const marks[] = {[CLIENT_NOTE] = "*", [CLIENT_REQUEST_LINE] = ">", [CLIENT_RESPONSE_LINE] = "<"};
    const struct connect_show *show = arg;
    struct buf text = {0};
    if (show->verbose) {
        fprintf(stderr, "%s %s\n", marks[kind], text_escape(&text, line, strlen(line), 8192));
    }
    if (kind == CLIENT_RESPONSE_LINE && show->head != NULL) {
        // llhttp lets no control character through; only a terminal could still be misled.
        buf_clear(&text);
        bool is_terminal = isatty(fileno(show->head)) == 1;
        fprintf(show->head, "%s\r\n", is_terminal ? text_escape(&text, line, strlen(line), 8192) : line);
    }
    buf_clear(&text);
}

void connect_show_ending(const struct client_result *result, const struct client_diagnosis *diagnosis)
{
    switch (result->outcome) {
    case CLIENT_SERVED: break;
    case CLIENT_REFUSED_BY_US:
        print_coloured(stderr, COLOUR_RED, "mtls: we refused the server: %s\n", result->failure.text);
        break;
    case CLIENT_REFUSED_BY_SERVER:
        if (result->alert >= 0) {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: alert %s (%d)\n",
                           alert_name(result->alert), result->alert);
        } else {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: %s\n", result->failure.text);
        }
        break;
    case CLIENT_FAILED: print_coloured(stderr, COLOUR_RED, "mtls: %s\n", result->failure.text); break;
    }
    if (diagnosis->what[0] != '\0') {
        fprintf(stderr, "mtls: %s\n", diagnosis->what);
    }
    if (diagnosis->mend[0] != '\0') {
        fprintf(stderr, "mtls: hint: %s\n", diagnosis->mend);
    }
}

// --- what a script reads: one object on stdout ---

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

int connect_show_json(const struct client_result *result, const struct client_diagnosis *diagnosis, struct err *e)
{
    bool by_us = result->outcome == CLIENT_REFUSED_BY_US;
    json_t *json = json_object();
    json_object_set_new(json, "outcome", json_string(client_outcome_word(result->outcome)));
    json_object_set_new(json, "reason", by_us ? json_string(reason_token(result->verdict.reason)) : json_null());
    json_object_set_new(json, "alert", result->alert >= 0 ? json_string(alert_name(result->alert)) : json_null());
    json_object_set_new(json, "status", result->status != 0 ? json_integer(result->status) : json_null());
    json_object_set_new(json, "tls", text_or_null(result->tls));
    json_object_set_new(json, "cipher", text_or_null(result->cipher));
    json_object_set_new(json, "resumed", json_boolean(result->resumed));
    json_object_set_new(json, "verified",
                        json_boolean(result->handshake_us > 0 && result->verdict.reason == REASON_ok));
    json_object_set_new(json, "alpn", text_or_null(result->alpn));
    json_object_set_new(json, "handshake_us",
                        result->handshake_us > 0 ? json_integer((json_int_t)result->handshake_us) : json_null());
    json_object_set_new(json, "took_us", json_integer((json_int_t)result->took_us));
    json_object_set_new(json, "remote", text_or_null(result->remote));
    json_object_set_new(json, "local", text_or_null(result->local));
    json_object_set_new(json, "detail", text_or_null(by_us ? result->verdict.detail : result->failure.text));
    json_object_set_new(json, "diagnosis", text_or_null(diagnosis->what));
    json_object_set_new(json, "hint", text_or_null(diagnosis->mend));
    return json_print(stdout, json, e);
}

// --- many calls ---

static double per_second(const struct client_summary *s)
{
    return s->took_us > 0 ? (double)s->count * 1e6 / (double)s->took_us : 0;
}

// The result of the command, and so on stdout.
void connect_show_summary(const struct client_summary *s)
{
    printf("%zu calls in %.3f s, %.1f a second; %zu served, %zu resumed\n", s->count, (double)s->took_us / 1e6,
           per_second(s), s->served, s->resumed);
    if (s->served > 0) {
        printf("min %.3f ms, median %.3f ms, p99 %.3f ms\n", (double)s->min_us / 1e3, (double)s->median_us / 1e3,
               (double)s->p99_us / 1e3);
    }
    for (size_t i = 0; i < s->outcome_count; i++) {
        enum colour colour = s->outcomes[i].outcome == CLIENT_SERVED ? COLOUR_GREEN : COLOUR_RED;
        print_coloured(stdout, colour, "%8zu  %s\n", s->outcomes[i].count, s->outcomes[i].name);
    }
}

int connect_show_summary_json(const struct client_summary *s, struct err *e)
{
    json_t *json = json_object();
    json_t *outcomes = json_array();
    json_object_set_new(json, "count", json_integer((json_int_t)s->count));
    json_object_set_new(json, "served", json_integer((json_int_t)s->served));
    json_object_set_new(json, "resumed", json_integer((json_int_t)s->resumed));
    json_object_set_new(json, "took_us", json_integer((json_int_t)s->took_us));
    json_object_set_new(json, "min_us", s->served > 0 ? json_integer((json_int_t)s->min_us) : json_null());
    json_object_set_new(json, "median_us", s->served > 0 ? json_integer((json_int_t)s->median_us) : json_null());
    json_object_set_new(json, "p99_us", s->served > 0 ? json_integer((json_int_t)s->p99_us) : json_null());
    for (size_t i = 0; i < s->outcome_count; i++) {
        json_t *outcome = json_object();
        json_object_set_new(outcome, "outcome", json_string(client_outcome_word(s->outcomes[i].outcome)));
        json_object_set_new(outcome, "what", json_string(s->outcomes[i].name));
        json_object_set_new(outcome, "count", json_integer((json_int_t)s->outcomes[i].count));
        json_array_append_new(outcomes, outcome);
    }
    json_object_set_new(json, "outcomes", outcomes);
    return json_print(stdout, json, e);
}
