// SPDX-License-Identifier: Apache-2.0
#include "cmd/connect_show.h"

#include "base/clock.h"
#include "base/print.h"

// --- what the person reads: on stderr ---

void connect_show_server(void *arg, const struct client_result *result)
{
    const struct trust_identity *server = result->server;
    char from[CLOCK_TEXT];
    char to[CLOCK_TEXT];
    (void)arg;
    if (server != NULL) {
        print_coloured(stderr, COLOUR_DIM, "server   %s\n", server->subject[0] != '\0' ? server->subject : "(empty)");
        print_coloured(stderr, COLOUR_DIM, "issuer   %s\n", server->issuer);
        print_coloured(stderr, COLOUR_DIM, "valid    %s to %s\n", clock_rfc3339(server->not_before, from),
                       clock_rfc3339(server->not_after, to));
        print_coloured(stderr, COLOUR_DIM, "names   ");
        for (size_t i = 0; i < server->name_count; i++) {
            print_coloured(stderr, COLOUR_DIM, " %s:%s", trust_name_word(server->names[i].type), server->names[i].text);
        }
        print_coloured(stderr, COLOUR_DIM, "%s\n", server->name_count == 0 ? " none" : "");
    }
    if (result->cipher[0] != '\0') {
        print_coloured(stderr, COLOUR_DIM, "secured  %s, %s\n", result->tls, result->cipher);
    }
}

// An alert's meaning is the reason that we would have sent it for, as far as only one has it.
static const char *alert_hint(int alert)
{
    switch (alert) {
    case ALERT_CERTIFICATE_REQUIRED:
    case ALERT_NO_CERTIFICATE: return reason_info(REASON_no_certificate)->hint;
    case ALERT_CERTIFICATE_REVOKED: return reason_info(REASON_cert_revoked)->hint;
    case ALERT_CERTIFICATE_EXPIRED: return reason_info(REASON_cert_expired)->hint;
    case ALERT_UNKNOWN_CA: return reason_info(REASON_chain_untrusted)->hint;
    case ALERT_ACCESS_DENIED: return reason_info(REASON_not_allowed)->hint;
    default: return "";
    }
}

void connect_show_ending(const struct client_result *result)
{
    const char *hint = "";
    switch (result->outcome) {
    case CLIENT_SERVED: return;
    case CLIENT_REFUSED_BY_US:
        hint = reason_info(result->verdict.reason)->hint;
        print_coloured(stderr, COLOUR_RED, "mtls: we refused the server: %s\n", result->failure.text);
        break;
    case CLIENT_REFUSED_BY_SERVER:
        hint = alert_hint(result->alert);
        if (result->alert >= 0) {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: alert %s (%d)\n",
                           alert_name(result->alert), result->alert);
        } else {
            print_coloured(stderr, COLOUR_RED, "mtls: the server refused us: %s\n", result->failure.text);
        }
        break;
    case CLIENT_FAILED: print_coloured(stderr, COLOUR_RED, "mtls: %s\n", result->failure.text); break;
    }
    if (hint[0] != '\0') {
        fprintf(stderr, "mtls: hint: %s\n", hint);
    }
}

// --- what a script reads: one object on stdout ---

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

int connect_show_json(const struct client_result *result, struct err *e)
{
    bool by_us = result->outcome == CLIENT_REFUSED_BY_US;
    json_t *json = json_object();
    json_object_set_new(json, "outcome", json_string(client_outcome_word(result->outcome)));
    json_object_set_new(json, "reason", by_us ? json_string(reason_token(result->verdict.reason)) : json_null());
    json_object_set_new(json, "alert", result->alert >= 0 ? json_string(alert_name(result->alert)) : json_null());
    json_object_set_new(json, "status", result->status != 0 ? json_integer(result->status) : json_null());
    json_object_set_new(json, "tls", text_or_null(result->tls));
    json_object_set_new(json, "cipher", text_or_null(result->cipher));
    json_object_set_new(json, "local", text_or_null(result->local));
    json_object_set_new(json, "detail", text_or_null(by_us ? result->verdict.detail : result->failure.text));
    return json_print(stdout, json, e);
}
