// SPDX-License-Identifier: Apache-2.0
#ifndef MTLS_SERVER_CONTROL_PATH_H
#define MTLS_SERVER_CONTROL_PATH_H

#include "base/err.h"

#include <stdbool.h>

// The path of the control socket of the server on this port: /run/mtls/PORT.sock for root, else
// $XDG_RUNTIME_DIR/mtls/PORT.sock, else /tmp/mtls-UID/PORT.sock. `make`: makes the folder, if it is not there. NULL
// when there is no such folder, or when it is not this user's alone.
char *control_path(unsigned port, bool make, struct err *e);

#endif
