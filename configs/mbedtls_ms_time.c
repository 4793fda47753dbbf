// SPDX-License-Identifier: Apache-2.0
// mbedTLS's clock for the age of TLS 1.3 tickets, compiled into our mbedTLS (MBEDTLS_PLATFORM_MS_TIME_ALT). Its own
// counts from the machine's start, so that no replica on another machine, and nobody after a restart of this one, could
// tell how old a ticket is. A clock that is set costs a full handshake.
#define _POSIX_C_SOURCE 200809L

#include <mbedtls/platform_time.h>
#include <time.h>

mbedtls_ms_time_t mbedtls_ms_time(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return (mbedtls_ms_time_t)time(NULL) * 1000;
    }
    return (mbedtls_ms_time_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
