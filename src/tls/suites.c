// SPDX-License-Identifier: Apache-2.0
// Cipher suites and groups by the names that people know them by.
#include "base/text.h"
#include "tls/internal.h"

#include <mbedtls/ssl_ciphersuites.h>
#include <stdlib.h>
#include <strings.h>

struct named {
    int number;
    const char *names[3]; // IANA's first
};

// Those that we speak by ourselves, and those that only whoever names them gets.
static const struct named suites[] = {
    {MBEDTLS_TLS1_3_AES_128_GCM_SHA256, {"TLS_AES_128_GCM_SHA256"}},
    {MBEDTLS_TLS1_3_AES_256_GCM_SHA384, {"TLS_AES_256_GCM_SHA384"}},
    {MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, {"TLS_CHACHA20_POLY1305_SHA256"}},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
     {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
     {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"}},
    {MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
     {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"}},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
     {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
     {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}},
    {MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
     {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}},
    {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"}},
    {MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384, {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"}},
};
enum { SUITES = sizeof suites / sizeof suites[0] };

static const struct named groups[] = {
    {MBEDTLS_SSL_IANA_TLS_GROUP_X25519, {"x25519"}},
    {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, {"secp256r1", "P-256", "prime256v1"}},
    {MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, {"secp384r1", "P-384"}},
    {MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1, {"secp521r1", "P-521"}},
};
enum { GROUPS = sizeof groups / sizeof groups[0] };
_Static_assert(SUITES < 16 && GROUPS < 16, "room for their names and a NULL");

static bool is_called(const struct named *named, const char *name, size_t len)
{
    for (size_t i = 0; i < 3 && named->names[i] != NULL; i++) {
        if (strlen(named->names[i]) == len && strncasecmp(named->names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool contains(const int *numbers, size_t count, int number)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == number) {
            return true;
        }
    }
    return false;
}

static size_t unknown(const char *name, size_t len, const struct named *table, size_t count, const char *what,
                      struct err *e)
{
    const char *names[16] = {NULL};
    struct buf list = {0};
    for (size_t i = 0; i < count; i++) {
        names[i] = table[i].names[0];
    }
    text_list(&list, names);
    err_usage(e, "unknown %s \"%.*s\" (one of: %s)", what, len < 80 ? (int)len : 80, name, (const char *)list.data);
    buf_clear(&list);
    return 0;
}

// The numbers in the order of the names, each once, at most `most` of them. Returns how many; 0: one is unknown, or
// there is none.
static size_t numbers_of(const char *list, const struct named *table, size_t most, const char *what, int *numbers,
                         struct err *e)
{
    static const char between[] = ":, ";
    size_t count = 0;
    for (const char *p = list + strspn(list, between); *p != '\0'; p += strspn(p, between)) {
        size_t len = strcspn(p, between);
        size_t i = 0;
        while (i < most && !is_called(&table[i], p, len)) {
            i++;
        }
        if (i == most) {
            return unknown(p, len, table, most, what, e);
        }
        if (!contains(numbers, count, table[i].number)) {
            numbers[count++] = table[i].number;
        }
        p += len;
    }
    if (count == 0) {
        err_usage(e, "no %s is named", what);
    }
    return count;
}

static bool is_of_tls13(int suite)
{
    return suite >> 8 == 0x13; // RFC 8446 appendix B.4
}

int *suites_parse(const char *names, const int *defaults, struct err *e)
{
    int named[SUITES];
    size_t count = numbers_of(names, suites, SUITES, "cipher suite", named, e);
    if (count == 0) {
        return NULL;
    }
    bool has[2] = {false, false}; // of TLS 1.2, of TLS 1.3
    for (size_t i = 0; i < count; i++) {
        has[is_of_tls13(named[i])] = true;
    }
    int *all = mem_array(2 * SUITES + 1, sizeof *all);
    memcpy(all, named, count * sizeof *all);
    for (; *defaults != 0; defaults++) {
        if (!has[is_of_tls13(*defaults)]) {
            all[count++] = *defaults;
        }
    }
    return all;
}

uint16_t *groups_parse(const char *names, struct err *e)
{
    int named[GROUPS];
    size_t count = numbers_of(names, groups, GROUPS, "curve", named, e);
    uint16_t *all = count == 0 ? NULL : mem_array(GROUPS + 1, sizeof *all); // MBEDTLS_SSL_IANA_TLS_GROUP_NONE is 0
    for (size_t i = 0; i < count; i++) {
        all[i] = (uint16_t)named[i];
    }
    return all;
}
