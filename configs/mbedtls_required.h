// SPDX-License-Identifier: Apache-2.0
// What the project needs of whichever mbedTLS it is compiled against; included once, by src/tls.
#ifndef MTLS_MBEDTLS_REQUIRED_H
#define MTLS_MBEDTLS_REQUIRED_H

#include <mbedtls/build_info.h>

#if MBEDTLS_VERSION_NUMBER < 0x03060600 || MBEDTLS_VERSION_NUMBER >= 0x04000000
#error "mtls needs mbedTLS 3.6 LTS, 3.6.6 or newer: older ones have client-authentication holes"
#endif
#if !defined(MBEDTLS_HAVE_TIME_DATE)
#error "mbedTLS without MBEDTLS_HAVE_TIME_DATE accepts expired certificates"
#endif
#if !defined(MBEDTLS_SSL_PROTO_TLS1_2) || !defined(MBEDTLS_SSL_PROTO_TLS1_3)
#error "mtls speaks TLS 1.2 and 1.3; this mbedTLS lacks one of them"
#endif
#if !defined(MBEDTLS_SSL_SESSION_TICKETS) || !defined(MBEDTLS_THREADING_PTHREAD)
#error "mtls needs an mbedTLS with session tickets and pthread threading"
#endif

#endif
