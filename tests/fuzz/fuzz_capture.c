// SPDX-License-Identifier: Apache-2.0
// A capture file, read and told: first the length of the key log, which stands in front of it.
#include "explain/capture.h"
#include "told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct span input = span_of(data, size);
    struct explain_keys *keys = explain_keys_new();
    explain_keys_read(keys, fuzz_run(&input));
    FILE *file = input.len > 0 ? fmemopen((void *)(uintptr_t)input.data, input.len, "rb") : NULL;
    struct capture *capture = file != NULL ? capture_read(file, keys, &e) : NULL;
    REQUIRE(file == NULL || (capture == NULL) == err_is_set(&e));
    fuzz_require_printable(e.text, false);
    for (size_t i = 0; capture != NULL && i < capture->count; i++) {
        free(require_told(capture->connections[i].explain));
    }
    capture_free(capture);
    explain_keys_free(keys);
    return 0;
}
