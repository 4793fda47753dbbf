// SPDX-License-Identifier: Apache-2.0
#include "tls/tls.h"

#include <errno.h>
#include <sys/socket.h>

static long io_result(ssize_t n)
{
    if (n >= 0) {
        return (long)n;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TLS_IO_AGAIN : TLS_IO_ERROR;
}

static long socket_receive(void *arg, uint8_t *data, size_t len)
{
    return io_result(recv((int)(intptr_t)arg, data, len, 0));
}

static long socket_send(void *arg, const uint8_t *data, size_t len)
{
    return io_result(send((int)(intptr_t)arg, data, len, MSG_NOSIGNAL));
}

struct tls_io tls_io_of_socket(int fd)
{
    return (struct tls_io){.arg = (void *)(intptr_t)fd, .receive = socket_receive, .send = socket_send};
}
