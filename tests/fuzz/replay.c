// SPDX-License-Identifier: Apache-2.0
// A fuzz target without libFuzzer: replays the files, or all files of the folders, that are named as arguments.
#include "base/file.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static size_t replayed;

static int replay_file(const char *path)
{
    struct err e = ERR_INIT;
    struct buf input = {0};
    if (file_read(path, FILE_LIMIT, &input, &e) != 0) {
        fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    uint8_t *exact = mem_alloc(input.len + 1); // not a buf, whose zero at the end would hide what reads past it
    for (size_t i = 0; i < input.len; i++) {
        exact[i + 1] = input.data[i];
    }
    LLVMFuzzerTestOneInput(exact + 1, input.len);
    replayed++;
    free(exact);
    buf_clear(&input);
    return 0;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return replay_file(path);
    }
    DIR *folder = opendir(path);
    int rc = folder == NULL ? -1 : 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir(folder)) != NULL;) {
        char *file = mem_printf("%s/%s", path, entry->d_name);
        rc = entry->d_name[0] != '.' ? replay_file(file) : 0;
        free(file);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return rc;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (replay(argv[i]) != 0) {
            return EXIT_FAILURE;
        }
    }
    printf("%zu inputs replayed\n", replayed);
    return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE; // an empty corpus tests nothing
}
