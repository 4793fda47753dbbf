// SPDX-License-Identifier: Apache-2.0
// Files of any kind, as `mtls ca show` and `mtls ca sign` read them.
#include "ca/csr.h"
#include "ca/show.h"
#include "fuzz.h"

static void read_request(struct span file)
{
    struct err e = ERR_INIT;
    struct csr request = {0};
    int rc = csr_read(file, &request, &e);
    REQUIRE((rc == 0) == (e.text[0] == '\0'));
    fuzz_require_printable(e.text, false);
    for (size_t i = 0; rc == 0 && i < request.names.count; i++) {
        fuzz_require_printable(request.names.items[i].value, false);
    }
    if (rc == 0) {
        csr_clear(&request);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct buf text = {0};
    const struct show_options options = {.now = FUZZ_NOW, .entries_max = SHOW_ENTRIES};
    json_t *shown = show_file(span_of(data, size), &options, &e);
    if (shown == NULL) {
        REQUIRE(e.text[0] != '\0');
        fuzz_require_printable(e.text, false);
    } else {
        show_text(shown, &text);
        REQUIRE(text.len > 0);
        fuzz_require_printable((const char *)text.data, true);
    }
    json_decref(shown);
    buf_clear(&text);
    read_request(span_of(data, size));
    return 0;
}
