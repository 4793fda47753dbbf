// SPDX-License-Identifier: Apache-2.0
// Private to plan*.c: a plan as it stands in the file, before defaults and placeholders. What a field means is told
// in configs/pki.yaml; whether one that may be empty was given at all, yaml_has knows.
#ifndef MTLS_CA_PLAN_SCHEMA_H
#define MTLS_CA_PLAN_SCHEMA_H

#include "base/yaml.h"

#include <stdbool.h>

struct raw_texts {
    char **items;
    unsigned count;
};

struct raw_names { // by type; in a name constraint they are subtrees
    struct raw_texts dns, ip, email, uri, dirname;
};

struct raw_revoked {
    char *reason;
    char *when;
    char *invalidity_date;
};

struct raw_entry { // of an authority, a server or a client
    char *name;
    char *issuer;
    char *subject;
    char *key;
    struct raw_texts guessed; // names
    struct raw_names names;
    int *days;
    char *not_before;
    char *not_after;
    char *renew_before;
    int *path_length;
    unsigned key_usage; // MBEDTLS_X509_KU_*
    struct raw_texts ext_key_usage;
    struct raw_names *permitted;
    struct raw_names *excluded;
    bool *constraints_critical;
    char *crl_url;
    struct raw_texts policies;
    int *crl_days;
    bool encrypt_key;
    struct raw_revoked *revoked;
    int *copies;
};

struct raw_defaults {
    char *issuer;
    char *subject;
    char *key;
    int *days;
    int *ca_days;
    int *crl_days;
    char *renew_before;
    char *crl_url;
};

struct raw_flaws {
    char *issuer;
    struct raw_texts cases;
    struct raw_texts names;
};

struct raw_plan {
    struct raw_defaults defaults;
    struct raw_entry *authorities;
    unsigned authorities_count;
    struct raw_entry *servers;
    unsigned servers_count;
    struct raw_entry *clients;
    unsigned clients_count;
    struct raw_flaws *flaws;
};

extern const cyaml_schema_value_t plan_schema; // loads a struct raw_plan

#endif
