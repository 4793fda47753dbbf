// SPDX-License-Identifier: Apache-2.0
// The one way in which errors travel: a function that can fail returns int (0 or -1) or a pointer (or NULL) and
// takes a last parameter `struct err *e`. The first, most specific failure is kept; callers add context around it,
// outermost first: "reading configs/pki.yaml: clients[2].key: unknown key type".
#ifndef MTLS_BASE_ERR_H
#define MTLS_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

// What kind of failure it is; the value is the exit code of the program.
enum err_kind {
    ERR_NONE = 0,
    ERR_REFUSED = 1,     // a check was made and its answer is no
    ERR_USAGE = 2,       // the command line asks for something that does not exist
    ERR_ENVIRONMENT = 3, // a file, a socket, a peer or the input in a file is not as it must be
};

struct err {
    enum err_kind kind;
    char text[1024]; // one sentence, lower case, no full stop; cut at a character when it is too long
};

#define ERR_INIT                                                                                                       \
    {                                                                                                                  \
        .kind = ERR_NONE, .text = ""                                                                                   \
    }

// Each sets the error if none is set yet, and returns -1 so that `return err_set(e, ...)` reads well.
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_usage(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_refused(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// As err_set, with ": " and the words for errno added.
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// As err_set, with ": " and the words for an mbedTLS error code added: the only place where such codes become words.
int err_mbedtls(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// Puts "context: " before the text of an error that is set. Returns -1.
int err_context(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *e);
static inline bool err_is_set(const struct err *e)
{
    return e->kind != ERR_NONE;
}

#endif
