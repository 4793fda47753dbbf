// SPDX-License-Identifier: Apache-2.0
#include "cmd/cmd.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

const char *cmd_pki_dir(const char *option)
{
    const char *variable = getenv("MTLS_PKI");
    return option != NULL ? option : variable != NULL && variable[0] != '\0' ? variable : "pki";
}

int cmd_exit(int rc, const struct err *e)
{
    if (rc >= 0) {
        return fflush(stdout) == 0 ? 0 : ERR_ENVIRONMENT;
    }
    log_error(e);
    return e->kind == ERR_NONE ? ERR_ENVIRONMENT : (int)e->kind;
}
