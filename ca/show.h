// SPDX-License-Identifier: Apache-2.0
// What is in a file, in words: certificates, requests, revocation lists, keys; PEM with any number of blocks, or DER.
// It shows what is there and judges nothing, so it reads what a judge would refuse (version 1, negative serials,
// duplicate or unknown critical extensions, trailing octets) and says "malformed: why" where something cannot be read.
// No secret part of a key is shown. Everything from the file is escaped.
#ifndef MTLS_CA_SHOW_H
#define MTLS_CA_SHOW_H

#include "base/err.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdint.h>

enum { SHOW_ENTRIES = 20 };

struct show_options {
    int64_t now;        // what days left are counted from
    size_t entries_max; // entries of a revocation list that are shown; SIZE_MAX: all
};

// An array with one object for each thing in the file; each has "kind". NULL: the file has nothing that is known here.
json_t *show_file(struct span file, const struct show_options *options, struct err *e);

// The same as text for people.
void show_text(const json_t *shown, struct buf *text);

#endif
