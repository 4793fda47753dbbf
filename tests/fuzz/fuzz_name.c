// SPDX-License-Identifier: Apache-2.0
// Names: a Name, a subjectAltName and a list of subtrees, taken apart and held against each other.
#include "base/der.h"
#include "base/name_text.h"
#include "fuzz.h"
#include "trust/constraint.h"
#include "trust/general_name.h"
#include "trust/host.h"
#include "trust/name.h"

#include <string.h>

static void read_name(struct span name)
{
    struct err e = ERR_INIT;
    struct buf form = {0};
    struct buf again = {0};
    struct buf text = {0};
    int rc = name_canonical(name, &form, &e);
    fuzz_require_printable(e.text, false);
    REQUIRE((rc == 0) == (e.text[0] == '\0'));
    err_clear(&e);
    REQUIRE(name_to_text(name, &text, &e) == 0 || rc != 0); // what can be compared can be shown
    fuzz_require_printable(text.data == NULL ? "" : (const char *)text.data, false);
    err_clear(&e);
    REQUIRE(name_canonical(name, &again, &e) == rc && (rc != 0 || again.len == form.len));
    REQUIRE(rc != 0 || form.len == 0 || memcmp(form.data, again.data, form.len) == 0);
    buf_clear(&form);
    buf_clear(&again);
    buf_clear(&text);
}

static void show_names(struct span names)
{
    struct err e = ERR_INIT;
    struct der_item name;
    while (names.len > 0 && der_next(&names, &name, &e) == 0) {
        struct buf text = {0};
        form_show(&text, &name);
        if (text.len > 0) {
            fuzz_require_printable((const char *)text.data, false);
        }
        buf_clear(&text);
    }
}

// Holds one name against one subtree of its form: permitted and excluded cannot both be met.
static void constrain(struct span names, struct span subtrees)
{
    static const uint8_t no_name[] = {0x30, 0};
    char why[CERTIFICATE_WHY] = "";
    struct err e = ERR_INIT;
    struct span rest = names;
    struct span tree = subtrees;
    struct der_item name;
    struct der_item subtree;
    struct der_item base;
    struct certificate subject = {.subject = span_of(no_name, sizeof no_name), .names = names};
    struct certificate permits = {.permitted = subtrees, .has_name_constraints = true};
    struct certificate excludes = {.excluded = subtrees, .has_name_constraints = true};
    size_t budget = 100000;
    enum reason permitted = constraint_check(&subject, &permits, &budget, why);
    REQUIRE((permitted == REASON_ok) == (why[0] == '\0'));
    fuzz_require_printable(why, false);
    enum reason excluded = constraint_check(&subject, &excludes, &budget, why);
    bool one_each = der_next(&rest, &name, &e) == 0 && rest.len == 0 && der_next(&tree, &subtree, &e) == 0 &&
                    tree.len == 0 && der_next(&subtree.content, &base, &e) == 0 && base.tag == name.tag;
    REQUIRE(!one_each || permitted != REASON_ok || excluded != REASON_ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct span input = span_of(data, size);
    struct span name = fuzz_run(&input);
    struct span names = fuzz_run(&input);
    struct span subtrees = fuzz_run(&input);
    struct span host = fuzz_run(&input);
    bool names_good = false;
    read_name(name);
    show_names(names);
    names_good = general_names_syntax(names, &e) == 0;
    fuzz_require_printable(e.text, false);
    err_clear(&e);
    bool subtrees_good = constraint_syntax(subtrees, &e) == 0;
    fuzz_require_printable(e.text, false);
    if (names_good && subtrees_good) {
        constrain(names, subtrees);
    }
    char text[128] = {0};
    memcpy(text, host.data, host.len < sizeof text ? host.len : sizeof text - 1);
    struct certificate c = {.names = names};
    if (names_good && certificate_is_host(&c, text)) {
        uint8_t address[16];
        err_clear(&e);
        REQUIRE(host_address(span_of(text, strlen(text)), address) > 0 ||
                host_name_check(span_of(text, strlen(text)), &e) == 0);
    }
    return 0;
}
