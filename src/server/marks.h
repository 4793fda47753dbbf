// SPDX-License-Identifier: Apache-2.0
// What files were like when they were last read: enough to see that one was changed, replaced, removed or put back.
#ifndef MTLS_SERVER_MARKS_H
#define MTLS_SERVER_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct mark {
    char *path;
    bool exists;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified; // the contents
    struct timespec changed;  // or the owner, the permissions, the name
};

struct marks {
    struct mark *items;
    size_t count;
    size_t cap;
};

// Adds the file as it is now; or as `before` has it, which may be NULL, for then it was looked at before it was read.
void marks_add(struct marks *marks, const char *path, const struct marks *before);
void marks_copy(struct marks *to, const struct marks *from); // the same files, as they are now
bool marks_differ(const struct marks *marks);                // is any file not what it was?
void marks_clear(struct marks *marks);

#endif
