// SPDX-License-Identifier: Apache-2.0
#include "base/args.h"
#include "base/print.h"
#include "cmd/cmd.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>

static long long number(const json_t *json, const char *key)
{
    return (long long)json_number_value(json_object_get(json, key));
}

static void print_reloaded(const json_t *json)
{
    long long kept = number(json, "kept");
    printf("generation %lld: %lld connection%s kept, %lld closed\n", number(json, "generation"), kept,
           plural((size_t)kept), number(json, "closed"));
}

static void print_status(const json_t *json)
{
    const char *failed = json_string_value(json_object_get(json, "failed"));
    long long connections = number(json, "connections");
    printf("generation %lld, %lld connection%s, %lld worker%s, up for %lld s\n", number(json, "generation"),
           connections, plural((size_t)connections), number(json, "workers"), plural((size_t)number(json, "workers")),
           number(json, "uptime"));
    if (failed != NULL) {
        printf("the last reload failed: %s\n", failed);
    }
}

static int report(const struct buf *answer, bool is_status, bool as_json, struct err *e)
{
    json_t *json = json_loadb((const char *)answer->data, answer->len, 0, NULL);
    const char *error = json_string_value(json_object_get(json, "error"));
    int rc = 0;
    if (json == NULL) {
        return err_set(e, "the server's answer is not JSON");
    }
    if (error != NULL) {
        rc = err_refused(e, "%s", error);
        json_decref(json);
        return rc;
    }
    if (as_json) {
        return json_print(stdout, json, e);
    }
    (is_status ? print_status : print_reloaded)(json);
    json_decref(json);
    return rc;
}

int cmd_reload(int argc, char **argv)
{
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    struct buf answer = {0};
    const char *control = NULL;
    bool status = false;
    bool as_json = false;
    long port = 8443;
    const struct arg_option options[] = {
        {"port", 'p', ARG_NUMBER, "PORT", "of the server (default: 8443)", &port},
        {"control", 0, ARG_TEXT, "PATH", "of its control socket, where that is not the port's own", &control},
        {"status", 0, ARG_FLAG, NULL, "change nothing; say which generation it serves, and to how many", &status},
        {"json", 0, ARG_FLAG, NULL, "for scripts", &as_json},
        {0},
    };
    const struct arg_command command = {
        .usage = "reload [--port PORT | --control PATH] [--status] [--json]",
        .summary = "Makes a running server read its files again and judge everybody who is connected again. Says how "
                   "many were kept and closed when that is done; if a file is bad, the server goes on with what it "
                   "had, and the exit code is 1.",
        .options = options,
        .examples = "  mtls reload\n  mtls reload --port 9443 --status --json\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0 && port > 65535) {
        rc = err_usage(&e, "--port takes a number up to 65535, not %ld", port);
    }
    if (rc == 0) {
        rc = server_ask(control, (unsigned)port, status ? "status" : "reload", &answer, &e);
    }
    if (rc == 0) {
        rc = report(&answer, status, as_json, &e);
    }
    buf_clear(&answer);
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
