// SPDX-License-Identifier: Apache-2.0
// Where tests keep their files: each in a directory of its own, which it removes (file_remove_tree).
#ifndef MTLS_TESTS_TEMPORARY_H
#define MTLS_TESTS_TEMPORARY_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEMPORARY_PATH = 128 };

static inline bool temporary_name(const char *above, char path[TEMPORARY_PATH])
{
    int len = snprintf(path, TEMPORARY_PATH, "%s/mtls-test-XXXXXX", above);
    return len > 0 && len < TEMPORARY_PATH;
}

static inline const char *temporary_above(void)
{
    const char *above = getenv("TMPDIR");
    return above == NULL ? "/tmp" : above;
}

// Makes a new directory below `above`. False: it cannot.
static inline bool temporary_make_below(const char *above, char dir[TEMPORARY_PATH])
{
    return temporary_name(above, dir) && mkdtemp(dir) != NULL;
}

// The same below $TMPDIR, or /tmp.
static inline bool temporary_make(char dir[TEMPORARY_PATH])
{
    return temporary_make_below(temporary_above(), dir);
}

// Makes and opens a new file there; -1: it cannot. The file is the caller's to unlink.
static inline int temporary_open(char path[TEMPORARY_PATH])
{
    return temporary_name(temporary_above(), path) ? mkstemp(path) : -1;
}

#endif
