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

enum { CHUNK = 65536 };

// A file is mostly as long as it says it is. One octet more, and its end is seen without growing the buffer.
static size_t first_chunk(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < CHUNK ? (size_t)st.st_size + 1 : CHUNK;
}

static int read_all(int fd, const char *path, size_t limit, struct buf *out, struct err *e)
{
    size_t start = out->len;
    buf_reserve(out, first_chunk(fd));
    for (;;) {
        if (out->cap - out->len == 1) {
            buf_reserve(out, CHUNK);
        }
        ssize_t n = read(fd, out->data + out->len, out->cap - out->len - 1);
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

// The last directory first: mostly the ones above it are there already.
int file_make_dirs(const char *path, struct err *e)
{
    if (mkdir(path, 0755) == 0 || errno == EEXIST) {
        return 0;
    }
    const char *slash = strrchr(path, '/');
    int rc = -1;
    if (errno == ENOENT && slash != NULL && slash != path) {
        char *above = mem_strndup(path, (size_t)(slash - path));
        rc = file_make_dirs(above, e);
        free(above);
        if (rc != 0 || mkdir(path, 0755) == 0 || errno == EEXIST) {
            return rc;
        }
    }
    return err_errno(e, "making directory %s", path);
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

// A new file that nobody had before; O_EXCL so that no link of somebody else's is followed. Returns its descriptor.
static int write_new(const char *path, struct span data, mode_t mode, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return err_errno(e, "creating %s", path);
    }
    if (write_all(fd, path, data, e) != 0) {
        close(fd);
        unlink(path);
        return -1;
    }
    return fd;
}

static int sync_and_close(int fd, const char *path, struct err *e)
{
    int rc = fsync(fd) == 0 ? 0 : err_errno(e, "syncing %s", path);
    if (close(fd) != 0 && rc == 0) {
        rc = err_errno(e, "closing %s", path);
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
    int fd = write_new(temporary, data, mode, e);
    int rc = fd < 0 ? -1 : sync_and_close(fd, temporary, e);
    if (rc == 0 && rename(temporary, path) != 0) {
        rc = err_errno(e, "renaming %s to %s", temporary, path);
    }
    if (rc != 0 && fd >= 0) {
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

char *file_make_temporary(const char *name, struct err *e)
{
    const char *folder = getenv("TMPDIR");
    char *path = mem_printf("%s/%s-XXXXXX", folder != NULL && folder[0] != '\0' ? folder : "/tmp", name);
    if (mkdtemp(path) == NULL) { // 0700
        err_errno(e, "making %s", path);
        free(path);
        return NULL;
    }
    return path;
}

int file_remove_tree(const char *path, struct err *e)
{
    if (!file_exists(path) || nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0) {
        return 0;
    }
    return err_errno(e, "removing %s", path);
}

// ---- batches

int file_batch_resume(struct file_batch *b, const char *root, struct err *e)
{
    *b = (struct file_batch){.root = mem_strdup(root), .staging = mem_printf("%s/" FILE_STAGING, root)};
    return mkdir(b->staging, 0700) == 0 || errno == EEXIST ? 0 : err_errno(e, "making directory %s", b->staging);
}

int file_batch_begin(struct file_batch *b, const char *root, struct err *e)
{
    char *staging = mem_printf("%s/" FILE_STAGING, root);
    int rc = file_remove_tree(staging, e);
    free(staging);
    return rc == 0 ? file_batch_resume(b, root, e) : -1;
}

static char *staged(const struct file_batch *b, const char *path)
{
    return mem_printf("%s%s", b->staging, path + strlen(b->root));
}

// Files come directory by directory, so the last one is worth remembering.
static int make_directory_of(struct file_batch *b, const char *path, struct err *e)
{
    size_t len = (size_t)(strrchr(path, '/') - path);
    if (b->directory != NULL && strlen(b->directory) == len && strncmp(b->directory, path, len) == 0) {
        return 0;
    }
    free(b->directory);
    b->directory = mem_strndup(path, len);
    return file_make_dirs(b->directory, e);
}

// Past a few files, one sync of the file system costs less than one for each; any descriptor there will do for it.
static void sync_later(struct file_batch *b, int fd)
{
    if (b->unsynced_count < FILE_BATCH_FEW) {
        b->unsynced[b->unsynced_count++] = fd;
    } else {
        close(fd);
        b->unsynced_many = true;
    }
}

int file_batch_add(struct file_batch *b, const char *path, struct span data, mode_t mode, struct err *e)
{
    char *to = staged(b, path);
    int fd = make_directory_of(b, to, e) == 0 ? write_new(to, data, mode, e) : -1;
    if (fd >= 0) {
        sync_later(b, fd);
    }
    free(to);
    return fd < 0 ? -1 : 0;
}

int file_batch_mark(struct file_batch *b, const char *directory, struct err *e)
{
    char *to = staged(b, directory);
    int rc = file_make_dirs(to, e);
    free(to);
    return rc;
}

int file_batch_doom(struct file_batch *b, const char *directory, struct err *e)
{
    char *mark = staged(b, directory);
    int rc = file_remove_tree(directory, e) != 0 || file_remove_tree(mark, e) != 0 ? -1 : 0;
    free(mark);
    return rc;
}

static bool file_holds(const char *path, struct span data)
{
    struct buf text = {0};
    struct err ignored = ERR_INIT;
    bool same = file_read(path, FILE_LIMIT, &text, &ignored) == 0 && text.len == data.len &&
                (data.len == 0 || memcmp(text.data, data.data, data.len) == 0);
    buf_clear(&text);
    return same;
}

// May nobody do more with it than `mode` says?
static bool file_is_closed(const char *path, mode_t mode)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & 0777 & ~mode) == 0;
}

int file_put(struct file_batch *b, const char *path, struct span data, mode_t mode, size_t *changed, struct err *e)
{
    if (file_is_closed(path, mode) && file_holds(path, data)) {
        return 0;
    }
    (*changed)++;
    return b == NULL ? 0 : file_batch_add(b, path, data, mode, e);
}

int file_batch_sync(struct file_batch *b, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < b->unsynced_count; i++) {
        if (rc == 0 && (b->unsynced_many ? i == 0 && syncfs(b->unsynced[i]) != 0 : fsync(b->unsynced[i]) != 0)) {
            rc = err_errno(e, "syncing %s", b->staging);
        }
        if (close(b->unsynced[i]) != 0 && rc == 0) {
            rc = err_errno(e, "closing files in %s", b->staging);
        }
    }
    b->unsynced_count = 0;
    b->unsynced_many = false;
    return rc;
}

// Z before A: of an entry, key.pem goes first and cert.pem, which promises the others, last.
static int backwards(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*b)->d_name, (*a)->d_name);
}

static int not_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int move_children(const char *from, const char *to, struct err *e);

// A directory that is not there yet moves as it is. Into one that is, its files move one by one.
static int move(const char *from, const char *to, struct err *e)
{
    if (rename(from, to) == 0) {
        return 0;
    }
    return errno == ENOTEMPTY || errno == EEXIST ? move_children(from, to, e)
                                                 : err_errno(e, "renaming %s to %s", from, to);
}

static int move_children(const char *from, const char *to, struct err *e)
{
    struct dirent **children = NULL;
    int count = scandir(from, &children, not_dots, backwards);
    int rc = count < 0 ? err_errno(e, "reading directory %s", from) : 0;
    for (int i = 0; i < count; i++) {
        char *child = mem_printf("%s/%s", from, children[i]->d_name);
        char *target = mem_printf("%s/%s", to, children[i]->d_name);
        rc = rc == 0 ? move(child, target, e) : -1;
        free(child);
        free(target);
        free(children[i]);
    }
    free(children);
    if (rc == 0 && rmdir(from) != 0) {
        rc = err_errno(e, "removing %s", from);
    }
    return rc;
}

int file_batch_commit(struct file_batch *b, struct err *e)
{
    if (file_batch_sync(b, e) != 0 || move_children(b->staging, b->root, e) != 0) {
        return -1;
    }
    b->keep = false;
    return 0;
}

void file_batch_clear(struct file_batch *b)
{
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < b->unsynced_count; i++) {
        close(b->unsynced[i]);
    }
    if (b->staging != NULL && !b->keep) {
        file_remove_tree(b->staging, &ignored); // what stays is emptied by the next batch
    }
    free(b->root);
    free(b->staging);
    free(b->directory);
    *b = (struct file_batch){0};
}
