// SPDX-License-Identifier: Apache-2.0
#ifndef MTLS_PROBE_COMMAND_H
#define MTLS_PROBE_COMMAND_H

#include "base/err.h"

// Runs a command of the user's with sh, one variable added to its environment; what it prints goes to stderr.
int command_run(const char *command, const char *variable, const char *value, struct err *e);

#endif
