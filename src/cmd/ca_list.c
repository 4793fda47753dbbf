// SPDX-License-Identifier: Apache-2.0
// mtls ca list, export.
#include "base/clock.h"
#include "base/file.h"
#include "base/passphrase.h"
#include "base/print.h"
#include "cmd/ca.h"
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *field)
{
    const char *text = json_string_value(json_object_get(o, field));
    return text == NULL ? "" : text;
}

static void print_list(const json_t *list)
{
    struct table t;
    size_t i;
    json_t *o;
    static const char *const heading[] = {"ROLE", "NAME", "SUBJECT", "SERIAL", "ISSUER", "UNTIL", "STATE"};
    table_init(&t, sizeof heading / sizeof heading[0]);
    for (i = 0; i < sizeof heading / sizeof heading[0]; i++) {
        table_add(&t, COLOUR_BOLD, heading[i]);
    }
    json_array_foreach(list, i, o)
    {
        bool revoked = json_is_string(json_object_get(o, "revoked"));
        char *until = mem_strndup(text_of(o, "not_after"), strlen("2026-11-23"));
        char *state = revoked ? mem_printf("revoked %.10s %s", text_of(o, "revoked"), text_of(o, "reason"))
                              : mem_strdup(json_is_true(json_object_get(o, "current")) ? "" : "superseded");
        table_add(&t, COLOUR_NONE, text_of(o, "role"));
        table_add(&t, COLOUR_NONE, text_of(o, "name"));
        table_add(&t, COLOUR_NONE, text_of(o, "subject"));
        table_add(&t, COLOUR_DIM, text_of(o, "serial"));
        table_add(&t, COLOUR_NONE, text_of(o, "issuer"));
        table_add(&t, COLOUR_NONE, until);
        table_add(&t, revoked ? COLOUR_RED : COLOUR_DIM, state);
        free(until);
        free(state);
    }
    table_print(&t, stdout);
    table_clear(&t);
}

int cmd_ca_list(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct ca_list_options options = {0};
    struct arg_list operands = {0};
    const char *expiring = NULL;
    bool json = false;
    json_t *list = NULL;
    const struct arg_option table[] = {
        {"revoked", 0, ARG_FLAG, NULL, "only revoked ones", &options.revoked},
        {"expiring", 0, ARG_TEXT, "DURATION", "only those that end within it: 30d", &expiring},
        {"role", 0, ARG_TEXT, "ROLE", "only authority, server, client or flaw", &options.role},
        {"all", 0, ARG_FLAG, NULL, "superseded certificates and flaws too", &options.all},
        {"json", 0, ARG_FLAG, NULL, "for scripts", &json},
        PKI_OPTIONS(a),
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "ca list [--revoked] [--expiring DURATION] [-d DIR]", .summary = "What was issued.", .options = table};
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0 && expiring != NULL && clock_parse_duration(expiring, &options.expiring_within, &e) != 0) {
        e.kind = ERR_USAGE;
        rc = err_context(&e, "--expiring");
    }
    if (rc == 0) {
        rc = pki_open_arguments(&a, false, &pki, &e);
    }
    if (rc == 0) {
        rc = ca_list(pki, &options, &list, &e);
    }
    if (rc == 0 && json) {
        rc = json_print(stdout, json_incref(list), &e);
    } else if (rc == 0) {
        print_list(list);
    }
    json_decref(list);
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}

static int format_parse(const char *word, enum ca_format *format, struct err *e)
{
    static const struct {
        const char *word;
        enum ca_format format;
    } formats[] = {{"pem", CA_PEM}, {"der", CA_DER}, {"p12", CA_PKCS12}, {"pkcs12", CA_PKCS12}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i].word, word) == 0) {
            *format = formats[i].format;
            return 0;
        }
    }
    return err_usage(e, "unknown format \"%s\" (one of: pem, der, p12)", word);
}

int cmd_ca_export(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct arg_list operands = {0};
    const char *word = "pem";
    const char *output = "-";
    const char *password_file = NULL;
    enum ca_format format = CA_PEM;
    struct buf password = {0};
    struct buf data = {0};
    const struct arg_option table[] = {
        {"format", 0, ARG_TEXT, "FORMAT", "pem (default: key and full chain), der (the certificate) or p12 (all)",
         &word},
        {"output", 'o', ARG_TEXT, "FILE", "where to (default: standard output)", &output},
        {"password-file", 0, ARG_TEXT, "FILE",
         "password of the p12, its first line; else $MTLS_PASSWORD, else you "
         "are asked",
         &password_file},
        PKI_OPTIONS(a),
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "ca export NAME [--format pem|der|p12] [-o FILE] [-d DIR]",
        .summary = "An identity as one file. PKCS#12 is what browsers, Java and Windows import.",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .options = table,
        .examples = "  mtls ca export alice --format p12 -o alice.p12\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        rc = format_parse(word, &format, &e);
    }
    if (rc == 0) {
        rc = pki_open_arguments(&a, false, &pki, &e);
    }
    if (rc == 0 && format == CA_PKCS12) {
        rc = passphrase_get(password_file, "MTLS_PASSWORD", "password for the PKCS#12 file", true, &password, &e);
    }
    if (rc == 0) {
        rc = ca_export(pki, operands.items[0], format, (const char *)password.data, &data, &e);
    }
    if (rc == 0) {
        rc = file_write(output, buf_span(&data), format == CA_DER ? FILE_PUBLIC : FILE_SECRET, &e);
    }
    buf_clear(&password);
    buf_clear(&data);
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
