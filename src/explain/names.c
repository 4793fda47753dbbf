// SPDX-License-Identifier: Apache-2.0
#include "explain/internal.h"

struct named {
    unsigned number;
    const char *name;
};

static const char *find(const struct named *table, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].number == number) {
            return table[i].name;
        }
    }
    return NULL;
}

static const struct named versions[] = {
#define VERSION(number, name) {number, name},
#include "explain/names.def"
#undef VERSION
};
static const struct named messages[] = {
#define MESSAGE(number, name) {number, #name},
#include "explain/names.def"
#undef MESSAGE
};
static const struct named extensions[] = {
#define EXTENSION(number, name) {number, #name},
#include "explain/names.def"
#undef EXTENSION
};
static const struct named groups[] = {
#define GROUP(number, name) {number, #name},
#include "explain/names.def"
#undef GROUP
};
static const struct named schemes[] = {
#define SCHEME(number, name) {number, #name},
#include "explain/names.def"
#undef SCHEME
};
static const struct named certificate_types[] = {
#define CERTIFICATE_TYPE(number, name) {number, #name},
#include "explain/names.def"
#undef CERTIFICATE_TYPE
};
static const struct named key_modes[] = {
#define KEY_MODE(number, name) {number, #name},
#include "explain/names.def"
#undef KEY_MODE
};

static const struct suite suites[] = {
#define SUITE(number, name, exchange, protection) {number, #name, EXPLAIN_##exchange, PROTECTION_##protection},
#include "explain/suite.def"
#undef SUITE
};

#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

const char *name_of_version(unsigned number)
{
    return find(versions, COUNT_OF(versions), number);
}

const char *name_of_message(unsigned number)
{
    return find(messages, COUNT_OF(messages), number);
}

const char *name_of_extension(unsigned number)
{
    return find(extensions, COUNT_OF(extensions), number);
}

const char *name_of_group(unsigned number)
{
    return find(groups, COUNT_OF(groups), number);
}

const char *name_of_scheme(unsigned number)
{
    return find(schemes, COUNT_OF(schemes), number);
}

const char *name_of_certificate_type(unsigned number)
{
    return find(certificate_types, COUNT_OF(certificate_types), number);
}

const char *name_of_key_mode(unsigned number)
{
    return find(key_modes, COUNT_OF(key_modes), number);
}

const struct suite *suite_find(unsigned number)
{
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        if (suites[i].number == number) {
            return &suites[i];
        }
    }
    return NULL;
}

const char *name_of_suite(unsigned number)
{
    const struct suite *suite = suite_find(number);
    return suite != NULL ? suite->name : NULL;
}

static const char *or_unknown(const char *name, const char *unknown)
{
    return name != NULL ? name : unknown;
}

const char *explain_version_name(int version)
{
    return or_unknown(name_of_version((unsigned)version), "an unknown version");
}

const char *explain_suite_name(int suite)
{
    return or_unknown(name_of_suite((unsigned)suite), "an unknown suite");
}

const char *explain_side_name(enum explain_side side)
{
    return side == EXPLAIN_CLIENT ? "client" : "server";
}

const char *explain_protection_name(enum explain_protection protection)
{
    static const char *const names[] = {[EXPLAIN_PLAIN] = "plain",
                                        [EXPLAIN_EARLY_KEYS] = "early keys",
                                        [EXPLAIN_HANDSHAKE_KEYS] = "handshake keys",
                                        [EXPLAIN_APPLICATION_KEYS] = "session keys"};
    return names[protection];
}

const char *explain_message_name(const struct explain_message *m)
{
    switch (m->kind) {
    case EXPLAIN_HANDSHAKE:
        return json_object_get(m->fields, "hello_retry_request") != NULL
                   ? "HelloRetryRequest"
                   : or_unknown(name_of_message((unsigned)m->type), "an unknown message");
    case EXPLAIN_CHANGE_CIPHER_SPEC: return "ChangeCipherSpec";
    case EXPLAIN_ALERT: return "Alert";
    case EXPLAIN_APPLICATION_DATA: return "ApplicationData";
    default: return "Encrypted";
    }
}
