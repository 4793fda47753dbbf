// SPDX-License-Identifier: Apache-2.0
// The story is told by steps, the drawing by time. Steps without messages stand where they must have happened.
#include "explain/svg.h"

#include <stdlib.h>

// A session may have any number of messages: of the ninth step so many are drawn, and so many of all.
enum { SESSION_MOST = 8, DRAWN_MOST = 48 };

// The step of each message.
static int *steps_of(const struct explain_story *story)
{
    int *steps = mem_array(explain_count(story->of), sizeof *steps);
    for (int step = 1; step <= EXPLAIN_STEPS; step++) {
        for (size_t i = 0; i < story->steps[step - 1].count; i++) {
            steps[story->steps[step - 1].messages[i]] = step;
        }
    }
    return steps;
}

// In TLS 1.3 a ChangeCipherSpec says nothing (RFC 8446 appendix D.4): it goes with what its sender sends beside it.
static void move_idle(const struct explain_story *story, int *steps)
{
    const struct explain *x = story->of;
    for (size_t i = explain_count(x); i-- > 0;) {
        const struct explain_message *m = explain_message(x, i);
        if (!svg_is_idle(story, m)) {
            continue;
        }
        if (i + 1 < explain_count(x) && explain_message(x, i + 1)->from == m->from) {
            steps[i] = steps[i + 1];
        } else if (i > 0 && explain_message(x, i - 1)->from == m->from) {
            steps[i] = steps[i - 1];
        }
    }
}

// The number of the message behind the last one of this step, or `otherwise`.
static size_t behind(const struct explain_story *story, int step, size_t otherwise)
{
    const struct explain_step *s = &story->steps[step - 1];
    return s->count > 0 ? s->messages[s->count - 1] + 1 : otherwise;
}

// What the client sends first after the server's hello: before that it has judged the server.
static size_t client_answer(const struct explain_story *story, const int *steps)
{
    const struct explain *x = story->of;
    size_t count = explain_count(x);
    size_t i = story->steps[1].count > 0 ? story->steps[1].messages[0] : count;
    while (i < count && (explain_message(x, i)->from != EXPLAIN_CLIENT || steps[i] == 1)) {
        i++;
    }
    return i;
}

bool svg_is_missing(const struct explain_story *story, int step)
{
    enum explain_state state = story->steps[step - 1].state;
    return story->steps[step - 1].count == 0 && (state == EXPLAIN_NOT_REACHED || state == EXPLAIN_UNSEEN);
}

// Before which message a step without messages stands: what is missing comes last of all.
static size_t place_of(const struct explain_story *story, int step, size_t answer)
{
    size_t end = explain_count(story->of);
    if (svg_is_missing(story, step) || step == story->failed) {
        return svg_is_missing(story, step) ? end + 1 : end;
    }
    switch (step) {
    case 3:
    case 4: return answer;
    case 5: return behind(story, 4, answer);
    // who resumes a session is known from its hello; else the last that the server needs is the client's finished
    case 6: return behind(story, explain_facts(story->of)->resumed ? 2 : 7, end);
    default: return end;
    }
}

static struct svg_row *last(const struct svg_plan *plan)
{
    return plan->count > 0 ? &plan->rows[plan->count - 1] : NULL;
}

static void add(struct svg_plan *plan, int step, const struct explain_message *m)
{
    bool opens = plan->count == 0 || last(plan)->step != step;
    bool first = true;
    for (size_t i = 0; i < plan->count; i++) {
        first = first && plan->rows[i].step != step;
    }
    plan->rows = mem_grow(plan->rows, &plan->cap, sizeof *plan->rows, plan->count + 1);
    plan->rows[plan->count++] = (struct svg_row){.step = step, .m = m, .first = first, .opens = opens};
}

// The refusal is always drawn, and one more message instead of a line that says there is one more.
static bool is_left_out(const struct svg_plan *plan, const struct explain_story *story, size_t i, size_t of_session)
{
    bool is_refusal = svg_refusal(story) == explain_message(story->of, i);
    bool begun = plan->count > 0 && last(plan)->left_out > 0;
    bool too_many = of_session > SESSION_MOST || plan->count >= DRAWN_MOST;
    return too_many && !is_refusal && (begun || i + 1 < explain_count(story->of));
}

void svg_plan_init(struct svg_plan *plan, const struct explain_story *story)
{
    size_t count = explain_count(story->of);
    size_t of_session = 0;
    size_t places[EXPLAIN_STEPS];
    int *steps = steps_of(story);
    *plan = (struct svg_plan){0};
    move_idle(story, steps);
    size_t answer = client_answer(story, steps);
    for (int step = 1; step <= EXPLAIN_STEPS; step++) {
        places[step - 1] = story->steps[step - 1].count > 0 ? count + 2 : place_of(story, step, answer);
    }
    for (size_t i = 0; i <= count + 1; i++) {
        for (int step = 1; step <= EXPLAIN_STEPS; step++) {
            if (places[step - 1] == i) {
                add(plan, step, NULL);
            }
        }
        if (i >= count) {
            continue;
        }
        of_session += steps[i] == EXPLAIN_STEPS;
        if (!is_left_out(plan, story, i, of_session)) {
            add(plan, steps[i], explain_message(story->of, i));
        } else if (last(plan)->left_out > 0) {
            last(plan)->left_out++;
        } else {
            add(plan, steps[i], NULL);
            last(plan)->left_out = 1;
        }
    }
    free(steps);
}

void svg_plan_clear(struct svg_plan *plan)
{
    free(plan->rows);
    *plan = (struct svg_plan){0};
}
