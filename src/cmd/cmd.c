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
    struct err unwritten = ERR_INIT;
    if (rc >= 0 && fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    if (rc >= 0) {
        err_errno(&unwritten, "writing standard output");
        e = &unwritten;
    }
    log_error(e);
    return e->kind == ERR_NONE ? ERR_ENVIRONMENT : (int)e->kind;
}
