// SPDX-License-Identifier: Apache-2.0
// mbedTLS's error codes and flags as reasons.
#include "trust/internal.h"

// A code is the sum of a high-level one (which part) and a low-level one (what was wrong with it); both negative.
enum { HIGH = 0xff80, LOW = 0x007f, LOW_ANY = 1 };

enum reason trust_reason_of_parse(int mbedtls_code)
{
    static const struct {
        int high;
        int low; // LOW_ANY: whichever
        enum reason reason;
    } table[] = {
        // the extension is critical and unknown; mbedTLS has no code of its own for that
        {MBEDTLS_ERR_X509_INVALID_EXTENSIONS, MBEDTLS_ERR_ASN1_UNEXPECTED_TAG, REASON_critical_extension},
        {MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE, LOW_ANY, REASON_critical_extension},
        // alone, it says that an extension is repeated
        {MBEDTLS_ERR_X509_INVALID_EXTENSIONS, 0, REASON_duplicate_extension},
        {MBEDTLS_ERR_X509_BAD_INPUT_DATA, LOW_ANY, REASON_subject_alt_name}, // an address of neither 4 nor 16 octets
        {MBEDTLS_ERR_X509_INVALID_VERSION, LOW_ANY, REASON_version},
        {MBEDTLS_ERR_X509_UNKNOWN_VERSION, LOW_ANY, REASON_version},
        {MBEDTLS_ERR_X509_INVALID_SERIAL, LOW_ANY, REASON_serial_number},
        {MBEDTLS_ERR_X509_SIG_MISMATCH, LOW_ANY, REASON_algorithm_mismatch},
        {MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG, LOW_ANY, REASON_algorithm_weak},
    };
    int high = -(-mbedtls_code & HIGH);
    int low = -(-mbedtls_code & LOW);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].high == high && (table[i].low == low || table[i].low == LOW_ANY)) {
            return table[i].reason;
        }
    }
    return REASON_malformed;
}

enum reason trust_reason_of_flags(uint32_t flags)
{
    static const struct {
        uint32_t flag;
        enum reason reason;
    } table[] = {
        // the most telling first
        {MBEDTLS_X509_BADCERT_MISSING, REASON_no_certificate},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, REASON_chain_untrusted},
        {MBEDTLS_X509_BADCERT_BAD_MD, REASON_algorithm_weak},
        {MBEDTLS_X509_BADCERT_BAD_PK, REASON_key_too_weak},
        {MBEDTLS_X509_BADCERT_BAD_KEY, REASON_key_too_weak},
        {MBEDTLS_X509_BADCERT_REVOKED, REASON_cert_revoked},
        {MBEDTLS_X509_BADCERT_EXPIRED, REASON_cert_expired},
        {MBEDTLS_X509_BADCERT_FUTURE, REASON_cert_not_yet_valid},
        {MBEDTLS_X509_BADCRL_NOT_TRUSTED, REASON_crl_signature},
        {MBEDTLS_X509_BADCRL_BAD_MD, REASON_crl_signature},
        {MBEDTLS_X509_BADCRL_BAD_PK, REASON_crl_signature},
        {MBEDTLS_X509_BADCRL_BAD_KEY, REASON_crl_signature},
        {MBEDTLS_X509_BADCRL_EXPIRED, REASON_crl_stale},
        {MBEDTLS_X509_BADCRL_FUTURE, REASON_crl_stale},
        {MBEDTLS_X509_BADCERT_KEY_USAGE, REASON_key_usage},
        {MBEDTLS_X509_BADCERT_EXT_KEY_USAGE, REASON_ext_key_usage},
        {MBEDTLS_X509_BADCERT_NS_CERT_TYPE, REASON_ext_key_usage},
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, REASON_name_mismatch},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((flags & table[i].flag) != 0) {
            return table[i].reason;
        }
    }
    return flags == 0 ? REASON_ok : REASON_tls_mbedtls;
}

const char *trust_reason_section(enum reason reason)
{
    static const char *const sections[REASON_COUNT] = {
        [REASON_no_certificate] = "RFC 8446 section 4.4.2.4",
        [REASON_malformed] = "RFC 5280 section 4.1",
        [REASON_version] = "RFC 5280 section 4.1.2.1",
        [REASON_serial_number] = "RFC 5280 section 4.1.2.2",
        [REASON_critical_extension] = "RFC 5280 section 4.2",
        [REASON_duplicate_extension] = "RFC 5280 section 4.2",
        [REASON_subject_empty] = "RFC 5280 section 4.1.2.6",
        [REASON_subject_alt_name] = "RFC 5280 section 4.2.1.6",
        [REASON_key_identifier] = "RFC 5280 sections 4.2.1.1 and 4.2.1.2",
        [REASON_algorithm_mismatch] = "RFC 5280 section 4.1.1.2",
        [REASON_algorithm_weak] = "RFC 9325 section 4.5",
        [REASON_key_too_weak] = "RFC 9325 section 4.5",
        [REASON_signature_bad] = "RFC 5280 section 6.1.3 (a) (1)",
        [REASON_chain_incomplete] = "RFC 5280 section 6.1 (a) and RFC 8446 section 4.4.2",
        [REASON_chain_untrusted] = "RFC 5280 section 6.1.1 (d)",
        [REASON_budget_exceeded] = "RFC 4158 section 2.4",
        [REASON_not_a_ca] = "RFC 5280 section 6.1.4 (k)",
        [REASON_key_usage] = "RFC 5280 sections 4.2.1.3 and 6.1.4 (n)",
        [REASON_path_too_long] = "RFC 5280 section 6.1.4 (l) and (m)",
        [REASON_name_constraint] = "RFC 5280 section 6.1.3 (b) and (c)",
        [REASON_policy] = "RFC 5280 sections 6.1.3 (f) and 6.1.5 (g)",
        [REASON_cert_expired] = "RFC 5280 section 6.1.3 (a) (2)",
        [REASON_cert_not_yet_valid] = "RFC 5280 section 6.1.3 (a) (2)",
        [REASON_cert_revoked] = "RFC 5280 section 6.1.3 (a) (3)",
        [REASON_crl_missing] = "RFC 5280 section 6.3.3",
        [REASON_crl_stale] = "RFC 5280 section 5.1.2.5",
        [REASON_crl_signature] = "RFC 5280 section 6.3.3 (f) and (g)",
        [REASON_ext_key_usage] = "RFC 5280 section 4.2.1.12",
        [REASON_leaf_is_ca] = "RFC 5280 section 4.2.1.9",
        [REASON_name_mismatch] = "RFC 9525 section 6",
        [REASON_not_allowed] = "the access rules",
    };
    const char *section = (size_t)reason < REASON_COUNT ? sections[reason] : NULL;
    return section == NULL ? "" : section;
}
