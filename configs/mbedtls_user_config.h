// SPDX-License-Identifier: Apache-2.0
// What the project's mbedTLS 3.6 has beside and without mbedTLS's default configuration (MBEDTLS_USER_CONFIG_FILE,
// read after it). Each line says why.
#ifndef MTLS_MBEDTLS_USER_CONFIG_H
#define MTLS_MBEDTLS_USER_CONFIG_H

// Several threads issue certificates and serve connections.
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

// The age of a ticket is known to every replica: configs/mbedtls_ms_time.c.
#define MBEDTLS_PLATFORM_MS_TIME_ALT

// A quiet connection gives back most of its 2 x 16 KiB of record buffers (src/tls/record_memory.c).
#define MBEDTLS_PLATFORM_MEMORY

// TCP only.
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_DTLS_ANTI_REPLAY
#undef MBEDTLS_SSL_DTLS_CLIENT_PORT_REUSE
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID
#undef MBEDTLS_SSL_DTLS_CONNECTION_ID_COMPAT
#undef MBEDTLS_SSL_DTLS_HELLO_VERIFY
#undef MBEDTLS_SSL_DTLS_SRTP
#undef MBEDTLS_SSL_COOKIE_C

// A connection is judged once, at its handshake: TLS 1.2 may not change its peer half-way.
#undef MBEDTLS_SSL_RENEGOTIATION

// Pre-shared keys are no certificates. (TLS 1.3 keeps its PSK modes: they carry tickets.)
#undef MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDHE_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_RSA_PSK_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_DHE_RSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_ECDSA_ENABLED
#undef MBEDTLS_KEY_EXCHANGE_ECDH_RSA_ENABLED

// The trust room hands mbedTLS its anchors connection by connection.
#define MBEDTLS_X509_TRUSTED_CERTIFICATE_CALLBACK

// Curves have names (RFC 5480 section 2.1.1); a peer's own parameters are not even read.
#undef MBEDTLS_PK_PARSE_EC_EXTENDED

#undef MBEDTLS_SELF_TEST
#undef MBEDTLS_DEBUG_C

#endif
