// SPDX-License-Identifier: Apache-2.0
#include "probe/command.h"

#include "base/mem.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t pid, struct err *e)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return err_errno(e, "waiting for the command");
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0
           : WIFEXITED(status) ? err_set(e, "the command failed, exit status %d", WEXITSTATUS(status))
                               : err_set(e, "the command was ended by signal %d", WTERMSIG(status));
}

int command_run(const char *command, const char *variable, const char *value, struct err *e)
{
    size_t count = 0;
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **environment = mem_array(count + 2, sizeof *environment);
    char *added = mem_printf("%s=%s", variable, value);
    char *shell[] = {"sh", "-c", mem_strdup(command), NULL};
    environment[0] = added;
    memcpy(environment + 1, environ, count * sizeof *environment);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    int code = posix_spawn(&pid, "/bin/sh", &actions, NULL, shell, environment);
    posix_spawn_file_actions_destroy(&actions);
    int rc = code == 0 ? wait_for(pid, e) : err_set(e, "starting sh: %s", strerror(code));
    free(shell[2]);
    free(added);
    free(environment);
    return rc;
}
