// SPDX-License-Identifier: Apache-2.0
// mtls ca revoke, crl.
#include "base/clock.h"
#include "base/print.h"
#include "cmd/ca.h"
#include "cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

static void print_revocation(const struct ca_revocation *r)
{
    char when[CLOCK_TEXT];
    if (r->already) {
        printf("%s (%s) was revoked before; nothing changed\n", r->name, r->subject);
        return;
    }
    printf("revoked %s (%s, serial %s)", r->name, r->subject, r->serial);
    if (r->certificates > 1) {
        printf(" and %zu earlier certificate%s of that name", r->certificates - 1, plural(r->certificates - 1));
    }
    printf("\n%s issued revocation list %lld, good until %s\n", r->issuer, (long long)r->crl_number,
           clock_rfc3339(r->next_update, when));
}

int cmd_ca_revoke(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct ca_revoke_options options = {0};
    struct ca_revocation result = {0};
    struct arg_list operands = {0};
    const struct arg_option table[] = {
        {"reason", 0, ARG_TEXT, "REASON", "keyCompromise, superseded, ... (RFC 5280; default: unspecified)",
         &options.reason},
        {"invalidity-date", 0, ARG_TEXT, "TIME", "since when the key is thought to be lost", &options.invalidity_date},
        {"role", 0, ARG_TEXT, "ROLE", "client, server or authority, where a name is several", &options.role},
        PKI_OPTIONS(a),
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "ca revoke NAME|SERIAL|FILE [--reason REASON] [-d DIR]",
        .summary = "Revokes a certificate and issues its CA's new revocation list in the same transaction.",
        .operands = "NAME, SERIAL or FILE",
        .least = 1,
        .most = 1,
        .options = table,
        .examples = "  mtls ca revoke bob --reason keyCompromise\n  mtls ca revoke pki/clients/bob/cert.pem\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        options.what = operands.items[0];
        rc = pki_open_arguments(&a, false, &pki, &e);
    }
    if (rc == 0) {
        rc = ca_revoke(pki, &options, &result, &e);
    }
    if (rc == 0) {
        print_revocation(&result);
    }
    ca_revocation_clear(&result);
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}

static void print_lists(const json_t *lists)
{
    size_t i;
    json_t *list;
    json_array_foreach(lists, i, list)
    {
        printf("%s: list %lld, %lld revoked, good until %s\n", json_string_value(json_object_get(list, "issuer")),
               json_integer_value(json_object_get(list, "number")),
               json_integer_value(json_object_get(list, "revoked")),
               json_string_value(json_object_get(list, "next_update")));
    }
}

int cmd_ca_crl(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct arg_list operands = {0};
    const char *next_update = NULL;
    int64_t lifetime = 0;
    json_t *lists = NULL;
    bool json = false;
    const struct arg_option table[] = {
        {"next-update", 0, ARG_TEXT, "DURATION", "how long the list is good (default: as the last one; at first 30d)",
         &next_update},
        {"json", 0, ARG_FLAG, NULL, "for scripts", &json},
        PKI_OPTIONS(a),
        {NULL, 0, ARG_FLAG, NULL, NULL, NULL},
    };
    const struct arg_command command = {
        .usage = "ca crl [AUTHORITY] [--next-update DURATION] [-d DIR]",
        .summary = "Issues fresh revocation lists of one authority, or of all; crl.pem holds them.",
        .most = 1,
        .options = table,
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0 && next_update != NULL && clock_parse_duration(next_update, &lifetime, &e) != 0) {
        e.kind = ERR_USAGE;
        rc = err_context(&e, "--next-update");
    } else if (rc == 0 && next_update != NULL && lifetime == 0) {
        rc = err_usage(&e, "--next-update: a list that is good for no time at all is of no use");
    }
    if (rc == 0) {
        rc = pki_open_arguments(&a, false, &pki, &e);
    }
    if (rc == 0) {
        rc = ca_crl(pki, operands.count > 0 ? operands.items[0] : NULL, lifetime, &lists, &e);
    }
    if (rc == 0 && json) {
        rc = json_print(stdout, json_incref(lists), &e);
    } else if (rc == 0) {
        print_lists(lists);
    }
    json_decref(lists);
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
