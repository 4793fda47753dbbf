// SPDX-License-Identifier: Apache-2.0
// What the server has to say. Every page is made for somebody: there is no way to ask for one without an identity.
#ifndef MTLS_SERVER_PAGES_H
#define MTLS_SERVER_PAGES_H

#include "explain/live.h"
#include "server/http.h"
#include "trust/trust.h"

struct visitor {
    const struct trust_identity *who; // never NULL
    const char *cipher;
    const char *address;
    const struct trust_snapshot *snapshot;     // whose access rules hold; NULL only in tests
    const char *root;                          // the directory that is served; or NULL
    const struct explain_recording *recording; // of the handshake; NULL: it is not shown
    int64_t now;
    struct trust_verdict *denial; // gets the reason of a 403
};

// Fills the response (the caller clears it).
void pages_respond(const struct visitor *visitor, const struct http_request *request, struct http_response *response);
// The page of "/": who the visitor is, in HTML.
void page_identity(const struct visitor *visitor, struct buf *html);

#endif
