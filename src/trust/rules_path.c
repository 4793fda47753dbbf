// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "trust/host.h"
#include "trust/rules.h"

#include <stdlib.h>
#include <string.h>

static bool is_dots(const char *segment, size_t len)
{
    return (len == 1 || len == 2) && strspn(segment, ".") >= len;
}

int path_check(const char *path, struct err *e)
{
    if (path[0] != '/') {
        return err_set(e, "a path begins with a slash");
    }
    while (path != NULL) {
        const char *segment = path + 1;
        const char *next = strchr(segment, '/');
        size_t len = next == NULL ? strlen(segment) : (size_t)(next - segment);
        if (len == 0 && next != NULL) {
            return err_set(e, "two slashes follow each other in the path");
        }
        if (is_dots(segment, len)) {
            return err_set(e, "a segment of the path is only dots");
        }
        path = next;
    }
    return 0;
}

// Patterns are held against decoded paths: what looks encoded in one is a misunderstanding.
static int characters_check(const char *pattern, struct err *e)
{
    for (const char *p = pattern; *p != '\0'; p++) {
        bool control = (unsigned char)*p < ' ' || *p == 0x7f;
        if (control || strchr("%?#\\*", *p) != NULL) {
            return *p == '%'   ? err_set(e, "a path is decoded before it is compared: write the character itself")
                   : *p == '*' ? err_set(e, "a * stands at the end of a path only, and for all that follows a slash")
                               : err_set(e, "a character is in it that no path has");
        }
    }
    return 0;
}

int path_pattern_init(struct path_pattern *p, const char *pattern, struct err *e)
{
    p->folder = text_ends(pattern, "/*") ? strlen(pattern) - 1 : 0;
    p->text = mem_strdup(pattern);
    if (p->folder > 0) {
        p->text[p->folder] = '\0';
    }
    if (characters_check(p->text, e) != 0 || path_check(p->text, e) != 0) {
        return -1;
    }
    if (p->folder > 0) {
        p->text[p->folder] = UNNAMED;
    }
    return 0;
}

void path_pattern_clear(struct path_pattern *p)
{
    free(p->text);
    *p = (struct path_pattern){.text = NULL};
}

bool path_pattern_covers(const struct path_pattern *p, const char *path)
{
    return p->folder > 0 ? strncmp(path, p->text, p->folder) == 0 : strcmp(path, p->text) == 0;
}

// RFC 9110 section 9.1: a token; case counts, and all that are registered are upper case.
int method_check(const char *method, struct err *e)
{
    struct span text = span_of(method, strlen(method));
    return text.len > 0 && span_is_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")
               ? 0
               : err_set(e, "a method is a word in upper case, like GET");
}
