// SPDX-License-Identifier: Apache-2.0
// The octets of a TLS connection -> a capture file (pcap, raw IP), as if its packets had been seen: for Wireshark, and
// for `mtls explain`. The TCP around them is made up: a handshake, segments with sequence numbers and checksums that
// are right, acknowledgements, an end.
#ifndef MTLS_EXPLAIN_PCAP_WRITE_H
#define MTLS_EXPLAIN_PCAP_WRITE_H

#include "explain/explain.h"

#include <sys/socket.h>

struct pcap_write;

struct pcap_write *pcap_write_open(const char *path, struct err *e); // replaces what is there
// A connection begins, between addresses of one family, IPv4 or IPv6. One after the other.
void pcap_write_begin(struct pcap_write *w, const struct sockaddr_storage *client,
                      const struct sockaddr_storage *server);
void pcap_write_bytes(struct pcap_write *w, enum explain_side from, const uint8_t *data, size_t len);
void pcap_write_closed(struct pcap_write *w, enum explain_side side, bool reset); // the side sends no more
// Ends the connection too, if it is open. Frees.
int pcap_write_close(struct pcap_write *w, struct err *e);

#endif
