// SPDX-License-Identifier: Apache-2.0
// A folder with a PKI, and mistakes to point at; configurations in it.
#ifndef MTLS_TESTS_CONFIG_FIXTURE_H
#define MTLS_TESTS_CONFIG_FIXTURE_H

#include "base/file.h"
#include "pki_fixture.h"
#include "server/config.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANY "rules: [{allow: any-verified}]\n"

static inline void put(const char *name, const char *text)
{
    struct err e = ERR_INIT;
    assert_works(file_write(name, span_of(text, strlen(text)), FILE_SECRET, &e), &e);
}

static inline int begin(void **state)
{
    struct err e = ERR_INIT;
    fixture_begin(state);
    struct fixture *f = *state;
    assert_works(fixture_apply(f,
                               "authorities: [{name: root}]\nservers: [{name: localhost, issuer: root, names: "
                               "[localhost]}, {name: other, issuer: root, names: [other]}]\nclients: [{name: alice, "
                               "issuer: root}]\nflaws: {issuer: root, cases: [expired]}\n",
                               false, false, &e),
                 &e);
    assert_int_equal(chdir(f->run.dir), 0); // so that messages have the same paths everywhere
    unsetenv("MTLS_PKI");
    unsetenv("SSLKEYLOGFILE");
    put("garbage.pem", "garbage\n");
    put("tickets.bad", "mtls-ticket-key 2 00 00 2026-01-01T00:00:00Z\n");
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(mkdir("folder/sub", 0755), 0);
    return 0;
}

static inline int end(void **state)
{
    assert_int_equal(chdir("/"), 0);
    return fixture_end(state);
}

static inline struct server_config *read_good(const struct server_source *source)
{
    struct err e = ERR_INIT;
    struct server_config *config = server_config_read(source, &e);
    if (config == NULL) {
        fail_msg("%s", e.text);
    }
    return config;
}

static inline struct server_config *read_file(const char *text)
{
    struct server_source source = SERVER_SOURCE_INIT;
    put("f.yaml", text);
    source.file = "f.yaml";
    return read_good(&source);
}

// Reading it must fail with exactly these lines.
static inline void assert_problems(struct server_source *source, const char *expected, enum err_kind kind)
{
    struct err e = ERR_INIT;
    struct buf problems = {0};
    source->problems = &problems;
    struct server_config *config = server_config_read(source, &e);
    if (config != NULL || problems.len == 0) {
        fail_msg("it was read, where this was due: %s", expected);
    }
    problems.data[--problems.len] = '\0'; // the last newline
    assert_string_equal((const char *)problems.data, expected);
    assert_int_equal(e.kind, kind);
    if (problems.len < sizeof e.text - 32) {
        assert_string_equal(e.text, expected);
    }
    source->problems = NULL;
    buf_clear(&problems);
}

#endif
