// SPDX-License-Identifier: Apache-2.0
#include "server/marks.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void look(struct mark *mark)
{
    struct stat st;
    mark->exists = stat(mark->path, &st) == 0;
    if (mark->exists) {
        mark->device = st.st_dev;
        mark->inode = st.st_ino;
        mark->size = st.st_size;
        mark->modified = st.st_mtim;
        mark->changed = st.st_ctim;
    }
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct mark *a, const struct mark *b)
{
    if (!a->exists || !b->exists) {
        return a->exists == b->exists;
    }
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

void marks_add(struct marks *marks, const char *path, const struct marks *before)
{
    marks->items = mem_grow(marks->items, &marks->cap, sizeof *marks->items, marks->count + 1);
    struct mark *mark = &marks->items[marks->count++];
    *mark = (struct mark){0};
    for (size_t i = 0; before != NULL && i < before->count; i++) {
        if (strcmp(before->items[i].path, path) == 0) {
            *mark = before->items[i];
            mark->path = mem_strdup(path);
            return;
        }
    }
    mark->path = mem_strdup(path);
    look(mark);
}

void marks_copy(struct marks *to, const struct marks *from)
{
    *to = (struct marks){0};
    for (size_t i = 0; i < from->count; i++) {
        marks_add(to, from->items[i].path, NULL);
    }
}

bool marks_differ(const struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct mark now = {.path = marks->items[i].path};
        look(&now);
        if (!same(&now, &marks->items[i])) {
            return true;
        }
    }
    return false;
}

void marks_clear(struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        free(marks->items[i].path);
    }
    free(marks->items);
    *marks = (struct marks){0};
}
