/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that lie ready: in the settings, the environment, or the shared credentials file. */
#include "s3_credentials_private.h"

#include "own.h"

#include <stdio.h>

enum { FILE_ROOM = 64 * 1024, PATH_ROOM = 4096 };

/* Both or neither of access and secret. */
static RC take(const char *access, const char *secret, const char *token, const char *place, struct s3_keys *out,
               struct why *why) {
    if (!access && !secret) return RC_ABSENT;
    if (!access || !secret)
        return why_set(why, RC_DENIED, "%s: an access key needs its secret key, and the other way round", place);
    TRY(credentials_copy(credentials_trim(str_of(access)), out->access, sizeof out->access, "the access key", why));
    TRY(credentials_copy(credentials_trim(str_of(secret)), out->secret, sizeof out->secret, "the secret key", why));
    return credentials_copy(credentials_trim(str_of(token ? token : "")), out->token, sizeof out->token,
                            "the session token", why);
}

enum rc load_settings(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    const struct s3_credentials_settings *s = &c->settings;
    return take(s->access, s->secret, s->token, "the configuration", out, why);
}

enum rc load_environment(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    return take(credentials_env(c, "AWS_ACCESS_KEY_ID"), credentials_env(c, "AWS_SECRET_ACCESS_KEY"),
                credentials_env(c, "AWS_SESSION_TOKEN"), "the environment", out, why);
}

/* "[name]" with blanks anywhere. */
static bool is_section(struct str line, struct str *out_name) {
    if (line.len < 2 || line.at[0] != '[' || line.at[line.len - 1] != ']') return false;
    *out_name = str_trim(str_sub(line, 1, line.len - 1));
    return true;
}

struct profile {
    bool there;
    char access[S3_KEY_ROOM], secret[S3_KEY_ROOM], token[S3_TOKEN_ROOM];
};

static RC profile_line(struct profile *profile, struct str line, struct why *why) {
    struct str name, value = line;
    if (!str_cut(&value, '=', &name)) return RC_OK;
    name = str_trim(name);
    value = str_trim(value);
    if (str_equal(name, STR("aws_access_key_id")))
        return credentials_copy(value, profile->access, sizeof profile->access, "the access key", why);
    if (str_equal(name, STR("aws_secret_access_key")))
        return credentials_copy(value, profile->secret, sizeof profile->secret, "the secret key", why);
    if (str_equal(name, STR("aws_session_token")))
        return credentials_copy(value, profile->token, sizeof profile->token, "the session token", why);
    return RC_OK;
}

static RC read_profile(struct str text, struct str wanted, struct profile *out, struct why *why) {
    struct str line, section = {0};
    while (str_cut(&text, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0 || line.at[0] == '#' || line.at[0] == ';') continue;
        if (is_section(line, &section)) {
            out->there = out->there || str_equal(section, wanted);
            continue;
        }
        if (str_equal(section, wanted)) TRY(profile_line(out, line, why));
    }
    return RC_OK;
}

static const char *or_null(const char *text) { return text[0] ? text : NULL; }

enum rc load_file(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    const char *set = c->settings.file ? c->settings.file : credentials_env(c, "AWS_SHARED_CREDENTIALS_FILE");
    const char *profile_set = c->settings.profile ? c->settings.profile : credentials_env(c, "AWS_PROFILE");
    const char *home = credentials_env(c, "HOME"), *name = profile_set ? profile_set : "default";
    char path[PATH_ROOM], place[PATH_ROOM + 512];
    if (!set && !home) return RC_ABSENT;
    (void)snprintf(path, sizeof path, "%s%s", set ? set : home, set ? "" : "/.aws/credentials");
    (void)snprintf(place, sizeof place, "%s, profile %.200s", path, name);
    AUTO(buf_done) struct buf text = BUF_INIT(FILE_ROOM);
    enum rc rc = credentials_read_file(path, &text, why);
    if (rc == RC_ABSENT && (set || profile_set))
        return why_set(why, RC_DENIED, "%s: there is no such file", place); /* somebody wanted it */
    if (rc != RC_OK) return rc;
    struct profile profile = {0};
    TRY(read_profile(buf_str(&text), str_of(name), &profile, why));
    if (!profile.there && !set && !profile_set) return RC_ABSENT;
    if (!profile.access[0] && !profile.secret[0])
        return why_set(why, RC_DENIED, "%s: no aws_access_key_id there", place);
    return take(or_null(profile.access), or_null(profile.secret), or_null(profile.token), place, out, why);
}
