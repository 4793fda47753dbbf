// SPDX-License-Identifier: Apache-2.0
// What the two halves of world_check share: the files and entries, the revocation lists.
#ifndef MTLS_TESTS_LOOK_H
#define MTLS_TESTS_LOOK_H

#include "crash.h"

#include <sqlite3.h>

struct look {
    struct world *w;
    sqlite3 *db; // NULL: it has no tables yet
    bool settled;
    const char *path; // of the file that is looked at, below the PKI
    size_t certificates;
    size_t keys;
    size_t lists;
};

typedef void each_block(struct look *l, const char *label, struct span der);

void look_read(struct look *l, struct buf *text); // the file at l->path
// The text must be whole PEM blocks and nothing else.
void look_at_blocks(struct look *l, struct span text, each_block *each);
void look_at_lists(struct look *l); // crl.pem

#endif
