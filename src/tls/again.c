// SPDX-License-Identifier: Apache-2.0
// What holds of an open connection holds only until something changes: then its peer is judged again.
#include "tls/internal.h"

static void exchange_snapshot(struct tls_connection *c, struct trust_snapshot *snapshot)
{
    trust_snapshot_ref(snapshot);
    trust_snapshot_free(c->snapshot);
    c->snapshot = snapshot;
}

bool tls_judge_again(struct tls_connection *c, struct tls_context *current, int64_t now)
{
    if (c->state == CONNECTION_REFUSING || c->state == CONNECTION_FAILED) {
        return false;
    }
    exchange_snapshot(c, current->snapshot);
    if (c->state == CONNECTION_HANDSHAKE) {
        c->outdated = c->judged || c->resumption != NULL; // looked at again when it is complete
        return true;
    }
    if (verify_again(c, now)) {
        return true;
    }
    c->state = CONNECTION_REFUSING;
    c->ending = TLS_END_US;
    err_refused(connection_failure(c), "%s: %s", reason_token(c->verdict.reason), c->verdict.detail);
    return false;
}

enum tls_status tls_refuse(struct tls_connection *c)
{
    c->transport.holds = false; // there will be no tls_close
    return c->state == CONNECTION_REFUSING ? connection_refuse(c) : TLS_FAILED;
}

const struct trust_snapshot *tls_snapshot(const struct tls_connection *c)
{
    return c->snapshot;
}

int64_t tls_accepted_until(const struct tls_connection *c)
{
    return c->until;
}

bool tls_resumed(const struct tls_connection *c)
{
    return c->resumed;
}
