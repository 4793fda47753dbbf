// SPDX-License-Identifier: Apache-2.0
// Preloaded into mtls by the crash tests: stands before the calls of the C library that change the world, mtls's own
// and SQLite's alike, counts them, and lets the chosen one fail, or kills the process there as `kill -9` would.
//
// Nothing is really synced: a killed process leaves its writes to the kernel, so syncing would only cost time.
#include "fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static struct fault_state *state;

__attribute__((constructor)) static void map_state(void)
{
    const char *path = getenv(FAULT_VARIABLE);
    int fd = path == NULL ? -1 : REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    void *map = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    state = map == MAP_FAILED ? NULL : map;
}

// Which file a descriptor is, for the trace.
static void name_of(int fd, char name[256])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, name, 255);
    name[n < 0 ? 0 : n] = '\0';
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause(); // for a signal, a process is no faster than the kernel
}

enum what { GOES_ON, FAILS, HALVES };

// Counts one call, and says what becomes of it. `takes_space` is what a full disk refuses.
static enum what meet(const char *name, const char *path, size_t length, bool takes_space)
{
    if (state == NULL) {
        return GOES_ON;
    }
    uint32_t number = __atomic_fetch_add(&state->calls, 1, __ATOMIC_SEQ_CST);
    if (number < FAULT_TRACED) {
        struct fault_call *call = &state->trace[number];
        size_t len = strlen(path);
        size_t room = sizeof call->path - 1;
        snprintf(call->name, sizeof call->name, "%s", name);
        snprintf(call->path, sizeof call->path, "%s", len > room ? path + len - room : path);
        call->length = (uint32_t)length;
    }
    if (state->mode == FAULT_FULL && number >= state->at && takes_space) {
        errno = ENOSPC;
        return FAILS;
    }
    if (number != state->at) {
        return GOES_ON;
    }
    switch (state->mode) {
    case FAULT_KILL: die(); return GOES_ON;
    case FAULT_HALF: return HALVES;
    case FAULT_FAIL: errno = EIO; return FAILS;
    default: return GOES_ON;
    }
}

static enum what meet_fd(const char *name, int fd, size_t length, bool takes_space)
{
    char path[256] = "";
    if (fd <= STDERR_FILENO) {
        return GOES_ON; // what is said does not matter here
    }
    name_of(fd, path);
    return meet(name, path, length, takes_space);
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's own begin with underscores

#define OPEN(function)                                                                                                 \
    int function(const char *path, int flags, ...)                                                                     \
    {                                                                                                                  \
        va_list ap;                                                                                                    \
        va_start(ap, flags);                                                                                           \
        mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;                                                 \
        va_end(ap);                                                                                                    \
        if ((flags & (O_CREAT | O_TRUNC)) != 0 && meet("open", path, 0, true) == FAILS) {                              \
            return -1;                                                                                                 \
        }                                                                                                              \
        return REAL(function)(path, flags, mode);                                                                      \
    }
OPEN(open)
OPEN(open64)

#define WRITE(function, PARAMETERS, ARGUMENTS, HALF_ARGUMENTS)                                                         \
    ssize_t function PARAMETERS                                                                                        \
    {                                                                                                                  \
        enum what what = meet_fd(#function, fd, n, true);                                                              \
        if (what == FAILS) {                                                                                           \
            return -1;                                                                                                 \
        }                                                                                                              \
        if (what == HALVES) {                                                                                          \
            (void)!REAL(function) HALF_ARGUMENTS;                                                                      \
            die();                                                                                                     \
        }                                                                                                              \
        ssize_t written = REAL(function) ARGUMENTS;                                                                    \
        if (state != NULL && written > 0 && fd > STDERR_FILENO) {                                                      \
            __atomic_fetch_add(&state->bytes_written, (uint64_t)written, __ATOMIC_SEQ_CST);                            \
        }                                                                                                              \
        return written;                                                                                                \
    }
WRITE(write, (int fd, const void *data, size_t n), (fd, data, n), (fd, data, n / 2))
WRITE(pwrite, (int fd, const void *data, size_t n, off_t to), (fd, data, n, to), (fd, data, n / 2, to))
WRITE(pwrite64, (int fd, const void *data, size_t n, off64_t to), (fd, data, n, to), (fd, data, n / 2, to))

#define READ(function, PARAMETERS, ARGUMENTS)                                                                          \
    ssize_t function PARAMETERS                                                                                        \
    {                                                                                                                  \
        ssize_t got = REAL(function) ARGUMENTS;                                                                        \
        if (state != NULL && got > 0) {                                                                                \
            __atomic_fetch_add(&state->reads, 1, __ATOMIC_SEQ_CST);                                                    \
            __atomic_fetch_add(&state->bytes_read, (uint64_t)got, __ATOMIC_SEQ_CST);                                   \
        }                                                                                                              \
        return got;                                                                                                    \
    }
READ(read, (int fd, void *data, size_t n), (fd, data, n))
READ(pread, (int fd, void *data, size_t n, off_t from), (fd, data, n, from))
READ(pread64, (int fd, void *data, size_t n, off64_t from), (fd, data, n, from))

#define SYNC(function)                                                                                                 \
    int function(int fd)                                                                                               \
    {                                                                                                                  \
        return meet_fd(#function, fd, 0, false) == FAILS ? -1 : 0;                                                     \
    }
SYNC(fsync)
SYNC(fdatasync)
SYNC(syncfs)

#define ON_PATH(function, PARAMETERS, ARGUMENTS, path, takes_space)                                                    \
    int function PARAMETERS                                                                                            \
    {                                                                                                                  \
        return meet(#function, path, 0, takes_space) == FAILS ? -1 : REAL(function) ARGUMENTS;                         \
    }
ON_PATH(rename, (const char *from, const char *to), (from, to), to, false)
ON_PATH(unlink, (const char *path), (path), path, false)
ON_PATH(unlinkat, (int dir, const char *path, int flags), (dir, path, flags), path, false)
ON_PATH(remove, (const char *path), (path), path, false)
ON_PATH(rmdir, (const char *path), (path), path, false)
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode), path, true)

#define ON_FD(function, PARAMETERS, ARGUMENTS)                                                                         \
    int function PARAMETERS                                                                                            \
    {                                                                                                                  \
        return meet_fd(#function, fd, 0, false) == FAILS ? -1 : REAL(function) ARGUMENTS;                              \
    }
ON_FD(ftruncate, (int fd, off_t length), (fd, length))
ON_FD(ftruncate64, (int fd, off64_t length), (fd, length))
ON_FD(flock, (int fd, int operation), (fd, operation))
ON_FD(fchmod, (int fd, mode_t mode), (fd, mode))

// NOLINTEND(readability-inconsistent-declaration-parameter-name)
