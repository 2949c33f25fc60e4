// What expressions mean, without building them: what they depend on, and which losses belong to which update.
#ifndef LANG_MEANING_H
#define LANG_MEANING_H

#include "lang/experiment.h"

// Follows names of values to what they stand for.
const struct expression *expression_behind(const struct experiment *e, const struct expression *is);
// Does the gradient of `is` reach what `to` names? detach() stops it.
bool expression_depends(const struct experiment *e, const struct expression *is, struct target to);
bool expressions_depend(const struct experiment *e, struct expression *const *is, int n,
                        const struct target *to, int n_to);
// `inner` is `outer`, or a head of it.
bool target_covers(struct target outer, struct target inner);
bool update_trains(const struct update *u, struct target what); // all of it, or that head
// Which losses belong to an update: configs/README.md, "games" and "terms".
bool update_takes_critic(const struct update *u, const struct game *game);
bool update_takes_fake(const struct experiment *e, const struct update *u, const struct game *game);
bool update_takes_real(const struct experiment *e, const struct update *u, const struct game *game);
bool update_takes_term(const struct experiment *e, const struct update *u,
                       const struct game_term *term);
int data_source_field(const struct data_source *s, const char *name); // -1 when absent
int network_head(const struct network *net, const char *name);        // -1 when absent
// "(1, 28, 28)", "a label of 10 classes"
const char *signature_text(struct arena *a, struct signature is);

// Checks the names, arguments and heads of an expression that came after its experiment.
bool check_expression(struct experiment *e, const struct expression *is, struct diag *d);

#endif
