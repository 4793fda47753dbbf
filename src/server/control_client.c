// SPDX-License-Identifier: Apache-2.0
// The other end of the control socket: one question, one answer.
#include "base/mem.h"
#include "server/control_path.h"
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 120, ANSWER_MOST = 65536 };

static int say(int fd, const char *question)
{
    char line[64];
    int len = snprintf(line, sizeof line, "%s\n", question);
    return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -1;
}

// The answer ends where the connection does.
static int hear(int fd, struct buf *answer)
{
    ssize_t n = 1;
    while (n > 0 && answer->len < ANSWER_MOST) {
        char piece[4096];
        n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && errno == EINTR) {
            n = 1;
        } else if (n > 0) {
            buf_add(answer, piece, (size_t)n);
        }
    }
    return n < 0 ? -1 : 0;
}

static int ask(const char *path, const char *question, struct buf *answer, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (strlen(path) >= sizeof address.sun_path) {
        return err_set(e, "%s is too long for the path of a socket", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_errno(e, "making a socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int rc = 0;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        bool absent = errno == ENOENT || errno == ECONNREFUSED;
        rc = absent ? err_set(e, "no server answers at %s", path) : err_errno(e, "%s", path);
    } else if (say(fd, question) != 0 || hear(fd, answer) != 0) {
        rc = err_errno(e, "asking the server at %s", path);
    } else if (answer->len == 0) {
        rc = err_set(e, "the server at %s ended before it answered", path);
    }
    close(fd);
    return rc;
}

int server_ask(const char *path, unsigned port, const char *question, struct buf *answer, struct err *e)
{
    struct err missing = ERR_INIT;
    char *own = path == NULL ? control_path(port, false, &missing) : mem_strdup(path);
    int rc = own != NULL ? ask(own, question, answer, e)
                         : err_set(e, "no server answers on port %u: %s", port, missing.text);
    free(own);
    return rc;
}
