// SPDX-License-Identifier: Apache-2.0
// Where the control socket is, when nobody says: in a folder that only this user can enter.
#include "server/control_path.h"

#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0) {
        return mem_strdup("/run/mtls");
    }
    if (runtime != NULL && runtime[0] == '/') {
        return mem_printf("%s/mtls", runtime);
    }
    return mem_printf("/tmp/mtls-%lu", (unsigned long)geteuid());
}

// The name in /tmp may have been taken by somebody else, who would then hear what is said to our server.
static int check_folder(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return err_errno(e, "%s", path);
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        return err_set(e, "%s is not a folder that only this user can enter", path);
    }
    return 0;
}

char *control_path(unsigned port, bool make, struct err *e)
{
    char *in = folder();
    char *path = NULL;
    if (make && mkdir(in, 0700) != 0 && errno != EEXIST) {
        err_errno(e, "making %s", in);
    } else if (check_folder(in, e) == 0) {
        path = mem_printf("%s/%u.sock", in, port);
    }
    free(in);
    return path;
}
