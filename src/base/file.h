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
// A new folder below $TMPDIR, or else /tmp, that only we may enter: its path, to be freed. NULL: it cannot be made.
char *file_make_temporary(const char *name, struct err *e);
// Removes a directory and what is in it; what is not there is no error.
int file_remove_tree(const char *path, struct err *e);

// Many files below one directory, `root`, that appear together. Each is first written below root/.staging, under the
// path that it will have; then one sync for all of them; then they move, a whole directory in one step where that is
// new. What a process leaves in .staging when it dies is there for whoever comes next: to finish, or to empty. Hold a
// lock around it.
#define FILE_STAGING ".staging"
enum { FILE_BATCH_FEW = 16 }; // up to so many files are synced one by one

struct file_batch {
    char *root;
    char *staging;
    char *directory;              // the last one made
    int unsynced[FILE_BATCH_FEW]; // descriptors, as long as there are only few
    size_t unsynced_count;
    bool unsynced_many;
    bool keep; // file_batch_clear leaves .staging as it is
};

int file_batch_begin(struct file_batch *b, const char *root, struct err *e);  // empties .staging
int file_batch_resume(struct file_batch *b, const char *root, struct err *e); // goes on with what is in it
// `path` is below the root; it must not have been added before.
int file_batch_add(struct file_batch *b, const char *path, struct span data, mode_t mode, struct err *e);
// Makes the directory in .staging, so that whoever finds that knows of it.
int file_batch_mark(struct file_batch *b, const char *directory, struct err *e);
// Removes a directory of the root that was marked, and the mark.
int file_batch_doom(struct file_batch *b, const char *directory, struct err *e);
// As file_batch_add, but only if the file does not hold just this already, or is more open than `mode`; then *changed
// counts one more. With b NULL nothing is written, only counted.
int file_put(struct file_batch *b, const char *path, struct span data, mode_t mode, size_t *changed, struct err *e);
int file_batch_sync(struct file_batch *b, struct err *e);   // what was added so far will survive a loss of power
int file_batch_commit(struct file_batch *b, struct err *e); // syncs, moves everything to its place, removes .staging
void file_batch_clear(struct file_batch *b);                // also removes what was not committed, unless `keep`

#endif
