// SPDX-License-Identifier: Apache-2.0
// Where passphrases come from: a file, the environment or a terminal. Never a command line, which others can read.
#ifndef MTLS_BASE_PASSPHRASE_H
#define MTLS_BASE_PASSPHRASE_H

#include "base/err.h"
#include "base/mem.h"

// Appends the passphrase to `out` (zeroised by buf_clear): the first line of `file` if that is not NULL; else the
// environment's `variable` if it is set; else the answer to `prompt` on the terminal, asked twice with `confirm`. An
// empty passphrase is an error.
int passphrase_get(const char *file, const char *variable, const char *prompt, bool confirm, struct buf *out,
                   struct err *e);

#endif
