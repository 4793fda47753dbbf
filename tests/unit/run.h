// SPDX-License-Identifier: Apache-2.0
// Tools that nobody here wrote (openssl, certtool, keytool) as judges: a temporary directory, files in it, commands
// run there, and what they said.
#ifndef MTLS_TESTS_RUN_H
#define MTLS_TESTS_RUN_H

#include "base/file.h"
#include "base/text.h"
#include "tests/temporary.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    char dir[TEMPORARY_PATH];
    struct buf out; // stdout and stderr of the last command
};

static inline void run_begin(struct run *r)
{
    *r = (struct run){0};
    assert_true(temporary_make(r->dir));
}

static inline void run_end(struct run *r)
{
    struct err e = ERR_INIT;
    assert_works(file_remove_tree(r->dir, &e), &e);
    buf_clear(&r->out);
}

static inline void run_file(struct run *r, const char *name, struct span data)
{
    struct err e = ERR_INIT;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    assert_works(file_write(path, data, FILE_SECRET, &e), &e);
}

static inline void run_read(struct run *r, const char *name, struct buf *data)
{
    struct err e = ERR_INIT;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    assert_works(file_read(path, FILE_LIMIT, data, &e), &e);
}

// Runs a shell command in the directory and returns its exit status.
static inline __attribute__((format(printf, 2, 3))) int run(struct run *r, const char *fmt, ...)
{
    struct buf command = {0};
    char chunk[4096];
    size_t n;
    va_list ap;
    char *line = NULL;
    va_start(ap, fmt);
    assert_true(vasprintf(&line, fmt, ap) >= 0);
    va_end(ap);
    buf_printf(&command, "cd %s && { %s ; } 2>&1 </dev/null", r->dir, line);
    free(line);
    buf_clear(&r->out);
    buf_add(&r->out, "", 0);
    FILE *pipe = popen((const char *)command.data, "r");
    assert_non_null(pipe);
    while ((n = fread(chunk, 1, sizeof chunk, pipe)) > 0) {
        buf_add(&r->out, chunk, n);
    }
    int status = pclose(pipe);
    buf_clear(&command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Is there such a tool? Says aloud that a test is skipped if not.
static inline bool run_has(struct run *r, const char *tool)
{
    if (run(r, "command -v %s", tool) == 0) {
        return true;
    }
    print_message("SKIPPED: %s is not installed here\n", tool);
    return false;
}

#define assert_runs(r, ...)                                                                                            \
    do {                                                                                                               \
        int run_status = run((r), __VA_ARGS__);                                                                        \
        if (run_status != 0) {                                                                                         \
            fail_msg("exit status %d, output:\n%s", run_status, (const char *)(r)->out.data);                          \
        }                                                                                                              \
    } while (0)

#define assert_says(r, text)                                                                                           \
    do {                                                                                                               \
        if (strstr((const char *)(r)->out.data, (text)) == NULL) {                                                     \
            fail_msg("no \"%s\" in:\n%s", (text), (const char *)(r)->out.data);                                        \
        }                                                                                                              \
    } while (0)

#define assert_says_not(r, text)                                                                                       \
    do {                                                                                                               \
        if (strstr((const char *)(r)->out.data, (text)) != NULL) {                                                     \
            fail_msg("\"%s\" in:\n%s", (text), (const char *)(r)->out.data);                                           \
        }                                                                                                              \
    } while (0)

// Hands every prefix of `whole`, and copies of it with one octet changed in several ways, to a reader, which must come
// back from each (the sanitizers watch). `step`: each octet, or every step-th one of what is long.
typedef void reader(struct span data);
static inline void survive(struct span whole, size_t step, reader *read)
{
    static const uint8_t changes[] = {0x00, 0xff, 0x80, 0x7f, 0x01};
    for (size_t len = 0; len < whole.len; len += step) {
        uint8_t *exact = mem_alloc(len); // so that reading behind it is seen
        memcpy(exact, whole.data, len);
        read(span_of(exact, len));
        free(exact);
    }
    uint8_t *copy = mem_alloc(whole.len);
    memcpy(copy, whole.data, whole.len);
    for (size_t i = 0; i < whole.len; i += step) {
        for (size_t k = 0; k < sizeof changes + 1; k++) {
            copy[i] = k < sizeof changes ? changes[k] : (uint8_t)(whole.data[i] ^ 0x20);
            read(span_of(copy, whole.len));
        }
        copy[i] = whole.data[i];
    }
    free(copy);
}

#endif
