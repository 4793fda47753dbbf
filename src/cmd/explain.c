// SPDX-License-Identifier: Apache-2.0
// mtls explain: a capture of anybody's connection, told in nine steps.
#include "base/args.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/print.h"
#include "cmd/cmd.h"
#include "explain/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80 };

struct explain_options {
    const char *keys;
    const char *drawing; // a file
    long connection;     // 0: not said
    bool json, verbose;
};

static int read_keys(const char *path, struct explain_keys *keys, struct err *e)
{
    enum { KEY_LOG_MOST = 64 * 1024 * 1024 };
    struct buf text = {0};
    int rc = path == NULL ? 0 : file_read(path, KEY_LOG_MOST, &text, e);
    if (path != NULL && rc == 0 && explain_keys_read(keys, buf_span(&text)) == 0) {
        fprintf(stderr, "mtls: there is no secret in %s: only what is visible is told\n", path); // as after a refusal
    }
    buf_clear(&text);
    return rc;
}

static json_t *connection_json(const struct capture *capture, size_t i)
{
    char when[CLOCK_TEXT];
    const struct capture_connection *c = &capture->connections[i];
    return json_pack("{s:i, s:s, s:s, s:s}", "connection", (int)i + 1, "client", c->addresses[EXPLAIN_CLIENT], "server",
                     c->addresses[EXPLAIN_SERVER], "start", clock_rfc3339_ms(c->start_us / 1000, when));
}

static json_t *with_story(json_t *connection, const struct explain_story *story, bool verbose)
{
    json_t *told = explain_json(story, verbose);
    json_object_update(connection, told);
    json_decref(told);
    return connection;
}

// All of them, for choosing one.
static int list(const struct capture *capture, const struct explain_options *o, struct err *e)
{
    json_t *array = json_array();
    struct table table;
    table_init(&table, 5);
    static const char *const heads[] = {"NUMBER", "CLIENT", "SERVER", "NAME", "HANDSHAKE"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        table_add(&table, COLOUR_NONE, heads[i]);
    }
    for (size_t i = 0; i < capture->count; i++) {
        const struct capture_connection *c = &capture->connections[i];
        struct explain_story story;
        char number[24];
        explain_story_init(&story, c->explain);
        snprintf(number, sizeof number, "%zu", i + 1);
        table_add(&table, COLOUR_NONE, number);
        table_add(&table, COLOUR_NONE, c->addresses[EXPLAIN_CLIENT]);
        table_add(&table, COLOUR_NONE, c->addresses[EXPLAIN_SERVER]);
        table_add(&table, COLOUR_NONE, explain_facts(c->explain)->name);
        table_add(&table, story.failed != 0 ? COLOUR_RED : COLOUR_NONE,
                  story.failed != 0 ? (const char *)story.verdict.data : (const char *)story.kind.data);
        json_array_append_new(array, with_story(connection_json(capture, i), &story, o->verbose));
        explain_story_clear(&story);
    }
    int rc = 0;
    if (o->json) {
        rc = json_print(stdout, json_pack("{s:O}", "connections", array), e);
    } else {
        table_print(&table, stdout);
        fprintf(stderr, "choose one with --connection NUMBER\n");
    }
    json_decref(array);
    table_clear(&table);
    return rc;
}

static int draw(const struct explain_story *story, const char *path, struct err *e)
{
    struct buf drawing = {0};
    explain_svg(story, &drawing);
    int rc = file_write(path, buf_span(&drawing), FILE_PUBLIC, e);
    buf_clear(&drawing);
    return rc;
}

static int tell(const struct capture *capture, size_t i, const struct explain_options *o, struct err *e)
{
    const struct capture_connection *c = &capture->connections[i];
    struct explain_story story;
    int rc = 0;
    explain_story_init(&story, c->explain);
    if (o->drawing != NULL) {
        rc = draw(&story, o->drawing, e);
    } else if (o->json) {
        rc = json_print(stdout, with_story(connection_json(capture, i), &story, o->verbose), e);
    } else {
        char *client = mem_printf("Connection %zu of %zu: client %s,", i + 1, capture->count, c->addresses[0]);
        bool fits = strlen(client) + strlen(" server ") + strlen(c->addresses[1]) <= WIDTH;
        printf("%s%sserver %s\n", client, fits ? " " : "\n", c->addresses[1]);
        free(client);
        explain_text(&story, o->verbose, stdout);
    }
    explain_story_clear(&story);
    return rc;
}

static int run(const struct explain_options *o, const char *path, struct err *e)
{
    struct explain_keys *keys = explain_keys_new();
    struct capture *capture = NULL;
    int rc = -1;
    FILE *file = NULL;
    if (read_keys(o->keys, keys, e) != 0) {
        goto out;
    }
    file = fopen(path, "rbe");
    if (file == NULL) {
        err_set(e, "opening %s: %s", path, strerror(errno));
        goto out;
    }
    capture = capture_read(file, keys, e);
    if (capture == NULL) {
        err_context(e, "%s", path);
        goto out;
    }
    if (capture->stopped != NULL) {
        fprintf(stderr, "mtls: %s was not read to its end: %s\n", path, capture->stopped);
    }
    size_t chosen = o->connection > 0 ? (size_t)o->connection : 1;
    if (capture->count == 0) {
        err_set(e, "%s: no connection in it begins with a ClientHello (%zu other%s of TCP)", path, capture->other,
                plural(capture->other));
    } else if (chosen > capture->count) {
        err_usage(e, "--connection %zu: there are only %zu in %s", chosen, capture->count, path);
    } else if (capture->count > 1 && o->connection == 0 && o->drawing != NULL) {
        err_usage(e, "--svg draws one connection, and there are %zu in %s: choose one with --connection NUMBER",
                  capture->count, path);
    } else {
        rc = capture->count > 1 && o->connection == 0 ? list(capture, o, e) : tell(capture, chosen - 1, o, e);
    }
out:
    capture_free(capture);
    explain_keys_free(keys);
    return rc;
}

int cmd_explain(int argc, char **argv)
{
    struct explain_options o = {0};
    struct arg_list operands = {0};
    struct err e = ERR_INIT;
    const struct arg_option options[] = {
        {"keys", 'k', ARG_TEXT, "FILE", "the key log (SSLKEYLOGFILE) of the client or the server", &o.keys},
        {"connection", 0, ARG_NUMBER, "NUMBER", "which one, from 1, if there are several: without it they are listed",
         &o.connection},
        {"svg", 0, ARG_TEXT, "FILE", "a drawing instead of text; -: standard output", &o.drawing},
        {"json", 0, ARG_FLAG, NULL, "for scripts (docs/explain.md)", &o.json},
        {"verbose", 'v', ARG_FLAG, NULL, "with the octets of each message, each field's beside its name", &o.verbose},
        {0},
    };
    const struct arg_command command = {
        .usage = "explain CAPTURE [--keys FILE] [--connection NUMBER] [--json | --svg FILE] [-v]",
        .summary = "Tells a captured TLS handshake (pcap or pcapng) in the nine steps of the classic description, and\n"
                   "what a modern one does instead. Without keys, what is encrypted is only counted.",
        .operands = "the capture file",
        .least = 1,
        .most = 1,
        .options = options,
        .examples = "  mtls explain handshake.pcapng --keys sslkeys.log\n"
                    "  mtls explain handshake.pcapng --keys sslkeys.log --connection 2 --json | jq .failed_step\n"
                    "  mtls explain handshake.pcapng --keys sslkeys.log --svg handshake.svg\n",
    };
    int rc = args_parse(&command, argc, argv, &operands, &e);
    if (rc == 0 && o.json && o.drawing != NULL) {
        err_usage(&e, "--json and --svg do not go together");
        rc = -1;
    }
    if (rc == 0) {
        rc = run(&o, operands.items[0], &e);
    }
    arg_list_clear(&operands);
    return cmd_exit(rc, &e);
}
