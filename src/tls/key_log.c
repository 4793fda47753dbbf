// SPDX-License-Identifier: Apache-2.0
#include "tls/key_log.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RANDOM_LENGTH = 32, SECRET_LENGTH_MOST = 64, LINE_MOST = 256 };

struct key_log {
    int fd;
};

const char *key_log_label(mbedtls_ssl_key_export_type type)
{
    switch (type) {
    case MBEDTLS_SSL_KEY_EXPORT_TLS12_MASTER_SECRET: return "CLIENT_RANDOM";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_EARLY_SECRET: return "CLIENT_EARLY_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_EARLY_EXPORTER_SECRET: return "EARLY_EXPORTER_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_HANDSHAKE_TRAFFIC_SECRET: return "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_HANDSHAKE_TRAFFIC_SECRET: return "SERVER_HANDSHAKE_TRAFFIC_SECRET";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_CLIENT_APPLICATION_TRAFFIC_SECRET: return "CLIENT_TRAFFIC_SECRET_0";
    case MBEDTLS_SSL_KEY_EXPORT_TLS1_3_SERVER_APPLICATION_TRAFFIC_SECRET: return "SERVER_TRAFFIC_SECRET_0";
    default: return NULL;
    }
}

struct key_log *key_log_open(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_SECRET);
    if (fd < 0) {
        err_set(e, "opening the key log %s: %s", path, strerror(errno));
        return NULL;
    }
    struct key_log *log = mem_alloc(sizeof *log);
    log->fd = fd;
    return log;
}

void key_log_free(struct key_log *log)
{
    if (log != NULL) {
        close(log->fd);
        free(log);
    }
}

static char *put_hex(char *at, struct span data)
{
    for (size_t i = 0; i < data.len; i++) {
        at += sprintf(at, "%02x", data.data[i]);
    }
    return at;
}

void key_log_write(struct key_log *log, mbedtls_ssl_key_export_type type, const uint8_t client_random[RANDOM_LENGTH],
                   struct span secret)
{
    char line[LINE_MOST];
    const char *label = key_log_label(type);
    if (label == NULL || secret.len > SECRET_LENGTH_MOST) {
        return;
    }
    char *end = line + sprintf(line, "%s ", label);
    end = put_hex(end, span_of(client_random, RANDOM_LENGTH));
    *end++ = ' ';
    end = put_hex(end, secret);
    *end++ = '\n';
    ssize_t written = write(log->fd, line, (size_t)(end - line));
    (void)written;
    mbedtls_platform_zeroize(line, sizeof line);
}
