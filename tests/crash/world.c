// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"
#include "crash.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char *path_in(const struct world *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

static void map_faults(struct world *w)
{
    char *path = path_in(w, "faults");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *w->faults), 0);
    w->faults = mmap(NULL, sizeof *w->faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(w->faults, MAP_FAILED);
    close(fd);
    free(path);
}

int world_setup(void **state)
{
    struct world *w = mem_alloc(sizeof *w);
    const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; // many small files: memory is kinder
    assert_true(temporary_make_below(above, w->dir));
    snprintf(w->pki, sizeof w->pki, "%s/pki", w->dir);
    snprintf(w->base, sizeof w->base, "%s/base", w->dir);
    map_faults(w);
    *state = w;
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;
    struct err e = ERR_INIT;
    assert_works(file_remove_tree(w->dir, &e), &e);
    munmap(w->faults, sizeof *w->faults);
    buf_clear(&w->out);
    buf_clear(&w->said);
    buf_clear(&w->problems);
    free(w);
    return 0;
}

void world_file(const struct world *w, const char *name, const char *text)
{
    struct err e = ERR_INIT;
    char *path = path_in(w, name);
    assert_works(file_write(path, span_of(text, strlen(text)), FILE_PUBLIC, &e), &e);
    free(path);
}

static void copy_tree(const char *from, const char *to)
{
    struct err e = ERR_INIT;
    assert_works(file_remove_tree(to, &e), &e);
    if (!file_exists(from)) {
        return;
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execlp("cp", "cp", "-a", from, to, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(world_wait(child), 0);
}

void world_save(struct world *w)
{
    copy_tree(w->pki, w->base);
}

void world_restore(struct world *w)
{
    copy_tree(w->base, w->pki);
    memset(w->numbers, 0, sizeof w->numbers);
}

static void redirect(const struct world *w, const char *name, int to)
{
    char *path = path_in(w, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, to) < 0) {
        _exit(126);
    }
    free(path);
}

pid_t world_start(struct world *w, world_command command)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) {
        return child;
    }
    char *argv[WORLD_ARGUMENTS + 1] = {(char *)(uintptr_t)MTLS_PROGRAM};
    for (size_t i = 0; i < WORLD_ARGUMENTS && command[i] != NULL; i++) {
        argv[i + 1] = (char *)(uintptr_t)command[i];
    }
    char *faults = path_in(w, "faults");
    redirect(w, "out", STDOUT_FILENO);
    redirect(w, "said", STDERR_FILENO);
    setenv("MTLS_PKI", w->pki, 1);
    setenv(FAULT_VARIABLE, faults, 1);
    setenv("LD_PRELOAD", MTLS_FAULT_LIBRARY, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1); // ours stands before it, and does not mind
    if (chdir(w->dir) == 0) {
        execv(MTLS_PROGRAM, argv);
    }
    _exit(127);
}

int world_wait(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void read_into(const struct world *w, const char *name, struct buf *text)
{
    struct err e = ERR_INIT;
    char *path = path_in(w, name);
    buf_clear(text);
    buf_add(text, "", 0);
    assert_works(file_read(path, FILE_LIMIT, text, &e), &e);
    free(path);
}

int world_run_faulty(struct world *w, world_command command, enum fault_mode mode, uint32_t at)
{
    memset(w->faults, 0, sizeof *w->faults);
    w->faults->mode = mode;
    w->faults->at = at;
    int code = world_wait(world_start(w, command));
    read_into(w, "out", &w->out);
    read_into(w, "said", &w->said);
    return code;
}

int world_run(struct world *w, world_command command)
{
    return world_run_faulty(w, command, FAULT_COUNT, 0);
}

void world_problem(struct world *w, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_printf(&w->problems, "  %s\n", text);
}

void world_judge(struct world *w, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (w->problems.len == 0) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fail_msg("%s:\n%sthe last command said: %s", text, (const char *)w->problems.data,
             w->said.len == 0 ? "nothing" : (const char *)w->said.data);
}
