// SPDX-License-Identifier: Apache-2.0
// Refused is only refused for its fault if its like without the fault is let in.
//
// Most of those who are wrong differ from the good ones in the leaf alone, so that their likes are of one shape: they
// show the same but for a name and a key. The first of a shape that is let in speaks for the others.
#include "probe/internal.h"

#include <stdlib.h>

static bool is_known(struct prober *p, const struct buf *shape, unsigned version)
{
    bool known = false;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->shapes.count && !known; i++) {
        const struct served_shape *s = &p->shapes.items[i];
        known = s->version == version && spans_equal(buf_span(&s->shape), buf_span(shape));
    }
    pthread_mutex_unlock(&p->lock);
    return known;
}

static void remember(struct prober *p, struct buf *shape, unsigned version)
{
    struct served_shapes *shapes = &p->shapes;
    pthread_mutex_lock(&p->lock);
    shapes->items = mem_grow(shapes->items, &shapes->cap, sizeof *shapes->items, shapes->count + 1);
    shapes->items[shapes->count++] = (struct served_shape){version, *shape};
    pthread_mutex_unlock(&p->lock);
    *shape = (struct buf){0};
}

void served_shapes_clear(struct served_shapes *shapes)
{
    for (size_t i = 0; i < shapes->count; i++) {
        buf_clear(&shapes->items[i].shape);
    }
    free(shapes->items);
    *shapes = (struct served_shapes){0};
}

static enum probe_verdict dial_control(struct prober *p, const struct identity *identity, unsigned version,
                                       struct outcome *wrong)
{
    struct outcome control;
    prober_dial(p, identity, version, &control);
    if (control_judge(&control) == prober_control(p, version)) {
        return PROBE_GOOD;
    }
    char *behind = mem_printf("; but so was the same certificate without the fault: %s", control.detail);
    outcome_enclose(wrong, "", behind);
    free(behind);
    return PROBE_INCONCLUSIVE;
}

enum probe_verdict control_check(struct prober *p, enum flaw flaw, unsigned version, struct outcome *wrong)
{
    const char *why = NULL;
    struct buf shape = {0};
    const struct identity *identity = identities_flaw(p->identities, flaw, true, &why);
    if (identity == NULL) {
        outcome_set(wrong, wrong->seen, "there is no control: %s", why);
        return PROBE_INCONCLUSIVE;
    }
    bool shaped = identity_shape(identity, &shape);
    enum probe_verdict verdict = PROBE_GOOD;
    if (!shaped || !is_known(p, &shape, version)) {
        verdict = dial_control(p, identity, version, wrong);
        if (shaped && verdict == PROBE_GOOD) {
            remember(p, &shape, version);
        }
    }
    buf_clear(&shape);
    return verdict;
}
