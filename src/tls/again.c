// SPDX-License-Identifier: Apache-2.0
#include "tls/internal.h"

enum tls_status refuse(struct tls_connection *c);

int64_t tls_accepted_until(const struct tls_connection *c)
{
    return c->identity->not_after;
}

bool tls_judge_again(struct tls_connection *c, struct tls_context *current, int64_t now)
{
    struct span chain[TRUST_CHAIN_MOST + 1] = {{0}};
    for (size_t i = 0; i < c->presented_count; i++) {
        chain[i] = buf_span(&c->presented[i]);
    }
    bool good = trust_judge(current->snapshot, chain, c->presented_count, TRUST_CLIENT, c->name, now, &c->verdict);
    if (!good) {
        c->ending = TLS_END_US;
    }
    return good;
}

enum tls_status tls_refuse(struct tls_connection *c)
{
    return refuse(c);
}
