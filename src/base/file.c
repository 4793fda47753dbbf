// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, size_t limit, struct buf *out, struct err *e)
{
    size_t start = out->len;
    for (;;) {
        buf_reserve(out, 65536);
        ssize_t n = read(fd, out->data + out->len, 65536);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_errno(e, "reading %s", path);
        }
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        if (out->len - start > limit) {
            return err_set(e, "reading %s: it is larger than %zu bytes", path, limit);
        }
        if (n == 0) {
            return 0;
        }
    }
}

int file_read(const char *path, size_t limit, struct buf *out, struct err *e)
{
    if (strcmp(path, "-") == 0) {
        return read_all(STDIN_FILENO, "standard input", limit, out, e);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_errno(e, "opening %s", path);
    }
    int rc = read_all(fd, path, limit, out, e);
    close(fd);
    return rc;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

int file_make_dirs(const char *path, struct err *e)
{
    char *copy = mem_strdup(path);
    int rc = 0;
    for (char *slash = copy + 1; rc == 0; slash++) {
        if (*slash != '/' && *slash != '\0') {
            continue;
        }
        char kept = *slash;
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST) {
            rc = err_errno(e, "making directory %s", copy);
        }
        *slash = kept;
        if (kept == '\0') {
            break;
        }
    }
    free(copy);
    return rc;
}

static int write_all(int fd, const char *path, struct span data, struct err *e)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.data, data.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return err_errno(e, "writing %s", path);
        }
        data.data += n;
        data.len -= (size_t)n;
    }
    return 0;
}

// A new file that nobody had before; O_EXCL so that no link of somebody else's is followed.
static int write_new(const char *path, struct span data, mode_t mode, bool sync, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return err_errno(e, "creating %s", path);
    }
    int rc = write_all(fd, path, data, e);
    if (rc == 0 && sync && fsync(fd) != 0) {
        rc = err_errno(e, "syncing %s", path);
    }
    if (close(fd) != 0 && rc == 0) {
        rc = err_errno(e, "closing %s", path);
    }
    if (rc != 0) {
        unlink(path);
    }
    return rc;
}

static int sync_directory_of(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash == NULL ? mem_strdup(".") : mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) != 0 ? err_errno(e, "syncing %s", dir) : 0;
    if (fd >= 0) {
        close(fd);
    }
    free(dir);
    return rc;
}

int file_write(const char *path, struct span data, mode_t mode, struct err *e)
{
    if (strcmp(path, "-") == 0) {
        return write_all(STDOUT_FILENO, "standard output", data, e);
    }
    char *temporary = mem_printf("%s.tmp%ld", path, (long)getpid());
    int rc = write_new(temporary, data, mode, true, e);
    if (rc == 0 && rename(temporary, path) != 0) {
        rc = err_errno(e, "renaming %s to %s", temporary, path);
        unlink(temporary);
    }
    if (rc == 0) {
        rc = sync_directory_of(path, e);
    }
    free(temporary);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int file_remove_tree(const char *path, struct err *e)
{
    if (!file_exists(path) || nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0) {
        return 0;
    }
    return err_errno(e, "removing %s", path);
}

int file_batch_begin(struct file_batch *b, const char *staging, struct err *e)
{
    *b = (struct file_batch){.staging = mem_strdup(staging)};
    if (file_remove_tree(staging, e) != 0) {
        return -1;
    }
    return mkdir(staging, 0700) == 0 ? 0 : err_errno(e, "making directory %s", staging);
}

int file_batch_add(struct file_batch *b, const char *path, struct span data, mode_t mode, struct err *e)
{
    char *from = mem_printf("%s/%zu", b->staging, b->count);
    if (write_new(from, data, mode, false, e) != 0) {
        free(from);
        return -1;
    }
    b->items = mem_grow(b->items, &b->cap, sizeof *b->items, b->count + 1);
    b->items[b->count++] = (struct file_batch_item){.from = from, .to = mem_strdup(path)};
    return 0;
}

static bool file_holds(const char *path, struct span data)
{
    struct buf text = {0};
    struct err ignored = ERR_INIT;
    bool same = file_exists(path) && file_read(path, FILE_LIMIT, &text, &ignored) == 0 && text.len == data.len &&
                (data.len == 0 || memcmp(text.data, data.data, data.len) == 0);
    buf_clear(&text);
    return same;
}

int file_put(struct file_batch *b, const char *path, struct span data, mode_t mode, size_t *changed, struct err *e)
{
    if (file_holds(path, data)) {
        return 0;
    }
    (*changed)++;
    return b == NULL ? 0 : file_batch_add(b, path, data, mode, e);
}

// One sync of the file system costs less than an fsync for each file once there are more than a few.
static int batch_sync(const struct file_batch *b, struct err *e)
{
    enum { FEW = 16 };
    size_t count = b->count <= FEW ? b->count : 1;
    for (size_t i = 0; i < count; i++) {
        int fd = open(b->items[i].from, O_RDONLY | O_CLOEXEC);
        int rc = fd < 0 ? -1 : b->count <= FEW ? fsync(fd) : syncfs(fd);
        if (rc != 0) {
            err_errno(e, "syncing %s", b->items[i].from);
        }
        if (fd >= 0) {
            close(fd);
        }
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

static int rename_making_dirs(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) == 0) {
        return 0;
    }
    if (errno == ENOENT) {
        const char *slash = strrchr(to, '/');
        char *dir = mem_strndup(to, slash == NULL ? 0 : (size_t)(slash - to));
        int rc = dir[0] == '\0' ? 0 : file_make_dirs(dir, e);
        free(dir);
        if (rc != 0) {
            return -1;
        }
        if (rename(from, to) == 0) {
            return 0;
        }
    }
    return err_errno(e, "renaming %s to %s", from, to);
}

int file_batch_commit(struct file_batch *b, struct err *e)
{
    if (batch_sync(b, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (rename_making_dirs(b->items[i].from, b->items[i].to, e) != 0) {
            return -1;
        }
        free(b->items[i].from);
        b->items[i].from = NULL;
    }
    return 0;
}

void file_batch_clear(struct file_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].from != NULL) {
            unlink(b->items[i].from);
        }
        free(b->items[i].from);
        free(b->items[i].to);
    }
    if (b->staging != NULL) {
        rmdir(b->staging);
    }
    free(b->items);
    free(b->staging);
    *b = (struct file_batch){0};
}
