// SPDX-License-Identifier: Apache-2.0
// What a connection does not need while nothing passes.
//
// What must survive in mbedTLS's record buffers between two records: of the incoming one its first eight bytes, in
// which mbedTLS counts the records (in_ctr, at the start of in_buf: mbedtls_ssl_update_in_pointers), and which it next
// looks at when it has received a record; of the outgoing one nothing (the count, cur_out_ctr, is elsewhere, and is
// copied to the front for each record). Its other pointers into them are to places, not to content, as long as no
// record is half received, unread or unsent. mbedTLS cannot be asked whether one is half received, but it never reads
// beyond the record that it is at, so the watch at the transport knows. (One thing is not seen from here: a handshake
// message in pieces. After the handshake a server expects none, refuses what comes whatever is in it, and what would be
// lost is the peer's own.)
#include "tls/internal.h"

static bool is_quiet(const struct tls_connection *c)
{
    return c->state == CONNECTION_OPEN && c->unsent == 0 && alert_watch_between(&c->incoming) &&
           mbedtls_ssl_get_bytes_avail(&c->ssl) == 0 && mbedtls_ssl_check_pending(&c->ssl) == 0;
}

void tls_rest(struct tls_connection *c)
{
    if (is_quiet(c)) {
        record_memory_rest(&c->memory);
        transport_rest(&c->transport);
    }
}
