// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share. Each target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput, linked with libFuzzer
// (preset `fuzz`) or with replay.c, which feeds it the files of corpus/NAME (every other build).
#ifndef MTLS_TESTS_FUZZ_FUZZ_H
#define MTLS_TESTS_FUZZ_FUZZ_H

#include "base/mem.h"
#include "trust/certificate.h"
#include "trust/trust.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// An invariant: ends the program, saying which.
#define REQUIRE(what) ((what) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #what))
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

// Text for people must be well-formed UTF-8 without anything that moves a cursor; `lines`: but for \n.
void fuzz_require_printable(const char *text, bool lines);

// A file of corpus/pki: an absolute path, in one of four static buffers.
const char *fuzz_pki(const char *file);
enum { FUZZ_NOW = 1768000000 }; // a week after the PKI of corpus/pki was made

// The anchors of corpus/pki; with `full` also its CAs as intermediates, and its lists. Never freed.
const struct trust_snapshot *fuzz_snapshot(bool full);

// Was this TBSCertificate or TBSCertList ever signed by a CA of corpus/pki? (corpus/pki/issued.pem, lists.pem)
bool fuzz_was_signed(struct span tbs);
bool fuzz_is_anchor(struct span der);

// Input in pieces: a number of one octet, and runs of octets with their length in two octets in front. What is cut
// short is what there is.
uint8_t fuzz_octet(struct span *input);
struct span fuzz_run(struct span *input);

// A question to the judge as octets: flags (1 full snapshot, 2 client, 4 server, 8 named), the name, the certificates.
struct fuzz_question {
    bool full;
    enum trust_purpose purpose;
    char name[256];
    bool named;
    struct span chain[TRUST_CHAIN_MOST + 2];
    size_t count;
};
void fuzz_question_read(struct fuzz_question *q, struct span input);
// Asks it, and checks what holds of every answer. Clear `path`.
bool fuzz_question_ask(const struct fuzz_question *q, struct trust_path *path);

#endif
