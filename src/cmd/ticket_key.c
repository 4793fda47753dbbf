// SPDX-License-Identifier: Apache-2.0
// mtls ticket-key: the keys of session tickets that replicas of a server share.
#include "base/args.h"
#include "base/clock.h"
#include "cmd/cmd.h"

#include <stdio.h>

enum { SPREAD = 600 }; // seconds that a fleet has to read a new key before one of it seals with it

int cmd_ticket_key(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct arg_list operands = {0};
    bool from_now = false;
    char text[CLOCK_TEXT];
    const struct arg_option options[] = {
        {"from-now", 0, ARG_FLAG, NULL, "the new key seals at once, not in 10 minutes: when every server has the file",
         &from_now},
        {0},
    };
    const struct arg_command command = {
        .usage = "ticket-key [--from-now] FILE",
        .summary = "Makes a file of session ticket keys, or adds a new key to it and drops those that nothing needs.",
        .operands = "FILE",
        .least = 1,
        .most = 1,
        .options = options,
        .examples = "  mtls ticket-key /etc/mtls/tickets      # then copy it to every server of the fleet\n",
    };
    int code = args_parse(&command, argc, argv, &operands, &e);
    if (code == 0) {
        int64_t now = clock_now();
        int64_t from = now + (from_now ? 0 : SPREAD);
        code = tls_ticket_keys_rotate(operands.items[0], &from, now, &e);
        if (code == 0) {
            printf("%s: the new key seals from %s on\n", operands.items[0], clock_rfc3339(from, text));
        }
    }
    arg_list_clear(&operands);
    return cmd_exit(code, &e);
}
