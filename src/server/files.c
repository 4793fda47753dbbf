// SPDX-License-Identifier: Apache-2.0
#include "server/files.h"

#include "base/text.h"
#include "server/http_conditions.h"
#include "server/http_date.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

// What a file's name says about it. Text is taken for UTF-8.
static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".css", "text/css; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".gif", "image/gif"},
    {".gz", "application/gzip"},
    {".htm", "text/html; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".md", "text/markdown; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".mp4", "video/mp4"},
    {".pdf", "application/pdf"},
    {".pem", "application/x-pem-file"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".xml", "application/xml"},
    {".zip", "application/zip"},
};

static const char *content_type(const char *path)
{
    const char *ending = strrchr(path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(types[i].ending, ending) == 0) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}

// --- opening ---

// Opens `name` in a directory. O_PATH is enough to go through a directory that cannot be listed; O_NONBLOCK, so that a
// pipe keeps nobody waiting.
static int open_directory(int at, const char *name)
{
    return openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int open_file(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

// Opens what is at `path`, name by name; of a path that ends with a slash the index.html. -1: errno says why.
static int walk(const char *root, const char *path)
{
    int at = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (bool last = false; at >= 0 && !last;) {
        size_t len = strcspn(++path, "/");
        char *name = len > 0 ? mem_strndup(path, len) : mem_strdup("index.html");
        path += len;
        last = path[0] == '\0';
        int next = -1;
        errno = ENOENT;
        if (name[0] != '.') { // hidden; and ".", ".." cannot be here, but if they were
            next = last ? open_file(at, name) : open_directory(at, name);
        }
        int why = errno;
        free(name);
        close(at);
        errno = why;
        at = next;
    }
    return at;
}

// --- sending ---

struct file_stream {
    struct http_stream stream;
    int fd;
    off_t at;
};

static long file_read(struct http_stream *stream, void *data, size_t size)
{
    struct file_stream *file = (struct file_stream *)stream;
    ssize_t n;
    do {
        n = pread(file->fd, data, size, file->at);
    } while (n < 0 && errno == EINTR);
    file->at += n > 0 ? n : 0;
    return n;
}

static void file_free(struct http_stream *stream)
{
    struct file_stream *file = (struct file_stream *)stream;
    close(file->fd);
    free(file);
}

static struct http_stream *file_stream_new(int fd, const struct http_range *range)
{
    struct file_stream *file = mem_alloc(sizeof *file);
    file->stream = (struct http_stream){.read = file_read, .free = file_free, .left = range->length};
    file->fd = fd;
    file->at = (off_t)range->first;
    return &file->stream;
}

// --- answering ---

// The name is what was asked for, with what it says about caching: it may be kept, and is to be asked for again.
static const char policy[] = "Cache-Control: private, no-cache\r\nX-Content-Type-Options: nosniff\r\n";

static void answer_redirect(const char *path, struct span query, struct http_response *response)
{
    http_response_plain(response, 301);
    buf_text(&response->fields, "Location: ");
    http_path_encode(path, &response->fields);
    buf_text(&response->fields, "/");
    buf_add(&response->fields, query.data, query.len);
    buf_text(&response->fields, "\r\n");
}

// Takes the descriptor.
static void answer_file(int fd, const struct stat *st, const char *path, const struct http_request *request,
                        int64_t now, struct http_response *response)
{
    char etag[64];
    char date[HTTP_DATE_TEXT];
    struct http_range range;
    struct http_representation file = {
        .size = st->st_size, .modified = st->st_mtim.tv_sec < now ? st->st_mtim.tv_sec : now, .etag = etag};
    snprintf(etag, sizeof etag, "\"%" PRIx64 "-%lx-%" PRIx64 "\"", (uint64_t)st->st_mtim.tv_sec,
             (unsigned long)st->st_mtim.tv_nsec, (uint64_t)st->st_size);
    int status = http_conditions(request, &file, now, &range);
    if (status == 412 || status == 416) {
        http_response_plain(response, status);
    }
    response->status = status;
    response->policy = policy;
    buf_printf(&response->fields, "Accept-Ranges: bytes\r\nETag: %s\r\nLast-Modified: %s\r\n", etag,
               http_date(file.modified, date));
    if (status == 416) {
        buf_printf(&response->fields, "Content-Range: bytes */%" PRId64 "\r\n", file.size);
    } else if (status == 206) {
        buf_printf(&response->fields, "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64 "\r\n", range.first,
                   range.first + range.length - 1, file.size);
    }
    if (status == 200 || status == 206) {
        response->content_type = content_type(path);
        response->stream = file_stream_new(fd, &range);
    } else {
        close(fd);
    }
}

// What is not there for us is not there; only a fault of our own is called one.
static bool is_absence(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EACCES || error == EPERM ||
           error == ENAMETOOLONG || error == ENXIO || error == ENODEV;
}

bool files_answer(const char *root, const char *path, const struct http_request *request, int64_t now,
                  struct http_response *response)
{
    struct http_target target;
    struct stat st;
    int fd = walk(root, path);
    if (fd < 0 && is_absence(errno)) {
        return false;
    }
    if (fd < 0 || fstat(fd, &st) != 0) {
        http_response_plain(response, 500);
        if (fd >= 0) {
            close(fd);
        }
        return true;
    }
    bool slash = text_ends(path, "/");
    if (S_ISREG(st.st_mode)) {
        answer_file(fd, &st, slash ? "/index.html" : path, request, now, response);
        return true;
    }
    close(fd);
    if (!S_ISDIR(st.st_mode) || slash || http_target_split(buf_span(&request->target), &target) != 0) {
        return false;
    }
    answer_redirect(path, target.query, response);
    return true;
}
