// SPDX-License-Identifier: Apache-2.0
// mtls ca init, issue, sign, renew.
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pki_files.h"
#include "base/print.h"
#include "cmd/ca.h"
#include "cmd/cmd.h"

#include <string.h>

#define END_OPTIONS                                                                                                    \
    {                                                                                                                  \
        NULL, 0, ARG_FLAG, NULL, NULL, NULL                                                                            \
    }

static void print_result(const struct ca_result *r)
{
    char when[CLOCK_TEXT];
    printf("%s\n  subject  %s\n  serial   %s\n  issuer   %s\n  until    %s\n", r->directory, r->subject, r->serial,
           r->issuer, clock_rfc3339(r->not_after, when));
}

// "CN=TITLE WHAT", with what RFC 4514 section 2.4 escapes in a value escaped.
static const char *common_name(struct buf *b, const char *title, const char *what)
{
    buf_text(b, "CN=");
    for (; *title != '\0'; title++) {
        buf_printf(b, strchr(",+\"\\<>;=#", *title) != NULL ? "\\%c" : "%c", *title);
    }
    buf_printf(b, " %s", what);
    return (const char *)b->data;
}

int cmd_ca_init(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct arg_list operands = {0};
    const char *title = "mtls";
    struct ca_issue_options root = {.name = "root", .profile = "authority", .days = CA_DAYS_DEFAULT, .path_length = -1};
    struct ca_issue_options issuing = {.name = "issuing", .profile = "authority", .issuer = "root"};
    bool root_only = false;
    const struct arg_option table[] = {
        {"title", 0, ARG_TEXT, "TEXT", "their subjects become CN=TEXT root and CN=TEXT issuing CA (default: mtls)",
         &title},
        {"key", 0, ARG_TEXT, "TYPE", "key type of both (default: ec-p256)", &root.key},
        {"days", 0, ARG_NUMBER, "DAYS", "validity of both (default: 3650)", &root.days},
        {"encrypt-key", 0, ARG_FLAG, NULL, "encrypt both private keys", &root.encrypt_key},
        {"root-only", 0, ARG_FLAG, NULL, "no issuing CA below the root", &root_only},
        PKI_OPTIONS(a),
        END_OPTIONS,
    };
    const struct arg_command command = {.usage = "ca init [-d DIR] [--title TEXT]",
                                        .summary = "Makes a new PKI: a root, an issuing CA below it, their empty "
                                                   "revocation lists.",
                                        .options = table};
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        struct buf root_subject = {0};
        struct buf issuing_subject = {0};
        root.subject = common_name(&root_subject, title, "root");
        issuing.subject = common_name(&issuing_subject, title, "issuing CA");
        issuing.key = root.key;
        issuing.days = root.days;
        issuing.encrypt_key = root.encrypt_key;
        rc = pki_open_arguments(&a, true, &pki, &e);
        if (rc == 0) {
            rc = ca_init(pki, &root, root_only ? NULL : &issuing, &e);
        }
        if (rc == 0) {
            printf("%s: made authorities/root%s; relying parties load %s/trust.pem and %s/crl.pem\n",
                   pki_directory(a.dir), root_only ? "" : " and authorities/issuing", pki_directory(a.dir),
                   pki_directory(a.dir));
        }
        buf_clear(&root_subject);
        buf_clear(&issuing_subject);
    }
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}

// What issue and sign have in common.
struct issue_arguments {
    struct pki_arguments pki;
    struct ca_issue_options issue;
    struct arg_list names;
};
#define ISSUE_OPTIONS(x)                                                                                                 \
    {"profile", 0, ARG_TEXT, "PROFILE", "client (default), server or authority", &(x).issue.profile},                    \
        {"name",    0, ARG_LIST, "NAME", "a subjectAltName; DNS, IP, e-mail or URI is guessed; may be repeated",         \
         &(x).names},                                                                                                    \
        {"subject", 0, ARG_TEXT, "DN", "RFC 4514: \"CN=carol,O=Example\"", &(x).issue.subject},                          \
        {"issuer", 0, ARG_TEXT, "AUTHORITY", "who signs (default: the only CA that has none below)", &(x).issue.issuer}, \
        {"days", 0, ARG_NUMBER, "DAYS", "validity (default: 397, authorities 3650)", &(x).issue.days},                   \
        {"not-before", 0, ARG_TEXT, "TIME", "RFC 3339, a date, or like -1h", &(x).issue.not_before},                     \
    {                                                                                                                    \
        "not-after", 0, ARG_TEXT, "TIME", "RFC 3339, a date, or like +90d", &(x).issue.not_after                         \
    }

static int issue(struct issue_arguments *x, const char *request, struct err *e)
{
    struct pki *pki = NULL;
    struct ca_result result = {0};
    struct buf text = {0};
    x->issue.names = (struct ca_names){.items = x->names.items, .count = x->names.count};
    int rc = pki_open_arguments(&x->pki, false, &pki, e);
    if (rc == 0 && request != NULL) {
        rc = file_read(request, 1024 * 1024, &text, e);
        if (rc == 0 && ca_sign(pki, &x->issue, buf_span(&text), &result, e) != 0) {
            rc = err_context(e, "%s", request);
        }
    } else if (rc == 0) {
        rc = ca_issue(pki, &x->issue, &result, e);
    }
    if (rc == 0 && result.unused != NULL) {
        log_warning("%s: the profile decides these, not the request: %s", request, result.unused);
    }
    if (rc == 0) {
        print_result(&result);
    }
    buf_clear(&text);
    ca_result_clear(&result);
    pki_close(pki);
    return rc;
}

int cmd_ca_issue(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct issue_arguments x = {.issue = {.profile = "client", .days = CA_DAYS_DEFAULT, .path_length = -1}};
    struct arg_list operands = {0};
    const struct arg_option table[] = {
        ISSUE_OPTIONS(x),
        {"key", 0, ARG_TEXT, "TYPE", "ec-p256 (default), ec-p384, ec-p521, rsa-2048, rsa-3072, rsa-4096", &x.issue.key},
        {"encrypt-key", 0, ARG_FLAG, NULL, "encrypt the private key of an authority", &x.issue.encrypt_key},
        PKI_OPTIONS(x.pki),
        END_OPTIONS,
    };
    const struct arg_command command = {
        .usage = "ca issue NAME [--profile PROFILE] [--name NAME]... [-d DIR]",
        .summary = "Issues a key and a certificate; NAME is what it is called here and, unless --subject says "
                   "otherwise, its CN.",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .options = table,
        .examples = "  mtls ca issue carol --name carol@example.com\n"
                    "  mtls ca issue api --profile server --name api.example.com --name 10.0.0.7\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        x.issue.name = operands.items[0];
        rc = issue(&x, NULL, &e);
    }
    arg_list_clear(&x.names);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}

int cmd_ca_sign(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct issue_arguments x = {.issue = {.profile = "client", .days = CA_DAYS_DEFAULT, .path_length = -1}};
    struct arg_list operands = {0};
    const struct arg_option table[] = {
        {"as", 0, ARG_TEXT, "NAME", "what it is called here; needed", &x.issue.name},
        {"replace", 0, ARG_FLAG, NULL, "in the place of what was signed under that name before", &x.issue.replace},
        ISSUE_OPTIONS(x),
        PKI_OPTIONS(x.pki),
        END_OPTIONS,
    };
    const struct arg_command command = {
        .usage = "ca sign REQUEST --as NAME [--profile PROFILE] [-d DIR]",
        .summary = "Signs a certification request (PKCS#10, PEM or DER, - for standard input) whose own signature "
                   "verifies.\nSubject and names are the request's, as far as the profile allows them; all else is "
                   "the profile's.",
        .operands = "REQUEST",
        .least = 1,
        .most = 1,
        .options = table,
        .examples = "  mtls ca sign device.csr --as device-7\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0 && x.issue.name == NULL) {
        rc = err_usage(&e, "--as NAME is missing: what is this certificate called here?");
    }
    if (rc == 0) {
        rc = issue(&x, operands.items[0], &e);
    }
    arg_list_clear(&x.names);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}

int cmd_ca_renew(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct pki_arguments a = {0};
    struct pki *pki = NULL;
    struct ca_result result = {0};
    struct ca_issue_options options = {.days = CA_DAYS_DEFAULT, .path_length = -1};
    struct arg_list operands = {0};
    const struct arg_option table[] = {
        {"days", 0, ARG_NUMBER, "DAYS", "validity from now (default: as long as before)", &options.days},
        {"not-after", 0, ARG_TEXT, "TIME", "RFC 3339, a date, or like +90d", &options.not_after},
        {"rekey", 0, ARG_FLAG, NULL, "with a new private key", &options.rekey},
        {"role", 0, ARG_TEXT, "ROLE", "client, server or authority, where a name is several", &options.profile},
        PKI_OPTIONS(a),
        END_OPTIONS,
    };
    const struct arg_command command = {.usage = "ca renew NAME [--days DAYS] [--rekey] [-d DIR]",
                                        .summary =
                                            "Issues the same certificate with a new serial number and new dates.",
                                        .operands = "NAME",
                                        .least = 1,
                                        .most = 1,
                                        .options = table};
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0) {
        options.name = operands.items[0];
        rc = pki_open_arguments(&a, false, &pki, &e);
    }
    if (rc == 0) {
        rc = ca_renew(pki, &options, &result, &e);
    }
    if (rc == 0) {
        print_result(&result);
    }
    ca_result_clear(&result);
    pki_close(pki);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
