// SPDX-License-Identifier: Apache-2.0
// Files are read whole and bounded, and written whole or not at all: to a temporary name, synced, renamed.
#ifndef MTLS_BASE_FILE_H
#define MTLS_BASE_FILE_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <sys/types.h>

enum { FILE_PUBLIC = 0644, FILE_SECRET = 0600, FILE_LIMIT = 256 * 1024 * 1024 };

// Appends the whole file to `out`. "-" is standard input. More than `limit` bytes is an error.
int file_read(const char *path, size_t limit, struct buf *out, struct err *e);
bool file_exists(const char *path);
// Makes a directory and its parents, 0755.
int file_make_dirs(const char *path, struct err *e);
// Replaces `path` in one step: temporary name beside it (O_EXCL), fsync, rename. "-" is standard output.
int file_write(const char *path, struct span data, mode_t mode, struct err *e);
// Removes a directory and what is in it; what is not there is no error.
int file_remove_tree(const char *path, struct err *e);

// Many files that appear together: each is written into `staging` first, then one sync for all of them, then the
// renames. Whoever dies between leaves only files in `staging`, which the next batch empties: hold a lock around it.
struct file_batch {
    char *staging;
    struct file_batch_item {
        char *from;
        char *to;
    } * items;
    size_t count;
    size_t cap;
};

int file_batch_begin(struct file_batch *b, const char *staging, struct err *e);
int file_batch_add(struct file_batch *b, const char *path, struct span data, mode_t mode, struct err *e);
// As file_batch_add, but only if the file does not hold just this already; then *changed counts one more. With b NULL
// nothing is written, only counted.
int file_put(struct file_batch *b, const char *path, struct span data, mode_t mode, size_t *changed, struct err *e);
int file_batch_commit(struct file_batch *b, struct err *e); // directories of the targets are made as needed
void file_batch_clear(struct file_batch *b);                // also unlinks what was not committed

#endif
