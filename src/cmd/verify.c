// SPDX-License-Identifier: Apache-2.0
// mtls verify: what the judge says of a certificate, offline.
#include "base/args.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "base/pki_files.h"
#include "base/print.h"
#include "cmd/cmd.h"
#include "trust/trust.h"

#include <dirent.h>
#include <mbedtls/asn1.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct verify_options {
    struct arg_list ca, untrusted, crl, policies;
    const char *pki;
    const char *purpose;
    const char *name;
    const char *at;
    const char *depth;
    const char *revocation;
    bool json;
    bool explicit_policy, inhibit_mapping, inhibit_any;
    bool any_ext_key_usage, no_ext_key_usage, no_digital_signature, ca_leaf;
};

struct chain {
    struct buf certificates[TRUST_CHAIN_MOST + 1];
    struct span spans[TRUST_CHAIN_MOST + 1];
    size_t count;
};

// --- what is read ---

struct paths {
    char **items; // owned
    size_t count;
    size_t cap;
};

static void paths_add(struct paths *paths, char *path)
{
    paths->items = mem_grow(paths->items, &paths->cap, sizeof *paths->items, paths->count + 1);
    paths->items[paths->count++] = path;
}

static void paths_clear(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        free(paths->items[i]);
    }
    free(paths->items);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// A file, or every file of a folder (not of those below it), in the order of their names.
static int paths_expand(const char *path, struct paths *out, struct err *e)
{
    struct stat st;
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        paths_add(out, mem_strdup(path));
        return 0;
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return err_errno(e, "opening %s", path);
    }
    size_t before = out->count;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char *file = mem_printf("%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            paths_add(out, file);
        } else {
            free(file);
        }
    }
    closedir(folder);
    if (out->count == before) {
        return err_set(e, "%s is a folder without a file", path);
    }
    qsort(out->items + before, out->count - before, sizeof *out->items, by_name);
    return 0;
}

static int paths_of(const struct arg_list *list, struct paths *out, struct err *e)
{
    for (size_t i = 0; i < list->count; i++) {
        if (paths_expand(list->items[i], out, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static struct trust_paths trust_paths_of(const struct paths *paths)
{
    return (struct trust_paths){.items = (const char *const *)paths->items, .count = paths->count};
}

static int add_certificate(void *arg, const char *label, struct span der, struct err *e)
{
    struct chain *chain = arg;
    if (strcmp(label, "CERTIFICATE") != 0 && strcmp(label, "X509 CERTIFICATE") != 0) {
        return 0;
    }
    if (chain->count > TRUST_CHAIN_MOST) {
        return err_set(e, "more than %d certificates", TRUST_CHAIN_MOST + 1);
    }
    buf_add(&chain->certificates[chain->count], der.data, der.len);
    chain->spans[chain->count] = buf_span(&chain->certificates[chain->count]);
    chain->count++;
    return 0;
}

static int read_chain(const char *file, struct chain *chain, struct err *e)
{
    enum { CHAIN_FILE_MOST = 64 * 1024 * 1024 };
    struct buf text = {0};
    int rc = file_read(file, CHAIN_FILE_MOST, &text, e);
    if (rc == 0) {
        bool der = text.len > 0 && text.data[0] == (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
        rc = der ? add_certificate(chain, "CERTIFICATE", buf_span(&text), e)
                 : pem_read(buf_span(&text), add_certificate, chain, e);
    }
    if (rc == 0 && chain->count == 0) {
        rc = err_set(e, "%s holds no certificate, neither PEM nor DER", file);
    }
    buf_clear(&text);
    return rc;
}

// --- the options ---

static int word_index(const char *option, const char *word, const char *const *words, int *index, struct err *e)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            *index = i;
            return 0;
        }
    }
    return err_usage(e, "--%s takes %s, %s or %s, not \"%s\"", option, words[0], words[1], words[2], word);
}

static int number_option(const char *option, const char *text, int *number, struct err *e)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0 || value > 1000) {
        return err_usage(e, "--%s takes a number from 0 to 1000, not \"%s\"", option, text);
    }
    *number = (int)value;
    return 0;
}

static struct trust_snapshot *load(struct verify_options *o, struct err *e)
{
    static const char *const revocations[] = {"require", "prefer", "off", NULL};
    struct paths ca = {0};
    struct paths untrusted = {0};
    struct paths crl = {0};
    struct trust_files files = {.explicit_policy = o->explicit_policy,
                                .inhibit_policy_mapping = o->inhibit_mapping,
                                .inhibit_any_policy = o->inhibit_any};
    struct trust_snapshot *snapshot = NULL;
    int revocation = 0;
    const char **policies = mem_array(o->policies.count + 1, sizeof *policies);
    for (size_t i = 0; i < o->policies.count; i++) {
        policies[i] = o->policies.items[i];
    }
    if (o->ca.count == 0) {
        paths_add(&ca, mem_printf("%s/trust.pem", pki_directory(o->pki)));
        char *list = mem_printf("%s/crl.pem", pki_directory(o->pki));
        if (o->crl.count == 0 && file_exists(list)) {
            paths_add(&crl, list);
        } else {
            free(list);
        }
    }
    if (paths_of(&o->ca, &ca, e) != 0 || paths_of(&o->untrusted, &untrusted, e) != 0 ||
        paths_of(&o->crl, &crl, e) != 0 ||
        (o->revocation != NULL && word_index("revocation", o->revocation, revocations, &revocation, e) != 0) ||
        (o->depth != NULL && number_option("depth", o->depth, &files.depth, e) != 0)) {
        goto out;
    }
    files.anchors = trust_paths_of(&ca);
    files.intermediates = trust_paths_of(&untrusted);
    files.crls = trust_paths_of(&crl);
    files.revocation = (enum trust_revocation)revocation;
    files.limits_depth = o->depth != NULL;
    files.policies = o->policies.count > 0 ? policies : NULL;
    files.unsafe = (o->any_ext_key_usage ? TRUST_UNSAFE_ANY_EXT_KEY_USAGE : 0U) |
                   (o->no_ext_key_usage ? TRUST_UNSAFE_NO_EXT_KEY_USAGE : 0U) |
                   (o->no_digital_signature ? TRUST_UNSAFE_NO_DIGITAL_SIGNATURE : 0U) |
                   (o->ca_leaf ? TRUST_UNSAFE_CA_LEAF : 0U);
    snapshot = trust_snapshot_load(&files, e);
out:
    free(policies);
    paths_clear(&ca);
    paths_clear(&untrusted);
    paths_clear(&crl);
    return snapshot;
}

// --- the answer ---

static json_t *certificate_json(struct span der)
{
    struct err e = ERR_INIT;
    char when[CLOCK_TEXT];
    struct trust_identity *who = trust_identity_new(der, "", false, &e);
    json_t *o = json_object();
    if (who != NULL) {
        json_object_set_new(o, "subject", json_string(who->subject));
        json_object_set_new(o, "issuer", json_string(who->issuer));
        json_object_set_new(o, "serial", json_string(who->serial));
        json_object_set_new(o, "fingerprint", json_string(who->fingerprint));
        json_object_set_new(o, "not_before", json_string(clock_rfc3339(who->not_before, when)));
        json_object_set_new(o, "not_after", json_string(clock_rfc3339(who->not_after, when)));
    }
    trust_identity_free(who);
    return o;
}

static int print_json(const struct trust_verdict *verdict, const struct trust_path *path, struct err *e)
{
    const struct reason_info *info = reason_info(verdict->reason);
    json_t *certificates = json_array();
    for (size_t i = 0; i < path->count; i++) {
        json_array_append_new(certificates, certificate_json(path->certificates[i]));
    }
    json_t *o = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:o}", "verdict",
                          verdict->reason == REASON_ok ? "accepted" : "refused", "reason", info->token, "depth",
                          verdict->depth, "sentence", info->sentence, "section", trust_reason_section(verdict->reason),
                          "detail", verdict->detail, "hint", info->hint, "path", certificates);
    return json_print(stdout, o, e);
}

// What was checked of the certificate at i, below the anchor's.
static void checks_list(const struct trust_path *path, size_t i, bool lists, bool named, struct buf *b)
{
    bool anchor = i + 1 == path->count;
    buf_text(b, anchor ? "trust anchor; time, CA, constraints" : "signature, time, names, policies");
    buf_text(b, anchor || i == 0 ? "" : ", CA");
    buf_text(b, i == 0 ? ", purpose" : "");
    buf_text(b, i == 0 && named ? ", name asked for" : "");
    buf_text(b, anchor ? "" : lists ? ", revocation" : " (no revocation list is loaded)");
}

static void print_path(const struct trust_path *path, bool lists, bool named)
{
    char when[CLOCK_TEXT];
    for (size_t i = path->count; i-- > 0;) {
        struct err e = ERR_INIT;
        struct trust_identity *who = trust_identity_new(path->certificates[i], "", false, &e);
        size_t below = path->count - 1 - i;
        if (who != NULL) {
            struct buf checks = {0};
            checks_list(path, i, lists, named, &checks);
            printf("%*s%s%s  until %.10s  %s\n", (int)(below > 0 ? (below - 1) * 3 : 0), "", below > 0 ? "└─ " : "",
                   who->subject[0] != '\0' ? who->subject : "(empty subject)", clock_rfc3339(who->not_after, when),
                   (const char *)checks.data);
            buf_clear(&checks);
        }
        trust_identity_free(who);
    }
}

static void print_verdict(const char *file, const struct trust_verdict *verdict)
{
    const struct reason_info *info = reason_info(verdict->reason);
    if (verdict->reason == REASON_ok) {
        print_coloured(stdout, COLOUR_GREEN, "%s: accepted\n", file);
        return;
    }
    print_coloured(stdout, COLOUR_RED, "%s: refused: %s\n", file, info->token);
    printf("  certificate  %d%s\n", verdict->depth, verdict->depth == 0 ? " (the leaf)" : "");
    printf("  rule         %s\n  section      %s\n  found        %s\n  mend         %s\n", info->sentence,
           trust_reason_section(verdict->reason), verdict->detail, info->hint);
}

static int run(struct verify_options *o, const char *file, struct err *e)
{
    static const char *const purposes[] = {"client", "server", "any", NULL};
    struct chain chain = {.count = 0};
    struct trust_path path = {.count = 0};
    struct trust_verdict verdict;
    struct trust_snapshot *snapshot = NULL;
    int purpose = 0;
    int64_t now = clock_now();
    int rc = -1;
    if (word_index("purpose", o->purpose, purposes, &purpose, e) != 0 ||
        (o->at != NULL && clock_parse(o->at, now, &now, e) != 0)) {
        e->kind = ERR_USAGE;
        return -1;
    }
    snapshot = load(o, e);
    if (snapshot == NULL || read_chain(file, &chain, e) != 0) {
        goto out;
    }
    const struct trust_question question = {.chain = chain.spans,
                                            .count = chain.count,
                                            .purpose = (enum trust_purpose)purpose,
                                            .name = o->name,
                                            .now = now};
    bool accepted = trust_judge_question(snapshot, &question, &verdict, &path);
    rc = accepted ? 0 : ERR_REFUSED;
    if (o->json) {
        rc = print_json(&verdict, &path, e) == 0 ? rc : -1;
    } else {
        print_path(&path, trust_snapshot_checks_revocation(snapshot), o->name != NULL);
        print_verdict(file, &verdict);
    }
out:
    trust_path_clear(&path);
    for (size_t i = 0; i < chain.count; i++) {
        buf_clear(&chain.certificates[i]);
    }
    trust_snapshot_free(snapshot);
    return rc;
}

int cmd_verify(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct verify_options o = {.purpose = "client"};
    struct arg_list operands = {0};
    const struct arg_option options[] = {
        {"ca", 0, ARG_LIST, "FILE|DIR", "trust anchors (default: those of the PKI)", &o.ca},
        {"untrusted", 0, ARG_LIST, "FILE|DIR", "certificates that may help to build a path", &o.untrusted},
        {"crl", 0, ARG_LIST, "FILE|DIR", "revocation lists (default: those of the PKI, if its anchors are used)",
         &o.crl},
        {"pki", 'd', ARG_TEXT, "DIR", "the PKI directory (default: $MTLS_PKI, else pki)", &o.pki},
        {"purpose", 0, ARG_TEXT, "client|server|any", "what it is to be good for (default: client)", &o.purpose},
        {"name", 0, ARG_TEXT, "NAME", "host name, IP address, mailbox or URI that it must have", &o.name},
        {"at", 0, ARG_TEXT, "TIME", "RFC 3339, seconds since 1970, or like -30d (default: now)", &o.at},
        {"depth", 0, ARG_TEXT, "N", "at most N intermediate CAs between anchor and leaf", &o.depth},
        {"revocation", 0, ARG_TEXT, "require|prefer|off", "once there is a list (default: require)", &o.revocation},
        {"policy", 0, ARG_LIST, "OID", "a policy that will do; the path must have one (default: any or none)",
         &o.policies},
        {"explicit-policy", 0, ARG_FLAG, NULL, "some acceptable policy must hold for the path", &o.explicit_policy},
        {"inhibit-mapping", 0, ARG_FLAG, NULL, "policies may not be mapped", &o.inhibit_mapping},
        {"inhibit-any", 0, ARG_FLAG, NULL, "anyPolicy counts for nothing", &o.inhibit_any},
        {"unsafe-any-ext-key-usage", 0, ARG_FLAG, NULL, "anyExtendedKeyUsage counts as the purpose",
         &o.any_ext_key_usage},
        {"unsafe-no-ext-key-usage", 0, ARG_FLAG, NULL, "a leaf without extendedKeyUsage will do", &o.no_ext_key_usage},
        {"unsafe-no-digital-signature", 0, ARG_FLAG, NULL, "a leaf without digitalSignature will do",
         &o.no_digital_signature},
        {"unsafe-ca-leaf", 0, ARG_FLAG, NULL, "a CA's certificate as a leaf will do", &o.ca_leaf},
        {"json", 0, ARG_FLAG, NULL, "for scripts", &o.json},
        {0},
    };
    const struct arg_command command = {
        .usage = "verify [--ca FILE].. [--untrusted FILE].. [--crl FILE].. [--purpose PURPOSE] [--name NAME] CERT",
        .summary =
            "Judges a certificate as the server and the client do: CERT is PEM (the leaf first, then what is sent\n"
            "with it), DER, or - for standard input. Exit status: 0 accepted, 1 refused, 2 usage, 3 unreadable.",
        .operands = "CERT",
        .least = 1,
        .most = 1,
        .options = options,
        .examples = "  mtls verify pki/clients/alice/fullchain.pem\n"
                    "  mtls verify --purpose server --name localhost pki/servers/localhost/fullchain.pem\n"
                    "  mtls verify --ca root.pem --untrusted issuing.pem --crl crl.pem --at 2027-01-01 leaf.pem\n",
    };
    int code = args_parse(&command, argc, argv, &operands, &e);
    bool help = code == ARGS_HELP;
    if (code == 0) {
        code = run(&o, operands.items[0], &e);
    }
    arg_list_clear(&o.ca);
    arg_list_clear(&o.untrusted);
    arg_list_clear(&o.crl);
    arg_list_clear(&o.policies);
    arg_list_clear(&operands);
    return err_is_set(&e) || help ? cmd_exit(err_is_set(&e) ? -1 : 0, &e) : code;
}
