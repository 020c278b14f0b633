/* SPDX-License-Identifier: Apache-2.0 */
#include "cri_path.h"

#include <string.h>

enum { RESTART_DIGITS_MAX = 10 };

/* The three words of A_B_C, none of them empty. */
static bool three_words(struct str text, struct str out[3]) {
    out[2] = text;
    return str_cut(&out[2], '_', &out[0]) && str_cut(&out[2], '_', &out[1]) && out[2].len && out[0].len && out[1].len;
}

/* RESTARTS.log…: a number as JSON has it. */
static struct str restarts_of(struct str name) {
    struct str digits;
    if (!str_cut(&name, '.', &digits) || !str_starts(name, STR("log"))) return (struct str){0};
    if (!digits.len || digits.len > RESTART_DIGITS_MAX || (digits.len > 1 && digits.at[0] == '0'))
        return (struct str){0};
    for (size_t i = 0; i < digits.len; i++)
        if (digits.at[i] < '0' || digits.at[i] > '9') return (struct str){0};
    return digits;
}

/* `rest` is NAMESPACE_POD_UID/CONTAINER/FILE. */
static bool read_pods(struct str rest, struct cri_path *out) {
    struct str pod, container, words[3];
    if (!str_cut(&rest, '/', &pod) || !str_cut(&rest, '/', &container)) return false;
    if (!rest.at || !container.len || !three_words(pod, words)) return false;
    *out = (struct cri_path){.namespace = words[0],
                             .pod = words[1],
                             .uid = words[2],
                             .container = container,
                             .restart_count = restarts_of(rest)};
    return true;
}

static bool read_docker(struct str id, struct str name, struct cri_path *out) {
    if (!id.len || !str_starts(name, id)) return false;
    if (!str_starts(str_sub(name, id.len, name.len), STR("-json.log"))) return false;
    *out = (struct cri_path){.container_id = id};
    return true;
}

/* `rest` is POD_NAMESPACE_CONTAINER-ID.log or ID/ID-json.log. */
static bool read_containers(struct str rest, struct cri_path *out) {
    struct str folder, words[3], id;
    (void)str_cut(&rest, '/', &folder);
    if (rest.at) return read_docker(folder, rest, out);
    if (!three_words(folder, words)) return false;
    const char *dash = memrchr(words[2].at, '-', words[2].len);
    if (!dash || dash == words[2].at) return false;
    struct str behind = {dash + 1, (size_t)(words[2].at + words[2].len - dash) - 1};
    if (!str_cut(&behind, '.', &id) || !id.len || !str_equal(behind, STR("log"))) return false;
    *out = (struct cri_path){.namespace = words[1],
                             .pod = words[0],
                             .container = {words[2].at, (size_t)(dash - words[2].at)},
                             .container_id = id};
    return true;
}

void cri_path_read(struct str path, struct cri_path *out) {
    *out = (struct cri_path){0};
    struct str rest = path, folder;
    while (str_cut(&rest, '/', &folder) && rest.at) {
        struct cri_path found;
        bool is_found = (str_equal(folder, STR("pods")) && read_pods(rest, &found)) ||
                        (str_equal(folder, STR("containers")) && read_containers(rest, &found));
        if (is_found) *out = found;
    }
}
