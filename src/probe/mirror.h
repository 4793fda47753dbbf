// SPDX-License-Identifier: Apache-2.0
// The probe's mirror: which wrong servers does a client talk to? Starts a server for every flaw with a server side,
// each on a port of its own, runs the client's command against it, and judges by what it did: that it sent a request,
// or went through the handshake and said by its exit status that all was well. Good servers come before, between and
// after, and where a client refused, the same server without the flaw: what refuses everybody has shown nothing.
#ifndef MTLS_PROBE_MIRROR_H
#define MTLS_PROBE_MIRROR_H

#include "probe/probe.h"

struct mirror_options {
    // {url} {host} {port} {ca} {crl} {cert} {key} in it are replaced. Run without a shell, with nothing on its standard
    // input and without proxies in its environment. NULL-terminated.
    const char *const *command;
    const char *pki;         // a directory of `mtls pki` with flaws, which the client trusts; NULL: made for this run
    const char *host;        // whom the client calls; NULL: "localhost"
    unsigned versions;       // PROBE_TLS_*
    long timeout_ms;         // of the client, for each run of it
    long parallel;           // clients at once
    const char *const *only; // tokens of cases; none: all
    size_t only_count;
};

// As probe_server. A client that cannot be run is an error.
int probe_client(const struct mirror_options *options, const struct probe_observer *observer, struct probe_run *run,
                 struct err *e);

#endif
