// SPDX-License-Identifier: Apache-2.0
// Why a call was refused, as far as this side can tell: in plain words, and with the command that would mend it.
#ifndef MTLS_CLIENT_DIAGNOSIS_H
#define MTLS_CLIENT_DIAGNOSIS_H

#include "client/client.h"

// What is known beside the call and its result.
struct client_asked {
    bool certificate;               // the server asked for one
    const char *const *authorities; // subjects of the CAs that it accepts, as trust_name_of_der has them
    size_t count;                   // 0: it named none, or that could not be seen
    const char *who;                // what `mtls ca` calls our certificate; or NULL
};

// Text from certificates in it is escaped. Both are "" where nothing went wrong, or nothing more is known than what the
// result says.
struct client_diagnosis {
    char what[1024]; // what was wrong, on which side, with which certificate; one or two sentences
    char mend[640];  // what would mend it, a command where there is one
};

void client_diagnose(const struct client_call *call, const struct client_result *result,
                     const struct client_asked *asked, int64_t now, struct client_diagnosis *diagnosis);

#endif
