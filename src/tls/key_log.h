// SPDX-License-Identifier: Apache-2.0
// The secrets of sessions in the NSS key log format ("SSLKEYLOGFILE"), for people who look at the traffic with
// Wireshark. Whoever reads the file reads the sessions: it exists only where somebody asked for it.
#ifndef MTLS_TLS_KEY_LOG_H
#define MTLS_TLS_KEY_LOG_H

#include "base/err.h"
#include "base/mem.h"

#include <mbedtls/ssl.h>

struct key_log;

// Appends to the file; makes it, 0600. Many threads may write, and many processes to the same file: one write a line.
struct key_log *key_log_open(const char *path, struct err *e);
void key_log_free(struct key_log *log); // NULL is fine
// A line that cannot be written is lost; the session is not.
void key_log_write(struct key_log *log, mbedtls_ssl_key_export_type type, const uint8_t client_random[32],
                   struct span secret);
const char *key_log_label(mbedtls_ssl_key_export_type type); // with which its line begins, static; NULL: it has none

#endif
