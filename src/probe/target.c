// SPDX-License-Identifier: Apache-2.0
// Manners: what a probe does to a server that is not one's own is an attack on it.
#include "base/address.h"
#include "probe/internal.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static bool near_ipv4(const uint8_t a[4])
{
    return a[0] == 127 || // loopback, RFC 1122 section 3.2.1.3
           a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) || // RFC 1918
           (a[0] == 169 && a[1] == 254);                                                         // link-local, RFC 3927
}

static bool near_ipv6(const struct in6_addr *a)
{
    if (IN6_IS_ADDR_V4MAPPED(a)) {
        return near_ipv4(a->s6_addr + 12);
    }
    return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_LINKLOCAL(a) || (a->s6_addr[0] & 0xfe) == 0xfc; // ULA, RFC 4193
}

bool address_is_near(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        uint8_t octets[4];
        memcpy(&in, address, sizeof in);
        memcpy(octets, &in.sin_addr, sizeof octets);
        return near_ipv4(octets);
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return address->ss_family == AF_INET6 && near_ipv6(&in6.sin6_addr);
}

static void take_address(struct dial_target *target, const struct addrinfo *found)
{
    memset(&target->address, 0, sizeof target->address);
    if (found == NULL || found->ai_addrlen > sizeof target->address) {
        target->address_len = 0;
        return;
    }
    memcpy(&target->address, found->ai_addr, found->ai_addrlen);
    target->address_len = found->ai_addrlen;
}

// The first that answers. None: the first.
static int choose(const struct probe_options *options, const struct addrinfo *addresses, struct dial_target *target,
                  struct err *e)
{
    char text[ADDRESS_TEXT];
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        take_address(target, a);
        if (!options->owned && !address_is_near(&target->address)) {
            address_text(&target->address, text);
            return err_usage(e,
                             "%s (%s) is neither this machine nor on a private network; if it is yours to attack, say "
                             "--i-own-this-host",
                             options->host, text);
        }
    }
    for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
        struct outcome ignored = {0};
        take_address(target, a);
        int fd = dial_socket(target, &ignored);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
    }
    take_address(target, addresses);
    return 0;
}

int target_find(const struct probe_options *options, struct dial_target *target, struct err *e)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    *target = (struct dial_target){.name = options->name != NULL ? options->name : options->host,
                                   .path = options->path,
                                   .expect_body = options->expect_body,
                                   .refused_status = options->refused_status,
                                   .refused_status_count = options->refused_status_count,
                                   .timeout_ms = options->timeout_ms};
    int code = getaddrinfo(options->host, options->port, &hints, &addresses);
    if (code != 0) {
        return err_set(e, "looking up %s: %s", options->host, gai_strerror(code));
    }
    int rc = choose(options, addresses, target, e);
    freeaddrinfo(addresses);
    return rc;
}
