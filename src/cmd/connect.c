// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/file.h"
#include "cmd/connect_options.h"
#include "cmd/connect_show.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

// --- sessions across runs ---

enum { SESSION_MOST = 256 * 1024 };

// No file yet is no session; another file than one of sessions is a mistake, and stays what it is.
static int read_session(const char *path, struct tls_session **session, struct err *e)
{
    struct buf text = {0};
    if (path == NULL || !file_exists(path)) {
        return 0;
    }
    int rc = file_read(path, SESSION_MOST, &text, e);
    if (rc == 0 && text.len > 0) {
        *session = tls_session_read(buf_span(&text), e);
        rc = *session != NULL ? 0 : err_context(e, "%s", path);
    }
    buf_clear(&text);
    return rc;
}

static int write_session(const char *path, const struct tls_session *session, struct err *e)
{
    struct buf text = {0};
    if (path == NULL || session == NULL) {
        return 0;
    }
    tls_session_write(session, &text);
    int rc = file_write(path, buf_span(&text), FILE_SECRET, e);
    buf_clear(&text);
    return rc;
}

// --- the call ---

static struct client_call call_of(const struct connect_options *o)
{
    return (struct client_call){
        .target = &o->target,
        .address = o->address,
        .family = o->family,
        .method = o->method,
        .data = buf_span(&o->data),
        .has_data = o->has_data,
        .headers = o->headers.items,
        .header_count = o->headers.count,
        .timeout_ms = o->timeout * 1000,
        .connect_ms = o->connect_timeout * 1000,
        .most_ms = o->max_time * 1000,
    };
}

static struct tls_context *context_of(const struct connect_options *o, struct err *e)
{
    static const char *alpn[] = {"http/1.1", NULL};
    const struct tls_settings settings = {
        .role = TLS_CLIENT,
        .versions = o->versions,
        .alpn = o->raw ? NULL : alpn,
        .ciphers = o->ciphers,
        .curves = o->curves,
        .sessions = o->session != NULL,
        .verification = o->unsafe_no_verify ? TLS_UNSAFE_NO_VERIFY : TLS_VERIFY,
    };
    return cmd_context(&o->files, settings, e);
}

// Makes the call, and puts what the server says where the options want it.
static int fetch(const struct connect_options *o, struct client_call call, struct client_result *result, struct err *e)
{
    struct connect_show show = {.silent = o->silent, .verbose = o->verbose};
    call.on_handshake = connect_show_server;
    call.on_line = o->verbose || o->include ? connect_show_line : NULL;
    call.arg = &show;
    call.body = o->output != NULL ? fopen(o->output, "wb") : o->json ? NULL : stdout;
    if (o->output != NULL && call.body == NULL) {
        return err_errno(e, "opening %s", o->output);
    }
    show.head = o->include ? call.body : NULL;
    (o->raw ? client_pipe : client_fetch)(&call, result);
    if (o->output != NULL && fclose(call.body) != 0) {
        return err_errno(e, "writing %s", o->output);
    }
    return fflush(stdout) == 0 ? 0 : err_errno(e, "writing to standard output");
}

// What can be said of a refusal beyond its name, from what passed and what we are.
static void diagnose(const struct connect_options *o, const struct client_call *call,
                     const struct client_result *result, const struct observe *observe,
                     struct client_diagnosis *diagnosis)
{
    json_t *authorities = observe_authorities(observe);
    size_t count = json_array_size(authorities);
    const char **names = mem_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = json_string_value(json_array_get(authorities, i));
    }
    bool is_entry = o->files.certificate == NULL && o->files.name != NULL && strchr(o->files.name, '/') == NULL;
    const struct client_asked asked = {.certificate = json_is_array(authorities),
                                       .authorities = names,
                                       .count = count,
                                       .who = is_entry ? o->files.name : NULL};
    client_diagnose(call, result, &asked, clock_now(), diagnosis);
    free(names);
    json_decref(authorities);
}

static int call_once(const struct connect_options *o, struct client_call *call, struct client_result *result,
                     struct client_diagnosis *diagnosis, struct err *e)
{
    struct observe *observe = NULL;
    if (observe_begin(&o->observe, &observe, e) != 0) {
        return -1;
    }
    call->observer = observe_client(observe);
    int rc = fetch(o, *call, result, e);
    diagnose(o, call, result, observe, diagnosis);
    if (observe_end(observe, o->verbose, o->output != NULL && !o->json ? stdout : stderr, e) != 0) {
        rc = -1;
    }
    return rc != 0 ? rc : write_session(o->session, result->session, e);
}

static const int exit_codes[] = {
    [CLIENT_SERVED] = 0,
    [CLIENT_REFUSED_BY_US] = ERR_REFUSED,
    [CLIENT_REFUSED_BY_SERVER] = ERR_REFUSED,
    [CLIENT_FAILED] = ERR_ENVIRONMENT,
};

static int run_once(const struct connect_options *o, struct client_call *call, struct err *e)
{
    struct client_result result = {0};
    struct client_diagnosis diagnosis;
    int code = -1;
    if (call_once(o, call, &result, &diagnosis, e) == 0) {
        connect_show_ending(&result, &diagnosis);
        code = o->fail && result.status >= 400 ? ERR_REFUSED : exit_codes[result.outcome];
        if (o->json && connect_show_json(&result, &diagnosis, e) != 0) {
            code = -1;
        }
    }
    client_result_clear(&result);
    return code;
}

// The exit code is that of the worst call.
static int run_many(const struct connect_options *o, struct client_call *call, struct err *e)
{
    struct client_summary summary = {0};
    int code = -1;
    size_t parallel = o->parallel > 0 ? (size_t)o->parallel : 1;
    if (client_repeat(call, (size_t)o->repeat, parallel, &summary, e) == 0 &&
        write_session(o->session, summary.session, e) == 0) {
        code = 0;
        for (size_t i = 0; i < summary.outcome_count; i++) {
            int one = exit_codes[summary.outcomes[i].outcome];
            code = one > code ? one : code;
        }
        if (!o->json) {
            connect_show_summary(&summary);
        } else if (connect_show_summary_json(&summary, e) != 0) {
            code = -1;
        }
    }
    client_summary_clear(&summary);
    return code;
}

static int run(const struct connect_options *o, struct err *e)
{
    struct tls_session *session = NULL;
    struct client_call call = call_of(o);
    int code = -1;
    call.context = context_of(o, e);
    if (call.context != NULL && read_session(o->session, &session, e) == 0) {
        call.session = session;
        code = (o->repeat > 0 ? run_many : run_once)(o, &call, e);
    }
    tls_session_free(session);
    tls_context_free(call.context);
    return code;
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
