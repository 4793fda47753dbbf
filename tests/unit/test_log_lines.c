// SPDX-License-Identifier: Apache-2.0
// server/log_lines.c and base/log.c: one line an event, whatever is in it; JSON that is JSON. The lines of connections
// are read by tests/e2e/config.bats.
#include "run.h"
#include "server/config_internal.h"
#include "server/log_lines.h"

#include <fcntl.h>
#include <jansson.h>

// What is written to standard error between these two, in r->out.
static int before;

static void capture_begin(struct run *r, enum log_format format)
{
    char path[256];
    snprintf(path, sizeof path, "%s/stderr", r->dir);
    fflush(stderr);
    before = dup(STDERR_FILENO);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(before >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    log_format_set(format);
}

static void capture_end(struct run *r)
{
    log_format_set(LOG_TEXT);
    fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    buf_clear(&r->out);
    run_read(r, "stderr", &r->out);
}

// Each line without its time: "2026-11-23T14:00:00.123Z " or what JSON begins with.
static void without_times(struct run *r, enum log_format format, struct buf *text)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z";
    size_t skip = format == LOG_JSON ? strlen("{\"time\":\"") : 0;
    for (char *line = (char *)r->out.data, *end = NULL; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        for (size_t i = 0; i < strlen(shape); i++) {
            char c = line[skip + i];
            assert_int_equal(c >= '0' && c <= '9' ? '0' : c, shape[i]);
        }
        const char *rest = line + skip + strlen(shape) + (format == LOG_JSON ? strlen("\",") : strlen(" "));
        buf_add(text, rest, (size_t)(end + 1 - rest));
    }
}

static void log_all(void)
{
    struct server_config config = {.name = (char *)"server\xff.yaml", .host = (char *)"localhost"};
    struct config_memory none = {0}; // no rule was written
    struct err e = ERR_INIT;
    err_set(&e, "f.yaml:1: \"a\"\nf.yaml:2: b\xff\n(and 3 more)");
    config.memory = &none;
    log_line_listening(&config, "127.0.0.1:1, [::1]:1");
    log_line_denied("127.0.0.1:2",
                    &(struct trust_verdict){.reason = REASON_not_allowed, .detail = "rule 1 denies GET /"});
    log_line_limit("127.0.0.1:2", "limits.idle", "a response was not taken");
    log_line_reloaded(7, 2, 1, "");
    log_line_reloaded(8, 1, 0, "listen, threads");
    log_line_reload_failed(8, &e);
    log_line_stopping("SIGTERM", 1);
    log_event("what %s", "happened");
}

static void test_text(void **state)
{
    struct run *r = *state;
    struct buf text = {0};
    capture_begin(r, LOG_TEXT);
    log_all();
    capture_end(r);
    without_times(r, LOG_TEXT, &text);
    assert_string_equal((char *)text.data,
                        "listening on 127.0.0.1:1, [::1]:1 as localhost, by the server\xff.yaml; 0 rules decide who is "
                        "allowed\n"
                        "127.0.0.1:2 denied not_allowed: rule 1 denies GET /\n"
                        "127.0.0.1:2 limit limits.idle: a response was not taken\n"
                        "reloaded: generation 7, 2 connections judged again, 1 refused\n"
                        "reloaded: generation 8, 1 connection judged again, 0 refused; a restart is needed for listen, "
                        "threads\n"
                        "reload_failed: generation 8 goes on: f.yaml:1: \"a\"; f.yaml:2: b\xff; (and 3 more)\n"
                        "stopping: SIGTERM, 1 connection open\n"
                        "what happened\n");
    buf_clear(&text);
}

static void test_json(void **state)
{
    struct run *r = *state;
    struct buf text = {0};
    capture_begin(r, LOG_JSON);
    log_all();
    capture_end(r);
    without_times(r, LOG_JSON, &text);
    assert_string_equal(
        (char *)text.data,
        "\"event\":\"listening\",\"host\":\"localhost\",\"addresses\":\"127.0.0.1:1, [::1]:1\",\"configuration\":"
        "\"server\\\\xFF.yaml\",\"allowed\":\"0 rules decide who is allowed\"}\n"
        "\"event\":\"denied\",\"peer\":\"127.0.0.1:2\",\"reason\":\"not_allowed\",\"detail\":\"rule 1 denies GET /\"}\n"
        "\"event\":\"limit\",\"peer\":\"127.0.0.1:2\",\"limit\":\"limits.idle\",\"detail\":\"a response was not "
        "taken\"}\n"
        "\"event\":\"reloaded\",\"generation\":7,\"needs_restart\":\"\",\"judged\":2,\"refused\":1}\n"
        "\"event\":\"reloaded\",\"generation\":8,\"needs_restart\":\"listen, threads\",\"judged\":1,\"refused\":0}\n"
        "\"event\":\"reload_failed\",\"generation\":8,\"detail\":\"f.yaml:1: \\\"a\\\"; f.yaml:2: b\\\\xFF; (and 3 "
        "more)\"}\n"
        "\"event\":\"stopping\",\"why\":\"SIGTERM\",\"connections\":1}\n"
        "\"event\":\"message\",\"message\":\"what happened\"}\n");
    buf_clear(&text);
}

// Programs read these lines: what they may hold is written down.
static void test_members_are_documented(void **state)
{
    struct run *r = *state;
    struct buf docs = {0};
    struct err e = ERR_INIT;
    assert_works(file_read(MTLS_SOURCE_DIR "/docs/server.md", FILE_LIMIT, &docs, &e), &e);
    capture_begin(r, LOG_JSON);
    log_all();
    log_warning("careful");
    err_set(&e, "wrong");
    log_error(&e);
    capture_end(r);
    for (char *line = strtok((char *)r->out.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, 0, NULL);
        const char *key = NULL;
        json_t *value = NULL;
        assert_non_null(object);
        char *row = mem_printf("`%s`", json_string_value(json_object_get(object, "event")));
        const char *found = strstr((char *)docs.data, row);
        assert_non_null(found);
        json_object_foreach(object, key, value)
        {
            char *member = mem_printf("`%s`", key);
            if (strstr((char *)docs.data, member) == NULL) {
                fail_msg("docs/server.md does not tell of the member %s", member);
            }
            free(member);
        }
        free(row);
        json_decref(object);
    }
    buf_clear(&docs);
}

static int begin(void **state)
{
    struct run *r = mem_alloc(sizeof *r);
    run_begin(r);
    *state = r;
    return 0;
}

static int end(void **state)
{
    struct run *r = *state;
    run_end(r);
    free(r);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_members_are_documented),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
