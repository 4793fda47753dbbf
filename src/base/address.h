// SPDX-License-Identifier: Apache-2.0
// Socket addresses as logs and people write them.
#ifndef MTLS_BASE_ADDRESS_H
#define MTLS_BASE_ADDRESS_H

#include <sys/socket.h>

enum { ADDRESS_TEXT = 64 };

// "127.0.0.1:8443", "[::1]:8443"
void address_text(const struct sockaddr_storage *address, char text[ADDRESS_TEXT]);

#endif
