// SPDX-License-Identifier: Apache-2.0
#ifndef MTLS_CMD_PROBE_H
#define MTLS_CMD_PROBE_H

#include "cmd/cmd.h"

// `probe --client`: options and operands of its own.
int cmd_probe_client(int argc, char **argv);

#endif
