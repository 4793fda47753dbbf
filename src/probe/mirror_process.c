// SPDX-License-Identifier: Apache-2.0
// The client whose judgement is tried: a command of somebody else's, run without a shell and for a bounded time.
#include "probe/mirror_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

static char *replace(const char *text, const struct mirror_word *words)
{
    struct buf out = {0};
    buf_text(&out, "");
    while (*text != '\0') {
        const struct mirror_word *w = words;
        size_t len = 0;
        for (; w->name != NULL; w++) {
            len = strlen(w->name);
            if (text[0] == '{' && strncmp(text + 1, w->name, len) == 0 && text[1 + len] == '}') {
                break;
            }
        }
        if (w->name != NULL) {
            buf_text(&out, w->value);
            text += len + 2;
        } else {
            buf_add(&out, text++, 1);
        }
    }
    return (char *)out.data;
}

static char **copy_command(const char *const *command, const struct mirror_word *words)
{
    size_t count = 0;
    while (command[count] != NULL) {
        count++;
    }
    char **argv = mem_array(count + 1, sizeof *argv);
    for (size_t i = 0; i < count; i++) {
        argv[i] = replace(command[i], words);
    }
    return argv;
}

// A proxy would be asked to call our loopback address, which is not its own.
static char **without_proxies(void)
{
    static const char *const proxies[] = {"http_proxy=", "https_proxy=", "all_proxy="};
    size_t count = 0;
    size_t kept = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **copy = mem_array(count + 1, sizeof *copy); // of borrowed texts
    for (size_t i = 0; i < count; i++) {
        bool proxy = false;
        for (size_t k = 0; k < sizeof proxies / sizeof proxies[0]; k++) {
            proxy = proxy || strncasecmp(environ[i], proxies[k], strlen(proxies[k])) == 0;
        }
        if (!proxy) {
            copy[kept++] = environ[i];
        }
    }
    return copy;
}

static int spawn(struct mirror_process *p, char **argv, char **environment, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                 POSIX_SPAWN_SETSIGDEF); // a group of its own
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    int failure = posix_spawnp(&p->pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

int mirror_process_start(struct mirror_process *p, const char *const *command, const struct mirror_word *words,
                         struct err *e)
{
    int ends[2];
    *p = (struct mirror_process){.output = -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return err_set(e, "making a pipe: %s", strerror(errno));
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    char **argv = copy_command(command, words);
    char **environment = without_proxies();
    int failure = spawn(p, argv, environment, ends[1]);
    close(ends[1]);
    p->output = ends[0];
    if (failure != 0) {
        close(p->output);
        p->output = -1;
        p->pid = 0;
        err_set(e, "running %s: %s", argv[0], strerror(failure));
    }
    for (size_t i = 0; argv[i] != NULL; i++) {
        free(argv[i]);
    }
    free(argv);
    free(environment);
    return failure == 0 ? 0 : -1;
}

static void take_output(struct mirror_process *p)
{
    char part[MIRROR_SAID];
    for (ssize_t n; (n = read(p->output, part, sizeof part)) > 0;) {
        size_t len = (size_t)n;
        size_t keep = p->said_len + len <= sizeof p->said ? p->said_len : sizeof p->said - len;
        memmove(p->said, p->said + p->said_len - keep, keep);
        memcpy(p->said + keep, part, len);
        p->said_len = keep + len;
    }
}

void mirror_process_look(struct mirror_process *p)
{
    take_output(p);
    if (!p->ended && waitpid(p->pid, &p->status, WNOHANG) == p->pid) {
        p->ended = true;
        take_output(p);
    }
}

void mirror_process_stop(struct mirror_process *p)
{
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL); // what it has left behind, too
        if (!p->ended) {
            waitpid(p->pid, &p->status, 0);
        }
        close(p->output);
    }
    p->pid = 0;
    p->output = -1;
}
