#include "child.h"

#include "commands.h"
#include "night.h"

static const char *environment(const char *name)
{
    return getenv(name);
}

static int child_options(const Session *parent, CommandId id, const char *arg, const char *tag, Options *ret,
                         Error *err)
{
    *ret = options_copy(parent->options);
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (ret->values[i].source == SOURCE_COMMAND_LINE)
            continue;
        strvec_done(&ret->values[i].list); /* each command takes its own of environment and configuration */
        ret->values[i] = (OptionValue){0};
    }
    ret->command = &command_specs[id];
    strvec_done(&ret->args);
    ret->args = (StrVec){0};
    if (arg)
        strvec_push(&ret->args, arg);
    if (tag && options_set(ret, &option_specs[OPT_TAG], SOURCE_COMMAND_LINE, tag, "a tag", err) < 0)
        return -1;
    if (options_environment(ret, environment, err) < 0)
        return -1;
    return config_apply(parent->config, ret, err);
}

int child_night(Session *parent, Session *child, Error *err)
{
    int rc = night_begin(child, err);
    if (rc == 0)
        rc = command_run(child, err);
    night_end(child, rc, err);
    for (size_t i = 0; i < child->findings.n; i++) {
        const Finding *finding = &child->findings.v[i];
        findings_add(&parent->findings, finding->severity, finding->code, finding->hint, "%s", finding->message);
    }
    return rc;
}

static void hand_over(Session *parent, Session *child, const char *member, RunRecord *ret_run)
{
    if (parent->json)
        session_set(parent, member, json_incref(child->document));
    parent->failed |= child->failed;
    *ret_run = child->run;
    child->run = (RunRecord){0};
}

int child_run(Session *parent, CommandId id, const char *arg, const char *tag, const char *member, RunRecord *ret_run,
              Error *err)
{
    Options options;
    Session child;
    *ret_run = (RunRecord){0};
    int rc = child_options(parent, id, arg, tag, &options, err);
    session_init(&child, &options, parent->config, parent->out);
    if (rc == 0)
        rc = child_night(parent, &child, err);
    if (rc == 0)
        hand_over(parent, &child, member, ret_run);
    session_done(&child);
    options_done(&options);
    return rc;
}
