// SPDX-License-Identifier: Apache-2.0
// A directory as web pages. Whatever is asked, nothing outside of it is opened: the path is walked name by name, and
// symbolic links are not followed. Only regular files are served, and none whose name, or whose directory's, begins
// with a dot.
#ifndef MTLS_SERVER_FILES_H
#define MTLS_SERVER_FILES_H

#include "server/http.h"
#include "server/http_path.h"

// Answers GET and HEAD of `path` (from http_path) below the directory `root`. False: there is nothing to be served
// there, and the response is untouched.
bool files_answer(const char *root, const char *path, const struct http_request *request, int64_t now,
                  struct http_response *response);

#endif
