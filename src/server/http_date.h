// SPDX-License-Identifier: Apache-2.0
// Times in header fields (RFC 9110 section 5.6.7).
#ifndef MTLS_SERVER_HTTP_DATE_H
#define MTLS_SERVER_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_TEXT = 40 };

const char *http_date(int64_t when, char text[HTTP_DATE_TEXT]); // Sun, 06 Nov 1994 08:49:37 GMT
// Reads any of the three forms. False: it is none of them, and such a field is to be ignored.
bool http_date_read(const char *text, int64_t now, int64_t *when);

#endif
