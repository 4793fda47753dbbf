// SPDX-License-Identifier: Apache-2.0
// How many connections there may be at once: in all, from one address, and as the system has descriptors for.
#include "base/log.h"
#include "server/internal.h"
#include "server/log_lines.h"

#include <stdio.h>
#include <sys/resource.h>

enum { DESCRIPTORS_RESERVED = 64, NANOSECONDS = 1000000000 };

int admission_prepare(struct server *server, struct err *e)
{
    unsigned wanted = server->generation->config->limits.connections;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        return err_errno(e, "asking for the limit of open files");
    }
    if (files.rlim_cur < files.rlim_max) {
        rlim_t before = files.rlim_cur;
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
            files.rlim_cur = before;
        }
    }
    rlim_t own = DESCRIPTORS_RESERVED + server->worker_count * (4 + SERVER_ADDRESSES_MOST);
    if (files.rlim_cur <= own) {
        return err_set(e, "the limit of open files, %llu, leaves none for connections; %llu are needed besides",
                       (unsigned long long)files.rlim_cur, (unsigned long long)own);
    }
    rlim_t left = files.rlim_cur - own;
    server->descriptors_left = left < UINT32_MAX ? (unsigned)left : UINT32_MAX;
    if (server->descriptors_left < wanted) {
        log_warning("the limit of open files, %llu, allows %u connections at once, not the %u that are configured "
                    "(ulimit -n)",
                    (unsigned long long)files.rlim_cur, server->descriptors_left, wanted);
    }
    return 0;
}

// One line a second, however many are turned away.
static void say_refused(struct server *server, const char *address, const char *limit)
{
    unsigned long long now = uv_hrtime();
    unsigned long long last = atomic_load(&server->refused_logged);
    if ((last != 0 && now - last < NANOSECONDS) ||
        !atomic_compare_exchange_strong(&server->refused_logged, &last, now)) {
        atomic_fetch_add(&server->refused_silently, 1);
        return;
    }
    char text[80] = "turned away";
    unsigned more = atomic_exchange(&server->refused_silently, 0);
    if (more > 0) {
        snprintf(text, sizeof text, "turned away, and %u others since the last such line", more);
    }
    log_line_limit(address, limit, text);
}

bool admission_take(struct worker *worker, address_key key, const char *address)
{
    struct server *server = worker->server;
    const struct server_limits *limits = &worker->generation->config->limits;
    unsigned most = limits->connections < server->descriptors_left ? limits->connections : server->descriptors_left;
    if (atomic_fetch_add(&server->connections, 1) >= most) {
        atomic_fetch_sub(&server->connections, 1);
        say_refused(server, address, "limits.connections");
        return false;
    }
    if (!addresses_take(server->addresses, key, limits->connections_per_address)) {
        atomic_fetch_sub(&server->connections, 1);
        say_refused(server, address, "limits.connections_per_address");
        return false;
    }
    return true;
}

void admission_give(struct worker *worker, address_key key)
{
    addresses_give(worker->server->addresses, key);
    atomic_fetch_sub(&worker->server->connections, 1);
}
