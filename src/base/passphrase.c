// SPDX-License-Identifier: Apache-2.0
#include "base/passphrase.h"

#include "base/file.h"

#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LONGEST = 1024 };

static int first_line(const char *file, struct buf *out, struct err *e)
{
    struct buf text = {0};
    int rc = file_read(file, 64 * 1024, &text, e);
    if (rc == 0 && text.len > 0) {
        buf_add(out, text.data, strcspn((char *)text.data, "\r\n"));
    }
    buf_clear(&text);
    return rc;
}

// Asks on the terminal itself, so that standard input and output stay free for data.
static int ask(FILE *terminal, const char *prompt, struct buf *out, struct err *e)
{
    struct termios before;
    char line[LONGEST];
    if (tcgetattr(fileno(terminal), &before) != 0) {
        return err_errno(e, "asking for a passphrase");
    }
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    fprintf(terminal, "%s: ", prompt);
    fflush(terminal);
    bool answered = fgets(line, sizeof line, terminal) != NULL;
    tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    fputc('\n', terminal);
    if (answered) {
        buf_add(out, line, strcspn(line, "\r\n"));
    }
    mbedtls_platform_zeroize(line, sizeof line);
    return answered ? 0 : err_set(e, "no passphrase was given");
}

static int ask_terminal(const char *variable, const char *prompt, bool confirm, struct buf *out, struct err *e)
{
    struct buf again = {0};
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (terminal == NULL) {
        return err_set(e, "the %s is needed and there is no terminal to ask on; give it in a file or in $%s", prompt,
                       variable);
    }
    int rc = ask(terminal, prompt, out, e);
    if (rc == 0 && confirm) {
        rc = ask(terminal, "the same again", &again, e);
    }
    if (rc == 0 && confirm &&
        (again.len != out->len || (out->len > 0 && memcmp(again.data, out->data, out->len) != 0))) {
        rc = err_set(e, "the two passphrases differ");
    }
    buf_clear(&again);
    fclose(terminal);
    return rc;
}

int passphrase_get(const char *file, const char *variable, const char *prompt, bool confirm, struct buf *out,
                   struct err *e)
{
    const char *value = getenv(variable);
    int rc = 0;
    buf_add(out, "", 0);
    if (file != NULL) {
        rc = first_line(file, out, e);
    } else if (value != NULL) {
        buf_text(out, value);
    } else {
        rc = ask_terminal(variable, prompt, confirm, out, e);
    }
    if (rc == 0 && out->len == 0) {
        rc = err_set(e, "the passphrase from %s is empty",
                     file != NULL    ? file
                     : value != NULL ? variable
                                     : "the terminal");
    }
    return rc;
}
