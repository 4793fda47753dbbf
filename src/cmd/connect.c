// SPDX-License-Identifier: Apache-2.0
#include "cmd/connect_options.h"
#include "cmd/connect_show.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static int call(const struct connect_options *options, struct client_result *result, struct err *e)
{
    static const char *alpn[] = {"http/1.1", NULL};
    struct client_call call = {
        .target = &options->target,
        .address = options->address,
        .method = options->method,
        .data = buf_span(&options->data),
        .has_data = options->has_data,
        .timeout_ms = options->timeout * 1000,
        .on_handshake = connect_show_server,
    };
    struct observe *observe = NULL;
    int rc = -1;
    call.context = cmd_context(&options->files, TLS_CLIENT, options->versions, options->raw ? NULL : alpn, e);
    if (call.context == NULL || observe_begin(&options->observe, &observe, e) != 0) {
        goto out;
    }
    call.observer = observe_client(observe);
    call.body = options->output != NULL ? fopen(options->output, "wb") : options->json ? NULL : stdout;
    if (options->output != NULL && call.body == NULL) {
        err_errno(e, "opening %s", options->output);
        goto out;
    }
    (options->raw ? client_pipe : client_fetch)(&call, result);
    rc = 0;
out:
    if (options->output != NULL && call.body != NULL && fclose(call.body) != 0) {
        rc = err_errno(e, "writing %s", options->output);
    }
    fflush(stdout);
    if (observe_end(observe, false, options->output != NULL && !options->json ? stdout : stderr, e) != 0) {
        rc = -1;
    }
    tls_context_free(call.context);
    return rc;
}

static int run(const struct connect_options *options, struct err *e)
{
    static const int exit_codes[] = {
        [CLIENT_SERVED] = 0,
        [CLIENT_REFUSED_BY_US] = ERR_REFUSED,
        [CLIENT_REFUSED_BY_SERVER] = ERR_REFUSED,
        [CLIENT_FAILED] = ERR_ENVIRONMENT,
    };
    struct client_result result = {0};
    int rc = call(options, &result, e);
    if (rc == 0) {
        fflush(stdout);
        connect_show_ending(&result);
        rc = options->json ? connect_show_json(&result, e) : 0;
    }
    int code = exit_codes[result.outcome];
    client_result_clear(&result);
    return rc != 0 ? -1 : code;
}

int cmd_connect(int argc, char **argv)
{
    struct connect_options options;
    struct err e = ERR_INIT;
    signal(SIGPIPE, SIG_IGN); // a closed output is an error to report, not a reason to die
    int rc = connect_options_parse(argc, argv, &options, &e);
    int code = rc == 0 ? run(&options, &e) : rc == ARGS_HELP ? 0 : -1;
    connect_options_clear(&options);
    return err_is_set(&e) ? cmd_exit(-1, &e) : code;
}
