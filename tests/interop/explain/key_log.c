// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server that speaks TLS by OpenSSL and has no key log: it appends one to the file that $KEY_LOG
// names.
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static char path[4096];

// Before the program has a chance to clear its environment.
__attribute__((constructor)) static void read_path(void)
{
    const char *named = getenv("KEY_LOG");
    if (named == NULL) {
        abort();
    }
    snprintf(path, sizeof path, "%s", named);
}

static void log_line(const SSL *ssl, const char *line)
{
    (void)ssl;
    FILE *file = fopen(path, "ae");
    if (file == NULL || fprintf(file, "%s\n", line) < 0 || fclose(file) != 0) {
        abort();
    }
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    typedef SSL_CTX *function(const SSL_METHOD *);
    union {
        void *object;
        function *call;
    } real = {.object = dlsym(RTLD_NEXT, "SSL_CTX_new")};
    SSL_CTX *context = real.call == NULL ? NULL : real.call(method);
    if (context != NULL) {
        SSL_CTX_set_keylog_callback(context, log_line);
    }
    return context;
}
